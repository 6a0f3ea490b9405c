using System.Security.Cryptography;
using System.Text;
using Microsoft.EntityFrameworkCore;
using Plinth.Core.Identity;
using Plinth.Core.Inventory;
using Plinth.Core.Primitives;
using Plinth.Web.Persistence;
using Plinth.Web.Persistence.Rows;

namespace Plinth.Web.Application.Hosts;

/// <inheritdoc cref="IHostRegistry"/>
internal sealed class HostRegistry(IConsoleStore store) : IHostRegistry
{
    private const int MaxMachineIdLength = 128;

    public async Task<Result<HostId>> Enrol(string token, string hostname, string machineId, bool simulated, DateTimeOffset certificateExpiresAt, string? remoteAddress, CancellationToken stop)
    {
        if (machineId.Length is 0 or > MaxMachineIdLength || machineId.Any(char.IsControl)) return Refusal.Invalid("machineId", "bad_machine_id", $"The machine id has 1 to {MaxMachineIdLength} printable characters.");
        var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(token)));
        return await store.Write(async scope =>
        {
            var row = await scope.Db.JoinTokens.SingleOrDefaultAsync(t => t.TokenHash == hash, stop);
            var no = row switch
            {
                null => Refusal.Forbidden("The join token is not known. Make a new one on the Agents page."),
                { RevokedAt: not null } => Refusal.Forbidden("The join token was revoked. Make a new one on the Agents page."),
                { UsedAt: not null } => Refusal.Forbidden("The join token was used already; each works once. Make a new one on the Agents page."),
                _ when row.ExpiresAt <= scope.Now => Refusal.Forbidden($"The join token expired at {row.ExpiresAt:u}. Make a new one on the Agents page."),
                _ => null,
            };
            var agent = new Principal(PrincipalKind.Agent, row?.Id.ToString() ?? "unknown", Label(hostname));
            if (no is not null)
            {
                scope.Audit(agent, remoteAddress, "host.join", $"host/{Label(hostname)}", null, AuditOutcomes.Refused, no.Message);
                return Result<HostId>.No(no);
            }
            var host = await scope.Db.Hosts.SingleOrDefaultAsync(h => h.MachineId == machineId && h.State != HostState.Retired, stop);
            var again = host is not null;
            if (host is null)
            {
                host = new HostRow
                {
                    Id = HostId.New(scope.Now), Name = await FreeName(scope.Db, Label(hostname), stop), MachineId = machineId, Simulated = simulated, JoinedAt = scope.Now,
                    // 0 is "none yet" to an agent: with 1, network and storage are made while nobody waits for them.
                    Generation = new Generation(1),
                };
                scope.Db.Hosts.Add(host);
            }
            host.CertificateExpiresAt = certificateExpiresAt;
            (row!.UsedAt, row.Host) = (scope.Now, host.Id);
            scope.Audit(agent, remoteAddress, "host.join", $"host/{host.Id}", null, AuditOutcomes.Done, $"{host.Name}{(again ? ", known by its machine id" : "")}{(simulated ? ", simulated" : "")}, with the token of {row.CreatedBy}");
            return Result<HostId>.Ok(host.Id);
        }, stop);
    }

    public async Task<bool> IsAdmitted(HostId host, CancellationToken stop)
    {
        await using var db = store.Read();
        return await db.Hosts.AnyAsync(h => h.Id == host && h.State != HostState.Retired, stop);
    }

    public Task CertificateRenewed(HostId host, DateTimeOffset expiresAt, CancellationToken stop) => store.Write(async scope =>
    {
        if (await scope.Db.Hosts.SingleOrDefaultAsync(h => h.Id == host, stop) is not { } row) return Done.Value;
        row.CertificateExpiresAt = expiresAt;
        scope.Audit(new Principal(PrincipalKind.Agent, host.ToString(), row.Name), null, "host.certificate-renewed", $"host/{host}", null, AuditOutcomes.Done, $"valid until {expiresAt:u}");
        return Done.Value;
    }, stop);

    // A hostname is what the machine says of itself: kept to what a name may hold.
    private static string Label(string hostname)
    {
        var text = new string([.. hostname.Split('.')[0].ToLowerInvariant().Select(c => char.IsAsciiLetterOrDigit(c) ? c : '-')]).Trim('-');
        return text.Length == 0 ? "host" : text.Length > 50 ? text[..50].TrimEnd('-') : text;
    }

    // Names are unique, so that people can name hosts in requests and lists can be walked by name.
    private static async Task<string> FreeName(ConsoleDb db, string wanted, CancellationToken stop)
    {
        var taken = (await db.Hosts.Where(h => h.Name == wanted || h.Name.StartsWith(wanted + "-")).Select(h => h.Name).ToListAsync(stop)).ToHashSet();
        if (!taken.Contains(wanted)) return wanted;
        for (var i = 2; ; i++)
            if (!taken.Contains($"{wanted}-{i}")) return $"{wanted}-{i}";
    }
}
