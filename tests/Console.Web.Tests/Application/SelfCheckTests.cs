using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Plinth.Web.Application;
using Plinth.Web.Application.Backup;
using Plinth.Web.Application.Upkeep;
using Plinth.Web.Persistence;
using Plinth.Web.Persistence.Auditing;
using Plinth.Web.Persistence.Rows;
using Plinth.Core.Primitives;

namespace Plinth.Web.Tests.Application;

public sealed class SelfCheckRuleTests
{
    private const long Mib = 1024 * 1024, Gib = 1024 * Mib;
    private static readonly DateTimeOffset Now = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    private static SelfFacts Well { get; } = new(
        Now, Now.AddDays(-30), 40 * Mib, 4 * Mib, 90 * Mib, 50 * Gib, 100 * Gib, [], 3, Now.AddSeconds(-70), 0, 512, Now.AddMinutes(-10), null, 2, Now.AddDays(-1), [], [Server("kvm-a", leads: true), Server("kvm-b")]);

    private static ServerView Server(string name, bool leads = false, int silentSeconds = 0, ServerImagesView? images = null) => new(
        ServerId.New(Now), name, $"https://{name}", $"https://{name}:8443", "1", false, leads, leads ? Now.AddHours(-1) : null, Now.AddDays(-1), Now.AddSeconds(-silentSeconds), silentSeconds > 30, images);

    [Fact]
    public void What_is_well_asks_for_nothing() => Assert.All(SelfCheckRules.Judge(Well), c => Assert.Equal((SelfCheckState.Ok, ""), (c.State, c.Remedy)));

    public static TheoryData<string, string, string> Cases => new()
    {
        { "disk", "Warning", "1.5 GiB of 20.0 GiB are free" },
        { "disk-full", "Error", "100.0 MiB of 100.0 GiB are free" },
        { "wal", "Warning", "the write-ahead log 300.0 MiB" },
        { "worker", "Error", "workers: Retention: disk I/O error" },
        { "lag", "Warning", "condensed up to 9 minutes ago" },
        { "dropped", "Warning", "17 samples were dropped" },
        { "certificate", "Warning", "1 of 3 hosts has a certificate that has ended or ends within 4 h: n1" },
        { "ledger", "Error", "one of them was changed" },
        { "unsigned", "Warning", "5000 entries wait to be signed" },
        { "server", "Warning", "There are 2 servers; kvm-a leads. kvm-b has not been heard for" },
        { "leader", "Error", "None of 2 servers leads." },
        { "images", "Warning", "There are 2 servers; kvm-a leads. kvm-b lacks 2 of 3 images. debian is being taken from kvm-a: 40 of 400 MB." },
        { "old-backup", "Warning", "The last backup was made 9 days ago" },
        { "no-backup", "Warning", "No backup has been made since the console was set up 30 days ago" },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void Each_fault_is_told_with_its_numbers_and_what_to_do(string fault, string state, string words)
    {
        var facts = fault switch
        {
            "disk" => Well with { DiskFreeBytes = 3 * Gib / 2, DiskTotalBytes = 20 * Gib },
            "disk-full" => Well with { DiskFreeBytes = 100 * Mib },
            "wal" => Well with { WalBytes = 300 * Mib },
            "worker" => Well with { NotReady = ["workers: Retention: disk I/O error"] },
            "lag" => Well with { MetricsUntil = Now.AddMinutes(-9) },
            "dropped" => Well with { MetricsDropped = 17 },
            "certificate" => Well with { EndingCertificates = ["n1"] },
            "ledger" => Well with { LedgerFault = "The audit ledger is not what was signed: one of them was changed." },
            "unsigned" => Well with { LedgerUnsigned = 5000 },
            "server" => Well with { Servers = [Server("kvm-a", leads: true), Server("kvm-b", silentSeconds: 300)] },
            "leader" => Well with { Servers = [Server("kvm-a"), Server("kvm-b")] },
            "images" => Well with { Servers = [Server("kvm-a", leads: true, images: new(3, 0, null)), Server("kvm-b", images: new(1, 2, "debian is being taken from kvm-a: 40 of 400 MB."))] },
            "old-backup" => Well with { BackupAt = Now.AddDays(-9) },
            _ => Well with { BackupAt = null },
        };
        var wrong = Assert.Single(SelfCheckRules.Judge(facts), c => c.State != SelfCheckState.Ok);
        Assert.Equal(state, wrong.State.ToString());
        Assert.Contains(words, wrong.Sentence, StringComparison.Ordinal);
        Assert.NotEmpty(wrong.Remedy);
    }

    [Fact]
    public void A_new_console_has_a_day_for_its_first_backup() =>
        Assert.All(SelfCheckRules.Judge(Well with { BackupAt = null, SetUpAt = Now.AddHours(-20) }), c => Assert.Equal(SelfCheckState.Ok, c.State));
}

public sealed class SelfCheckTests : Stage
{
    private SelfChecks Checks => The<SelfChecks>();
    private SelfCheckView Check(string name) => Checks.Current.Single(c => c.Name == name);

    [Fact]
    public async Task What_turns_bad_stands_on_the_overview_until_it_is_mended()
    {
        await Checks.Run(Stop);
        Assert.Equal(SelfCheckState.Ok, Check("backup").State);
        Time.Advance(TimeSpan.FromDays(2));
        await Checks.Run(Stop);
        var turned = Time.GetUtcNow();
        Time.Advance(TimeSpan.FromHours(1));
        await Checks.Run(Stop);
        Assert.Equal((SelfCheckState.Warning, turned), (Check("backup").State, Check("backup").Since));
        Assert.Contains((await The<IOverview>().Get(Ana, Stop)).Value!.Problems, p => p is { Title: "This console: backup", Href: "/upkeep" } && p.Since == turned);

        await Store.Write(scope => { scope.Db.Add(new SettingRow { Key = Backups.LastBackupSetting, Value = Time.GetUtcNow().ToString("O") }); return Task.FromResult(Done.Value); }, Stop);
        await Checks.Run(Stop);
        Assert.DoesNotContain((await The<IOverview>().Get(Ana, Stop)).Value!.Problems, p => p.Title == "This console: backup");
    }

    [Fact]
    public async Task A_ledger_that_was_changed_by_hand_is_found()
    {
        Assert.True((await Catalogue.CreateFlavor(Ana, new CreateFlavor("own", null, 1, 256, 1), null, Stop)).Succeeded);
        await The<AuditSequencer>().Advance(Stop);
        await Checks.Run(Stop);
        Assert.Equal(SelfCheckState.Ok, Check("audit").State);

        await using (var db = Store.Read())
        {
            var guards = await db.Database.SqlQuery<string>($"SELECT name AS Value FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'AuditEntries'").ToListAsync();
            Assert.NotEmpty(guards);
#pragma warning disable EF1002 // names of triggers cannot be parameters
            foreach (var guard in guards) await db.Database.ExecuteSqlRawAsync($"DROP TRIGGER \"{guard}\"");
#pragma warning restore EF1002
            Assert.Equal(1, await db.Database.ExecuteSqlRawAsync("UPDATE AuditEntries SET Actor = 'nobody' WHERE Action = 'flavor.create'"));
        }
        Time.Advance(TimeSpan.FromHours(2));
        await Checks.Run(Stop);
        Assert.Equal(SelfCheckState.Error, Check("audit").State);
        Assert.Contains("not what was signed", Check("audit").Sentence);
        Assert.Contains((await The<IOverview>().Get(Ana, Stop)).Value!.Problems, p => p is { Severity: "error", Title: "This console: audit ledger" });
    }
}
