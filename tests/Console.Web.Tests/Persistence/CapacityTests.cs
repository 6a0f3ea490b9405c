using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Plinth.Core.Inventory;
using Plinth.Core.Machines;
using Plinth.Core.Placement;
using Plinth.Core.Primitives;
using Plinth.Core.State;
using Plinth.Web.Persistence;
using Plinth.Web.Persistence.Capacity;
using Plinth.Web.Persistence.Mapping;
using Plinth.Web.Persistence.Rows;

namespace Plinth.Web.Tests.Persistence;

/// <summary>The single writer of capacity: never too much, always explained, always replayable.</summary>
public abstract class CapacityTests : StoreSuite
{
    private static readonly PlacementPolicy Policy = new(1, 4.0, 512);

    private CapacityWriter Writer => new(Store, Fleet, Time);

    private FleetCache Fleet => _fleet ??= new FleetCache(Store);

    private FleetCache? _fleet;

    [Fact]
    public async Task Fifty_parallel_creates_on_a_fleet_for_twelve_place_twelve_and_never_overbook()
    {
        // 4 GiB VMs: three hosts hold 4, 4 and 4 of them beside the reserved memory.
        await AddHosts(("kvm-1", 17_000), ("kvm-2", 17_000), ("kvm-3", 17_000));
        var vms = await AddVms(50, new Resources(1, 4096, 1));
        var decisions = await Task.WhenAll(vms.Select(vm => Task.Run(() => Place(vm))));

        Assert.Equal(12, decisions.Count(d => d!.Host is not null));
        Assert.All(decisions.Where(d => d!.Host is null), d => Assert.Contains(d!.Reasons, r => r is { Filter: "memory", Class: RefusalClass.Full, Hosts: 3 }));
        await using var db = Store.Read();
        var hosts = await db.Hosts.ToListAsync();
        foreach (var host in hosts)
        {
            var taken = await db.Allocations.Where(a => a.Host == host.Id).SumAsync(a => a.MemoryMib);
            Assert.InRange(taken, 1, host.Facts!.Capacity.MemoryMib - Policy.MemoryReservedMib);
        }
        Assert.Equal(50, await db.Decisions.CountAsync());
        Assert.Equal(12, await db.Vms.CountAsync(v => v.State == VmState.Creating && v.Host != null));
        Assert.Equal(38, await db.Vms.CountAsync(v => v.State == VmState.Waiting && v.Host == null));
        Assert.Equal(await db.Allocations.CountAsync(), await db.ChangeLog.CountAsync(c => c.Kind == LogKinds.Allocation));
    }

    [Fact]
    public async Task Every_decision_is_made_again_bit_for_bit_from_the_change_log()
    {
        await AddHosts(("kvm-1", 9_000), ("kvm-2", 9_000));
        foreach (var vm in await AddVms(6, new Resources(1, 2048, 1))) await Place(vm);
        // What is refused for being stale must be refused again: heartbeats are not in the log.
        Time.Advance(TimeSpan.FromMinutes(1));
        await Store.Write(async s => (await s.Db.Hosts.SingleAsync(h => h.Name == "kvm-2")).ReportedAt = s.Now);
        foreach (var vm in await AddVms(3, new Resources(1, 2048, 1))) await Place(vm);
        await Store.Write(async s => (await s.Db.Hosts.SingleAsync(h => h.Name == "kvm-1")).State = HostState.Retired);

        await using var db = Store.Read();
        var stored = await db.Decisions.ToListAsync();
        Assert.Equal(9, stored.Count);
        foreach (var row in stored)
        {
            var again = await CapacityWriter.Replay(db, row, default);
            Assert.Equal(StoredJson.Write(row.Decision), StoredJson.Write(again.Value!.Abridged()));
        }
    }

    [Fact]
    public async Task The_snapshot_of_a_past_version_is_the_fleet_as_it_was()
    {
        await AddHosts(("kvm-1", 17_000), ("kvm-2", 17_000));
        var remembered = new List<ClusterSnapshot> { await Fleet.Newest(default) };
        var vms = await AddVms(6, new Resources(2, 1024, 3));
        foreach (var vm in vms)
        {
            await Place(vm);
            remembered.Add(await Fleet.Newest(default));
        }
        await Store.Write(s => AllocationLedger.Release(s, vms[2]));
        remembered.Add(await Fleet.Newest(default));
        await Store.Write(async s => (await s.Db.Hosts.SingleAsync(h => h.Name == "kvm-1")).State = HostState.Lost);
        remembered.Add(await Fleet.Newest(default));

        await using var db = Store.Read();
        foreach (var then in remembered)
        {
            var rebuilt = await FleetSnapshots.At(db, then.Version, default);
            Assert.Equal(Text(then), Text(rebuilt.Value!));
        }
        Assert.Equal("version_unknown", (await FleetSnapshots.At(db, remembered[^1].Version + 1, default)).Refusals[0].Code);
    }

