using System.Runtime.InteropServices;

namespace Plinth.Web.Application.Placement;

/// <summary>What images are built for. Images do not say so themselves yet: a console serves images of its own machine's architecture.</summary>
internal static class GuestArchitecture
{
    public static string OfImages { get; } = RuntimeInformation.OSArchitecture switch
    {
        Architecture.X64 => "x86_64",
        Architecture.Arm64 => "aarch64",
        var other => other.ToString().ToLowerInvariant(),
    };
}
