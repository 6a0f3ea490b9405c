using Microsoft.EntityFrameworkCore;
using Plinth.Core.Identity;
using Plinth.Web.Persistence;
using Plinth.Web.Persistence.Rows;

namespace Plinth.Web.Tests.Persistence;

/// <summary>Two consoles on one database: nothing is lost, and ledgers grow in commit order for both.</summary>
public abstract class TwoConsolesTests : StoreSuite
{
    [Fact]
    public async Task Writers_of_two_consoles_wait_for_each_other_and_lose_nothing()
    {
        await using var other = NewStore();
        await Task.WhenAll(Enumerable.Range(0, 120).Select(i => Task.Run(() => (i % 2 == 0 ? Store : other).Write(s =>
        {
            s.Audit(Principal.System, null, "host.join", $"host/kvm-{i}", null, AuditOutcomes.Done);
            return Task.FromResult(s.Db.Add(Sample.Host(s.Now, $"kvm-{i}")).Entity.Id);
        }))));
        await using var db = Store.Read();
        Assert.Equal((120, 120), (await db.Hosts.CountAsync(), await db.AuditEntries.CountAsync()));
    }

    [Fact]
    public async Task Whoever_reads_up_to_a_version_has_seen_everything_below_it()
    {
        await using var other = NewStore();
        using var done = new CancellationTokenSource();
        var reader = Task.Run(async () =>
        {
            var seen = new HashSet<long>();
            long newest = 0;
            while (!done.IsCancellationRequested)
            {
                await using var db = Store.Read();
                var versions = await db.ChangeLog.OrderBy(c => c.Version).Select(c => c.Version).ToListAsync();
                // A version that appears below one already seen would be missed by everybody who follows the log.
                Assert.DoesNotContain(versions, v => v <= newest && !seen.Contains(v));
                seen.UnionWith(versions);
                newest = versions.Count == 0 ? 0 : versions[^1];
            }
        });
        await Task.WhenAll(Enumerable.Range(0, 150).Select(i => Task.Run(() => (i % 2 == 0 ? Store : other).Write(s => Task.FromResult(s.Db.Add(Sample.Host(s.Now, $"kvm-{i}")).Entity.Id)))));
        await done.CancelAsync();
        await reader;
    }

    [Fact]
    public async Task A_version_seen_by_one_and_changed_by_the_other_is_not_overwritten()
    {
        await using var other = NewStore();
        await Store.Write(s => Task.FromResult(s.Db.Add(Sample.Host(s.Now, "kvm-1")).Entity.Id));
        await using var stale = Contexts.CreateDbContext();
        var seen = await stale.Hosts.AsNoTracking().SingleAsync();
        await other.Write(async s => (await s.Db.Hosts.SingleAsync()).StateReason = "by the other");
        await Assert.ThrowsAsync<DbUpdateConcurrencyException>(() => Store.Write(s =>
        {
            s.Db.Attach(seen);
            seen.StateReason = "by the one";
            return Task.FromResult(0);
        }));
        await using var db = Store.Read();
        Assert.Equal("by the other", (await db.Hosts.SingleAsync()).StateReason);
    }
}

public sealed class SqliteTwoConsolesTests(SqliteDirectory files) : TwoConsolesTests, IClassFixture<SqliteDirectory>
{
    protected override Task<DatabaseSettings> NewDatabase() => Task.FromResult(files.NewDatabase());
}

[Collection(PostgresCollection.Name)]
public sealed class PostgresTwoConsolesTests(PostgresServer server) : TwoConsolesTests
{
    protected override async Task<DatabaseSettings> NewDatabase() => DatabaseSettings.Postgres(await server.NewDatabase());
}
