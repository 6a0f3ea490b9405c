using System.Globalization;

namespace Plinth.Web.Application.Upkeep;

/// <summary>What was seen of the console itself at one moment.</summary>
/// <param name="SetUpAt">When this console's data was begun.</param>
/// <param name="MetricsUntil">Metrics are condensed up to here; null while there are none.</param>
/// <param name="EndingCertificates">Names of hosts whose certificate ends within <see cref="SelfCheckRules.CertificateWarning"/> or has ended.</param>
/// <param name="LedgerFault">Why the audit ledger is not what was signed; null where it is.</param>
/// <param name="Servers">All that serve the database.</param>
/// <param name="NotReady">What readiness says, check by check; empty where all is well.</param>
internal sealed record SelfFacts(
    DateTimeOffset At,
    DateTimeOffset SetUpAt,
    long DatabaseBytes, long WalBytes, long MetricsBytes,
    long DiskFreeBytes, long DiskTotalBytes,
    IReadOnlyList<string> EndingCertificates, int Hosts,
    DateTimeOffset? MetricsUntil, long MetricsDropped,
    long LedgerEntries, DateTimeOffset LedgerCheckedAt, string? LedgerFault, long LedgerUnsigned,
    DateTimeOffset? BackupAt,
    IReadOnlyList<string> NotReady,
    IReadOnlyList<ServerView> Servers);

/// <summary>Which of it needs an operator, and why. Pure.</summary>
internal static class SelfCheckRules
{
    private const long Mib = 1024 * 1024, Gib = 1024 * Mib;

    public const string CertificatesName = "certificates";
    public static readonly TimeSpan CertificateWarning = TimeSpan.FromHours(4);
    // Migrations copy tables, and SQLite's log grows with each write that a long reader holds up.
    private const long DiskWarning = 2 * Gib, DiskError = 256 * Mib;
    private const double DiskWarningShare = 0.10, DiskErrorShare = 0.02;
    // SQLite folds its log back at 4 MB; many times that means something keeps it from doing so.
    private const long WalWarning = 128 * Mib;
    private static readonly TimeSpan MetricsWarning = TimeSpan.FromMinutes(5);
    private const long UnsignedWarning = 1_000;
    private static readonly TimeSpan BackupWarning = TimeSpan.FromDays(7), FirstBackupWarning = TimeSpan.FromDays(1);

    public static IReadOnlyList<SelfCheckView> Judge(SelfFacts facts) =>
        [Disk(facts), Database(facts), Workers(facts), Metrics(facts), Certificates(facts), Ledger(facts), Backup(facts), Servers(facts)];

    private static SelfCheckView Disk(SelfFacts f)
    {
        var share = f.DiskTotalBytes == 0 ? 1 : (double)f.DiskFreeBytes / f.DiskTotalBytes;
        var state = f.DiskFreeBytes < DiskError || share < DiskErrorShare ? SelfCheckState.Error : f.DiskFreeBytes < DiskWarning || share < DiskWarningShare ? SelfCheckState.Warning : SelfCheckState.Ok;
        return Check(f, "disk", "Room for the console's data", state, $"{Size(f.DiskFreeBytes)} of {Size(f.DiskTotalBytes)} are free where the data directory is ({Percent(share)}).",
            "Delete images that are not used, move old before-restore-… directories away, or enlarge the file system. Without room nothing can be written and every change is refused.");
    }

    private static SelfCheckView Database(SelfFacts f) => Check(f, "database", "Database", f.WalBytes > WalWarning ? SelfCheckState.Warning : SelfCheckState.Ok,
        $"The database has {Size(f.DatabaseBytes)}, the metrics {Size(f.MetricsBytes)}, the write-ahead log {Size(f.WalBytes)}.",
        $"The write-ahead log is larger than {Size(WalWarning)}: a program keeps plinth.db open for reading (a copy, a sqlite3 shell). End it; a restart of the console folds the log back.");

    private static SelfCheckView Workers(SelfFacts f) => Check(f, "workers", "Readiness and workers", f.NotReady.Count > 0 ? SelfCheckState.Error : SelfCheckState.Ok,
        f.NotReady.Count > 0 ? string.Join(' ', f.NotReady) : "Everything that the console does by itself went well at its last pass.",
        "The reason is in the console's log around that time; a failed pass is tried again by itself.");

    private static SelfCheckView Metrics(SelfFacts f)
    {
        var lag = f.MetricsUntil is { } until ? f.At - until : (TimeSpan?)null;
        return Check(f, "metrics", "Metrics", lag > MetricsWarning || f.MetricsDropped > 0 ? SelfCheckState.Warning : SelfCheckState.Ok,
            (lag is null ? "No metrics have been condensed yet." : $"Metrics are condensed up to {Age(lag.Value)} ago.") + (f.MetricsDropped > 0 ? $" {f.MetricsDropped} samples were dropped since the start." : ""),
            "The machine or its disk is too slow for the fleet: look at the load of this machine and at the size of the metrics database.");
    }

