using System.Xml.Linq;

namespace Plinth.EndToEnd.Tests.Lab;

/// <summary>Where the built programs stand; the <c>test</c> script builds them.</summary>
public static class Repository
{
    public static string Root { get; } = FindRoot();
    public static string Server => Built("artifacts/web/Console.Web");
    public static string Agent => Built("artifacts/agent/plinth-agent");
    public static string GuestManifest => Built("artifacts/guest/plinth-guest.json");
    public static string Pictures => Path.Combine(Root, "artifacts/pictures");
    public static string ThisVersion { get; } = XDocument.Load(Path.Combine(Root, "Directory.Build.props")).Descendants("Version").Single().Value;
    /// <summary>A version that this one is upgraded to.</summary>
    public const string NextVersion = "99.0.0";
    public static string LabScript => Path.Combine(Root, "tests/lab/lab");

    /// <summary>The directory with the Debian packages of a version.</summary>
    public static string Packages(string version) => Path.GetDirectoryName(Built($"artifacts/packages/{version}/plinth-console_{version}_amd64.deb"))!;

    private static string Built(string path)
    {
        var full = Path.Combine(Root, path);
        return File.Exists(full) ? full : throw new InvalidOperationException($"{path} is missing: run the tests with ./test, which builds it");
    }

    private static string FindRoot()
    {
        for (var dir = new DirectoryInfo(AppContext.BaseDirectory); dir is not null; dir = dir.Parent)
            if (File.Exists(Path.Combine(dir.FullName, "Console.sln"))) return dir.FullName;
        throw new InvalidOperationException("Console.sln is not above " + AppContext.BaseDirectory);
    }
}
