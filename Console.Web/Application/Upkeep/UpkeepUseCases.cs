using System.IO.Compression;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.EntityFrameworkCore;
using Plinth.Core.Identity;
using Plinth.Core.Inventory;
using Plinth.Core.Primitives;
using Plinth.Web.Application.Identity;
using Plinth.Web.Application.Servers;
using Plinth.Web.Options;
using Plinth.Web.Persistence;

namespace Plinth.Web.Application.Upkeep;

/// <inheritdoc cref="IUpkeep"/>
internal sealed class UpkeepUseCases(SelfChecks checks, ServerViews servers, Mutations mutations, IConsoleStore store, AccessControl access, DatabaseSettings database, IConfiguration configuration, IRecentLog recent, TimeProvider time) : IUpkeep
{
    private static readonly JsonSerializerOptions Readable = new(JsonSerializerOptions.Web) { WriteIndented = true, Converters = { new JsonStringEnumConverter(JsonNamingPolicy.KebabCaseLower) } };

    public async Task<Result<UpkeepView>> Get(Caller caller, CancellationToken stop) =>
        await access.Check(caller, Permissions.ConsoleManage, stop) is { } no ? no : new UpkeepView(ConsoleVersion.Text, checks.CheckedAt, checks.Current, await servers.All(stop));

    public async Task<Result<DiagnosticsView>> Diagnostics(Caller caller, CancellationToken stop)
    {
        var name = $"plinth-diagnostics-{time.GetUtcNow():yyyyMMdd-HHmmss}.zip";
        var allowed = await mutations.Run(caller, Permissions.ConsoleManage, "console.diagnostics", "console", m =>
        {
            m.Detail = name;
            return Task.FromResult<Result<Guid>>(Guid.Empty);
        }, stop);
        if (!allowed.Succeeded) return Result<DiagnosticsView>.No(allowed.Refusals);

        await checks.Run(stop);
        var mask = new SecretMask(configuration);
        using var bytes = new MemoryStream();
        using (var zip = new ZipArchive(bytes, ZipArchiveMode.Create, leaveOpen: true))
        {
            Add("version.json", Json(new
            {
                console = ConsoleVersion.Text, at = time.GetUtcNow(), runtime = RuntimeInformation.FrameworkDescription, operatingSystem = RuntimeInformation.OSDescription,
                processors = Environment.ProcessorCount, residentBytes = Environment.WorkingSet, startedAt = System.Diagnostics.Process.GetCurrentProcess().StartTime.ToUniversalTime(),
                database = database.Engine.ToString().ToLowerInvariant(),
            }));
            Add("settings.json", Json(Settings()));
            Add("checks.json", Json(checks.Current));
            Add("servers.json", Json(await servers.All(stop)));
            Add("counts.json", Json(await Counts(stop)));
            Add("hosts.json", Json(await Hosts(stop)));
            Add("log.txt", string.Join('\n', recent.Lines));

            void Add(string file, string text)
            {
                using var entry = new StreamWriter(zip.CreateEntry(file, CompressionLevel.Fastest).Open(), new UTF8Encoding(false));
                entry.Write(mask.Apply(text));
            }
        }
        return new DiagnosticsView(name, bytes.ToArray());
    }

    private static string Json(object value) => JsonSerializer.Serialize(value, Readable);

    /// <summary>Those that are described, and no others: what else is in the environment is nobody's business.</summary>
    private SortedDictionary<string, string?> Settings()
    {
        var settings = new SortedDictionary<string, string?>(StringComparer.Ordinal);
        foreach (var setting in SettingsReference.All)
            settings[setting.Key] = string.IsNullOrWhiteSpace(configuration[setting.Key]) ? null : setting.Secret ? SecretMask.Shown : configuration[setting.Key];
        foreach (var client in configuration.GetSection("Plinth:Clients").GetChildren()) settings[client.Path] = client.Value;
        foreach (var level in configuration.GetSection("Logging:LogLevel").GetChildren()) settings[level.Path] = level.Value;
        return settings;
    }

    private async Task<object> Counts(CancellationToken stop)
    {
        await using var db = store.Read();
        return new
        {
            hosts = await db.Hosts.GroupBy(h => h.State).Select(g => new { g.Key, Count = g.Count() }).ToDictionaryAsync(g => g.Key, g => g.Count, stop),
            vms = await db.Vms.Where(v => v.DeletedAt == null).GroupBy(v => v.State).Select(g => new { g.Key, Count = g.Count() }).ToDictionaryAsync(g => g.Key, g => g.Count, stop),
            vmsDeleted = await db.Vms.CountAsync(v => v.DeletedAt != null, stop),
            operations = await db.Operations.GroupBy(o => o.State).Select(g => new { g.Key, Count = g.Count() }).ToDictionaryAsync(g => g.Key, g => g.Count, stop),
            images = await db.Images.CountAsync(stop),
            changeLog = await db.ChangeLog.LongCountAsync(stop),
            auditEntries = await db.AuditEntries.LongCountAsync(stop),
            migrations = await db.Database.GetAppliedMigrationsAsync(stop),
        };
    }

    private async Task<object> Hosts(CancellationToken stop)
    {
        await using var db = store.Read();
        var hosts = await db.Hosts.Where(h => h.State != HostState.Retired).OrderBy(h => h.Name).ToListAsync(stop);
        return hosts.Select(h => new { h.Id, h.Name, h.State, h.StateReason, h.Simulated, h.Facts, h.Facilities, h.ReportedAt, h.JoinedAt, h.CertificateExpiresAt });
    }
}