    private static SelfCheckView Certificates(SelfFacts f) => Check(f, CertificatesName, "Agents' certificates", f.EndingCertificates.Count > 0 ? SelfCheckState.Warning : SelfCheckState.Ok,
        f.EndingCertificates.Count == 0
            ? $"None of {Count(f.Hosts, "host")} has a certificate that ends within {CertificateWarning.TotalHours:0} h."
            : $"{f.EndingCertificates.Count} of {Count(f.Hosts, "host")} {(f.EndingCertificates.Count == 1 ? "has a certificate that has" : "have certificates that have")} ended or {(f.EndingCertificates.Count == 1 ? "ends" : "end")} within {CertificateWarning.TotalHours:0} h: {string.Join(", ", f.EndingCertificates.Take(10))}.",
        "Agents renew by themselves while they are connected: look at why these are not. A host whose certificate has ended is joined again with a new command and stays the same host.");

    private static SelfCheckView Ledger(SelfFacts f)
    {
        var state = f.LedgerFault is not null ? SelfCheckState.Error : f.LedgerUnsigned > UnsignedWarning ? SelfCheckState.Warning : SelfCheckState.Ok;
        return Check(f, "audit", "Audit ledger", state,
            f.LedgerFault ?? (f.LedgerUnsigned > UnsignedWarning ? $"{f.LedgerUnsigned} entries wait to be signed." : $"{Count(f.LedgerEntries, "entry", "entries")} give the root that was signed; checked {Age(f.At - f.LedgerCheckedAt)} ago."),
            f.LedgerFault is null ? "The worker AuditSequencing signs them; its reason for not doing so stands under readiness." : "Someone has changed the database by hand. Keep a copy of it as evidence, compare it with a backup, and with checkpoints that were kept elsewhere.");
    }

    private static SelfCheckView Backup(SelfFacts f)
    {
        var late = f.BackupAt is { } at ? f.At - at > BackupWarning : f.At - f.SetUpAt > FirstBackupWarning;
        return Check(f, "backup", "Backup", late ? SelfCheckState.Warning : SelfCheckState.Ok,
            f.BackupAt is { } last ? $"The last backup was made {Age(f.At - last)} ago." : $"No backup has been made since the console was set up {Age(f.At - f.SetUpAt)} ago.",
            "Run plinth-console --backup FILE, best by a timer, and keep the file on another machine.");
    }

    private static SelfCheckView Servers(SelfFacts f)
    {
        var silent = f.Servers.Where(s => s.Silent).ToArray();
        var leader = f.Servers.FirstOrDefault(s => s.Leads);
        var lacking = f.Servers.Where(s => !s.Silent && s.Images is { Lacking: > 0 }).ToArray();
        var state = leader is null ? SelfCheckState.Error : silent.Length + lacking.Length > 0 ? SelfCheckState.Warning : SelfCheckState.Ok;
        var lost = string.Concat(silent.Select(s => $" {s.Name} has not been heard for {Age(f.At - s.SeenAt)}."))
            + string.Concat(lacking.Select(s => $" {s.Name} lacks {s.Images!.Lacking} of {Count(s.Images.Held + s.Images.Lacking, "image")}. {s.Images.Reason}".TrimEnd()));
        var sentence = leader is null ? $"None of {Count(f.Servers.Count, "server")} leads.{lost}" : f.Servers.Count == 1 ? $"There is one server.{lost}" : $"There are {f.Servers.Count} servers; {leader.Name} leads.{lost}";
        return Check(f, "servers", "Servers", state, sentence, leader is null
            ? "Nothing is placed, reported or driven on until one does: look at the servers' logs and at their way to the database."
            : string.Join(' ', new[]
            {
                silent.Length > 0 ? "The others serve on. Start it again, or look at its way to the database; one that stays away is forgotten after a day." : null,
                lacking.Length > 0 ? "Servers take images from each other by themselves; until then hosts get them only from those that have them. Where none has one any more, upload its content again." : null,
            }.OfType<string>()));
    }

    private static SelfCheckView Check(SelfFacts facts, string name, string title, SelfCheckState state, string sentence, string remedy) =>
        new(name, title, state, sentence, state == SelfCheckState.Ok ? "" : remedy, facts.At);

    private static string Count(long n, string one, string? many = null) => n == 1 ? $"1 {one}" : string.Create(CultureInfo.InvariantCulture, $"{n:#,0} {many ?? one + "s"}");
    private static string Percent(double share) => share.ToString("P0", CultureInfo.InvariantCulture);

    private static string Size(long bytes) => bytes >= Gib ? string.Create(CultureInfo.InvariantCulture, $"{(double)bytes / Gib:0.0} GiB")
        : bytes >= Mib ? string.Create(CultureInfo.InvariantCulture, $"{(double)bytes / Mib:0.0} MiB") : $"{bytes / 1024} KiB";

    private static string Age(TimeSpan age) => age.TotalDays >= 2 ? $"{(int)age.TotalDays} days" : age.TotalHours >= 2 ? $"{(int)age.TotalHours} hours" : age.TotalMinutes >= 2 ? $"{(int)age.TotalMinutes} minutes" : $"{Math.Max(0, (int)age.TotalSeconds)} s";
}
