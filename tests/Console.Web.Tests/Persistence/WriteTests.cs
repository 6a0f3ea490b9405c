using Microsoft.EntityFrameworkCore;
using Plinth.Core.Identity;
using Plinth.Core.Inventory;
using Plinth.Core.Machines;
using Plinth.Core.Primitives;
using Plinth.Web.Persistence;
using Plinth.Web.Persistence.Rows;

namespace Plinth.Web.Tests.Persistence;

/// <summary>What a write promises: atomic, logged, versioned, published after the commit, alone in its failure.</summary>
public abstract class WriteTests : StoreSuite
{
    [Fact]
    public async Task Everything_of_the_first_day_exists_once_after_two_migrations()
    {
        await new DatabaseMigrator(Contexts, Store).Migrate(default);
        await using var db = Store.Read();
        Assert.Equal(("default", 1L), (await db.Projects.SingleAsync() is var p ? (p.Name, p.Version) : default));
        Assert.Equal("default", (await db.Organizations.SingleAsync()).Name);
        Assert.Equal(WellKnown.DefaultNetwork, (await db.Networks.SingleAsync()).Id);
        Assert.Equal(WellKnown.DefaultStorageClass, (await db.StorageClasses.SingleAsync()).Id);
    }

    [Fact]
    public async Task A_row_comes_back_as_it_was_written()
    {
        var written = Sample.Host(Time.GetUtcNow(), "kvm-1");
        var vm = Sample.Vm(Time.GetUtcNow(), "web-1");
        vm.Host = written.Id;
        await Store.Write(async s =>
        {
            s.Db.Add(written);
            await s.Db.SaveChangesAsync();
            return s.Db.Add(vm).Entity.Id;
        });
        await using var db = Store.Read();
        var host = await db.Hosts.SingleAsync();
        Assert.Equivalent(written, host, strict: true);
        Assert.Equivalent(vm, await db.Vms.SingleAsync(v => v.Host == host.Id && v.State == VmState.Running), strict: true);
    }

    [Fact]
    public async Task A_change_raises_the_version_is_logged_and_is_published_after_the_commit()
    {
        var host = Sample.Host(Time.GetUtcNow(), "kvm-1");
        await Store.Write(s => Task.FromResult(s.Db.Add(host).Entity.Id));
        await Store.Write(async s => (await s.Db.Hosts.SingleAsync()).State = HostState.Lost);
        await using var db = Store.Read();
        Assert.Equal(2, (await db.Hosts.SingleAsync()).Version);
        var log = await db.ChangeLog.Where(c => c.Kind == LogKinds.Host).OrderBy(c => c.Version).ToListAsync();
        Assert.Equal(2, log.Count);
        Assert.Contains("\"Lost\"", log[1].Document);
        Assert.Equal(log.Select(l => (l.Version, l.Id)), Feed.Changes.Select(c => (c.Version, c.Id)));
    }

    [Fact]
    public async Task A_heartbeat_alone_is_stored_and_neither_versioned_nor_logged()
    {
        await Store.Write(s => Task.FromResult(s.Db.Add(Sample.Host(Time.GetUtcNow(), "kvm-1")).Entity.Id));
        Feed.Clear();
        var later = Time.GetUtcNow().AddSeconds(10);
        await Store.Write(async s => (await s.Db.Hosts.SingleAsync()).ReportedAt = later);
        await using var db = Store.Read();
        var host = await db.Hosts.SingleAsync();
        Assert.Equal((1L, later), (host.Version, host.ReportedAt));
        Assert.Empty(Feed.Changes);
        Assert.Equal(1, await db.ChangeLog.CountAsync(c => c.Kind == LogKinds.Host));
    }

    [Fact]
    public async Task A_failing_write_leaves_nothing_and_its_neighbours_everything()
    {
        var gate = new TaskCompletionSource();
        // The first write holds the queue until all others wait behind it, so that they share one transaction.
        var first = Store.Write(async s => { await gate.Task; return 0; });
        var writes = Enumerable.Range(0, 20).Select(i => Store.Write(s =>
        {
            s.Db.Add(Sample.Host(Time.GetUtcNow(), $"kvm-{i}"));
            s.Audit(Principal.System, null, "host.join", $"host/kvm-{i}", null, AuditOutcomes.Done);
            return i % 5 == 0 ? throw new InvalidDataException($"write {i} fails") : Task.FromResult(i);
        })).ToArray();
        gate.SetResult();
        await first;
        var failures = 0;
        foreach (var write in writes)
            try
            {
                await write;
            }
            catch (InvalidDataException)
            {
                failures++;
            }
        Assert.Equal(4, failures);
        await using var db = Store.Read();
        Assert.Equal(16, await db.Hosts.CountAsync());
        Assert.Equal(16, await db.AuditEntries.CountAsync());
        Assert.Equal(16, await db.ChangeLog.CountAsync(c => c.Kind == LogKinds.Host));
        Assert.Equal(16, Feed.Changes.Count);
    }

