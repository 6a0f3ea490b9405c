using System.Text.Json;
using Plinth.Web.Application;
using Plinth.Web.Listeners;
using Plinth.Web.Options;
using Plinth.Web.Security.Certificates;

namespace Plinth.Web.Hosting;

/// <summary>
/// Lets this machine's own agent, and the simulated fleet, join without a person: at each start fresh one-time tokens are left in files that only
/// the console's user reads, and the former unused ones are revoked.
/// </summary>
public sealed class JoinFiles(ConsoleOptions options, KestrelListeners listeners, CertificateAuthority authority, IJoinTokenIssuer tokens)
{
    private const string LocalAgent = "This machine's own agent", SimulatedFleet = "Simulated hosts";
    private static readonly TimeSpan Valid = TimeSpan.FromHours(1);

    public async Task Write(CancellationToken stop)
    {
        if (options.Agents.LocalJoinFile is { } local)
            Write(local, new { console = listeners.EnrolmentUrl, token = (await tokens.Reissue(LocalAgent, 1, Valid, stop))[0], fingerprint = authority.Fingerprint });
        if (options.Agents is { SimulatedJoinFile: { } fleet, SimulatedHosts: > 0 and var hosts })
            Write(fleet, new { console = listeners.EnrolmentUrl, tokens = await tokens.Reissue(SimulatedFleet, hosts, Valid, stop), fingerprint = authority.Fingerprint });
    }

    private static void Write(string path, object content) => DataDirectory.WriteSecret(path, JsonSerializer.SerializeToUtf8Bytes(content));
}