    [Fact]
    public async Task The_fleet_in_memory_is_the_stored_one_whatever_happens()
    {
        await AddHosts(("kvm-1", 17_000), ("kvm-2", 17_000), ("kvm-3", 17_000));
        var vms = await AddVms(30, new Resources(1, 1024, 1));
        var (random, placed, next) = (new Random(7), new List<VmId>(), 0);
        for (var step = 0; step < 120; step++)
        {
            switch (random.Next(6))
            {
                case 0 or 1 when next < vms.Count:
                    if ((await Place(vms[next]))?.Host is not null) placed.Add(vms[next]);
                    next++;
                    break;
                case 2 when placed.Count > 0:
                    await Store.Write(s => AllocationLedger.Release(s, placed[0]));
                    placed.RemoveAt(0);
                    break;
                case 3:
                    var (name, state) = ($"kvm-{random.Next(1, 4)}", (HostState[])[HostState.Ready, HostState.Lost, HostState.Retired, HostState.Ready]);
                    await Store.Write(async s => (await s.Db.Hosts.SingleAsync(h => h.Name == name)).State = state[random.Next(4)]);
                    break;
                case 4:
                    Time.Advance(TimeSpan.FromSeconds(1));
                    await Store.Write(async s => (await s.Db.Hosts.SingleAsync(h => h.Name == "kvm-2")).ReportedAt = s.Now);
                    break;
                case 5 when step == 60:
                    await AddHosts(("kvm-4", 9_000));
                    break;
            }
            await using var db = Store.Read();
            Assert.Equal(Text(await FleetSnapshots.Load(db, default)), Text(await Fleet.Newest(default)));
        }
        Assert.True(next > 10 && placed.Count < next, "the steps are too tame");
    }

    [Fact]
    public async Task Pruning_keeps_every_moment_from_the_horizon_on_and_refuses_older_ones()
    {
        await AddHosts(("kvm-1", 17_000));
        var vms = await AddVms(4, new Resources(1, 1024, 1));
        foreach (var vm in vms) await Place(vm);
        await Store.Write(s => AllocationLedger.Release(s, vms[0]));
        var atHorizon = await Fleet.Newest(default);
        Time.Advance(TimeSpan.FromDays(40));
        await Store.Write(s => AllocationLedger.Release(s, vms[1]));
        var newest = await Fleet.Newest(default);

        Assert.NotEqual(0, await ChangeLogRetention.Prune(Store, Time.GetUtcNow().AddDays(-35), default));
        await using var db = Store.Read();
        Assert.Equal(Text(atHorizon), Text((await FleetSnapshots.At(db, atHorizon.Version, default)).Value!));
        Assert.Equal(Text(newest), Text((await FleetSnapshots.At(db, newest.Version, default)).Value!));
        Assert.Equal("version_pruned", (await FleetSnapshots.At(db, atHorizon.Version - 1, default)).Refusals[0].Code);
        Assert.Equal(0, await db.ChangeLog.CountAsync(c => c.Id == vms[0].Value && c.Kind == LogKinds.Allocation));
    }

    [Fact]
    public async Task A_vm_that_is_gone_by_the_commit_takes_no_place_and_leaves_no_decision()
    {
        await AddHosts(("kvm-1", 17_000));
        var vm = (await AddVms(1, new Resources(1, 1024, 1)))[0];
        Assert.Null(await Writer.Place(Request(vm, new Resources(1, 1024, 1)), Policy, (s, d) => Task.FromResult(false), default));
        await using var db = Store.Read();
        Assert.Equal((0, 0), (await db.Allocations.CountAsync(), await db.Decisions.CountAsync()));
    }

    private static PlacementRequest Request(VmId vm, Resources size) => new(vm, WellKnown.DefaultProject, size, "x86_64", null);

    private async Task<PlacementDecision?> Place(VmId vm)
    {
        Resources size;
        await using (var db = Store.Read()) size = (await db.Vms.SingleAsync(v => v.Id == vm)).Spec.Size;
        return await Writer.Place(Request(vm, size), Policy, async (scope, decision) =>
        {
            var row = await scope.Db.Vms.SingleAsync(v => v.Id == vm);
            (row.State, row.Host) = (decision.Host is null ? VmState.Waiting : VmState.Creating, decision.Host);
            return true;
        }, default);
    }

    private Task AddHosts(params (string Name, int MemoryMib)[] hosts) => Store.Write(s =>
    {
        s.Db.AddRange(hosts.Select(h => Sample.Host(Time.GetUtcNow(), h.Name, memoryMib: h.MemoryMib)));
        return Task.FromResult(0);
    });

    private int _named;

    private async Task<IReadOnlyList<VmId>> AddVms(int count, Resources size)
    {
        var rows = Enumerable.Range(0, count).Select(_ => Sample.Vm(Time.GetUtcNow(), $"vm-{_named++}", size)).ToArray();
        foreach (var row in rows) row.State = VmState.Requested;
        await Store.Write(s =>
        {
            s.Db.AddRange(rows.AsEnumerable());
            return Task.FromResult(0);
        });
        return [.. rows.Select(r => r.Id)];
    }

    private static string Text(ClusterSnapshot snapshot) => JsonSerializer.Serialize(snapshot, StoredJson.Options);
}

public sealed class SqliteCapacityTests(SqliteDirectory files) : CapacityTests, IClassFixture<SqliteDirectory>
{
    protected override Task<DatabaseSettings> NewDatabase() => Task.FromResult(files.NewDatabase());
}

[Collection(PostgresCollection.Name)]
public sealed class PostgresCapacityTests(PostgresServer server) : CapacityTests
{
    protected override async Task<DatabaseSettings> NewDatabase() => DatabaseSettings.Postgres(await server.NewDatabase());
}
