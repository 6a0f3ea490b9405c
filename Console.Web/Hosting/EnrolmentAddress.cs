using System.Security.Cryptography;
using Plinth.Web.Application.Agents;
using Plinth.Web.Listeners;
using Plinth.Web.Options;
using Plinth.Web.Security.Certificates;

namespace Plinth.Web.Hosting;

internal sealed class EnrolmentAddress(KestrelListeners listeners, CertificateAuthority authority, ConsoleOptions options) : IEnrolmentAddress
{
    public string Url => listeners.EnrolmentUrl;
    public string Fingerprint => authority.Fingerprint;

    /// <summary>Read anew for each command (10 MB): the file may have been replaced by an update.</summary>
    public string? AgentDigest
    {
        get
        {
            if (options.Agents.Executable is not { } path) return null;
            using var file = File.OpenRead(path);
            return Convert.ToHexStringLower(SHA256.HashData(file));
        }
    }
}