    [Fact]
    public async Task A_constraint_violation_fails_its_own_write_only()
    {
        var gate = new TaskCompletionSource();
        var first = Store.Write(async s => { await gate.Task; return 0; });
        var one = Store.Write(s => Task.FromResult(s.Db.Add(Sample.Vm(Time.GetUtcNow(), "same")).Entity.Id));
        var two = Store.Write(s => Task.FromResult(s.Db.Add(Sample.Vm(Time.GetUtcNow(), "same")).Entity.Id));
        var three = Store.Write(s => Task.FromResult(s.Db.Add(Sample.Vm(Time.GetUtcNow(), "other")).Entity.Id));
        gate.SetResult();
        await Task.WhenAll(first, one, three);
        await Assert.ThrowsAsync<DbUpdateException>(() => two);
        await using var db = Store.Read();
        Assert.Equal(["other", "same"], await db.Vms.OrderBy(v => v.Name).Select(v => v.Name).ToListAsync());
    }

    [Fact]
    public async Task A_name_is_free_again_once_its_vm_is_deleted()
    {
        await Store.Write(s => Task.FromResult(s.Db.Add(Sample.Vm(Time.GetUtcNow(), "web-1")).Entity.Id));
        await Store.Write(async s => (await s.Db.Vms.SingleAsync()).DeletedAt = s.Now);
        await Store.Write(s => Task.FromResult(s.Db.Add(Sample.Vm(Time.GetUtcNow(), "web-1")).Entity.Id));
        await using var db = Store.Read();
        Assert.Equal(2, await db.Vms.CountAsync(v => v.Name == "web-1"));
    }

    [Fact]
    public async Task Discarded_changes_are_forgotten_and_the_audit_entry_of_the_refusal_stays()
    {
        await Store.Write(s =>
        {
            s.Db.Add(Sample.Host(Time.GetUtcNow(), "kvm-1"));
            s.Discard();
            s.Audit(Principal.Anonymous, "192.0.2.1", "host.join", "host/kvm-1", null, AuditOutcomes.Refused, "the token is used up");
            return Task.FromResult(0);
        });
        await using var db = Store.Read();
        Assert.Equal(0, await db.Hosts.CountAsync());
        Assert.Equal("192.0.2.1", (await db.AuditEntries.SingleAsync()).RemoteAddress);
        Assert.Empty(Feed.Changes);
    }

    [Fact]
    public async Task Rows_of_the_fleet_refuse_to_be_saved_past_the_store()
    {
        await using var db = Contexts.CreateDbContext();
        db.Add(Sample.Host(Time.GetUtcNow(), "kvm-1"));
        var e = await Assert.ThrowsAsync<InvalidOperationException>(() => db.SaveChangesAsync());
        Assert.Contains("change log", e.Message);
    }

    [Fact]
    public async Task A_write_inside_of_a_write_is_refused_instead_of_waiting_for_itself()
    {
        await Assert.ThrowsAsync<InvalidOperationException>(() => Store.Write(async s => await Store.Write(t => Task.FromResult(1))));
    }

    [Fact]
    public async Task What_a_commit_sets_off_may_write()
    {
        Task<int>? after = null;
        await Store.Write(s => { s.AfterCommit(() => after = Store.Write(t => Task.FromResult(7))); return Task.FromResult(0); });
        Assert.Equal(7, await after!);
    }

    [Fact]
    public async Task A_cancelled_write_does_not_happen()
    {
        var gate = new TaskCompletionSource();
        var first = Store.Write(async s => { await gate.Task; return 0; });
        using var stop = new CancellationTokenSource();
        var second = Store.Write(s => Task.FromResult(s.Db.Add(Sample.Host(Time.GetUtcNow(), "kvm-1")).Entity.Id), stop.Token);
        await stop.CancelAsync();
        gate.SetResult();
        await first;
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => second);
        await using var db = Store.Read();
        Assert.Equal(0, await db.Hosts.CountAsync());
    }

    [Fact]
    public async Task Text_is_ordered_by_bytes_on_every_engine()
    {
        string[] names = ["b", "a", "B", "_", "a-1", "a1", "é", "Z"];
        await Store.Write(s =>
        {
            s.Db.AddRange(names.Select(n => new FlavorRow { Id = FlavorId.New(s.Now), Name = n }));
            return Task.FromResult(0);
        });
        await using var db = Store.Read();
        Assert.Equal(names.Order(StringComparer.Ordinal), await db.Flavors.OrderBy(f => f.Name).Select(f => f.Name).ToListAsync());
        Assert.Equal(3, await db.Flavors.CountAsync(f => string.Compare(f.Name, "_") < 0 || f.Name == "_"));
    }
}

public sealed class SqliteWriteTests(SqliteDirectory files) : WriteTests, IClassFixture<SqliteDirectory>
{
    protected override Task<DatabaseSettings> NewDatabase() => Task.FromResult(files.NewDatabase());
}

[Collection(PostgresCollection.Name)]
public sealed class PostgresWriteTests(PostgresServer server) : WriteTests
{
    protected override async Task<DatabaseSettings> NewDatabase() => DatabaseSettings.Postgres(await server.NewDatabase());
}
