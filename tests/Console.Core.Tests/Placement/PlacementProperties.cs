using System.Collections.Immutable;
using System.Text.Json;
using CsCheck;
using Plinth.Core.Inventory;
using Plinth.Core.Placement;
using Plinth.Core.Primitives;
using Plinth.Core.State;
using Plinth.Core.Storage;

namespace Plinth.Core.Tests.Placement;

/// <summary>What placement promises for whatever fleet and whatever requests.</summary>
public class PlacementProperties
{
    private static readonly DateTimeOffset Now = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly ProjectId Project = new(new Guid("01900000-0000-7000-8000-000000000002"));

    private static Gen<T> OneOf<T>(params T[] values) => Gen.Int[0, values.Length - 1].Select(i => values[i]);

    // Numbers close together meet the edges (exactly full, one too many) far more often than real ones do.
    private static readonly Gen<Resources> Sizes = Gen.Select(Gen.Int[1, 8], Gen.Int[1, 24], Gen.Int[1, 12]).Select((c, m, d) => new Resources(c, m, d));

    private static readonly Gen<Resources> Capacities = Gen.Select(Gen.Int[1, 16], Gen.Int[1, 60], Gen.Int[1, 40]).Select((c, m, d) => new Resources(c, m, d));

    private static readonly Gen<HostSnapshot> Hosts = Gen.Select(
        Gen.Guid, OneOf(HostState.Ready, HostState.Ready, HostState.Ready, HostState.Lost, HostState.Enrolling, HostState.Quarantined),
        Gen.Int[-5, 60].Select(age => age < 0 ? (DateTimeOffset?)null : Now.AddSeconds(-age)),
        Gen.Enum<Acceleration>(), OneOf("x86_64", "x86_64", "aarch64"), Gen.Select(Capacities, OneOf(null, new FirmwareSupport(Uefi: true), new FirmwareSupport(true, true, true))))
        .Select((id, state, at, acceleration, architecture, of) =>
            new HostSnapshot(new HostId(id), "host-" + id.ToString()[..4], state, at, acceleration, architecture, of.Item1, Resources.Zero, Firmware: of.Item2));

    private static readonly Gen<ClusterSnapshot> Fleets = Hosts.Array[0, 12].Select(hosts => new ClusterSnapshot(7, [.. hosts.DistinctBy(h => h.Id)]));

    private static readonly Gen<PlacementRequest[]> Requests = Gen.Select(Gen.Guid, Sizes, OneOf("x86_64", "x86_64", "x86_64", "aarch64"), OneOf(null, null, new GuestFirmware(FirmwareKind.Uefi), new GuestFirmware(FirmwareKind.Uefi, true, true), new GuestFirmware(Tpm: true)))
        .Select((id, size, architecture, firmware) => new PlacementRequest(new VmId(id), Project, size, architecture, null, Firmware: firmware)).Array[1, 40];

    private static readonly Gen<PlacementPolicy> Policies = Gen.Select(Gen.Double[0.5, 8], Gen.Int[0, 6]).Select((ratio, reserved) => new PlacementPolicy(3, ratio, reserved));

    [Fact]
    public void A_fleet_is_never_filled_beyond_its_capacity_and_no_rule_is_broken() => Gen.Select(Fleets, Requests, Policies, Gen.Int).Sample((fleet, requests, policy, seed) =>
    {
        var placed = new List<(PlacementRequest Request, HostId Host)>();
        var now = fleet;
        foreach (var request in requests)
        {
            var decision = PlacementEngine.Decide(request, now, policy, Now, seed);
            if (decision.Host is not { } host) continue;
            placed.Add((request, host));
            now = now.With(new Allocation(request.Vm, request.Project, host, request.Size));
        }
        Assert.Empty(PlacementChecker.Violations(fleet, placed, policy, Now));
    });

    [Fact]
    public void The_same_question_gets_the_same_record_bit_for_bit_in_whatever_order_the_hosts_stand() => Gen.Select(Fleets, Requests, Policies, Gen.Int).Sample((fleet, requests, policy, seed) =>
    {
        var record = PlacementEngine.Decide(requests[0], fleet, policy, Now, seed);
        Assert.Equal(JsonSerializer.Serialize(record), JsonSerializer.Serialize(PlacementEngine.Decide(requests[0], fleet, policy, Now, seed)));
        var turned = fleet with { Hosts = [.. fleet.Hosts.Reverse()] };
        Assert.Equal(record.Host, PlacementEngine.Decide(requests[0], turned, policy, Now, seed).Host);
    });

    [Fact]
    public void Every_host_is_a_candidate_or_carries_every_reason_with_numbers() => Gen.Select(Fleets, Requests, Policies).Sample((fleet, requests, policy) =>
    {
        var record = PlacementEngine.Decide(requests[0], fleet, policy, Now, 1);
        Assert.Equal(fleet.Hosts.Select(h => h.Id).ToHashSet(), record.Candidates.Select(c => c.Host).Concat(record.Refused.Select(r => r.Host)).ToHashSet());
        Assert.Equal(fleet.Hosts.Length, record.Candidates.Count + record.Refused.Count);
        foreach (var refused in record.Refused)
        {
            Assert.NotEmpty(refused.Refusals);
            Assert.All(refused.Refusals, r => Assert.NotEmpty(r.Message));
            // Lack of room is told with numbers that show the lack.
            Assert.All(refused.Refusals.Where(r => r.Class == RefusalClass.Full), r => Assert.True(r.Needs > r.Has, $"needs {r.Needs}, has {r.Has}"));
            var host = fleet.Hosts.Single(h => h.Id == refused.Host);
            Assert.Equal(refused.Refusals, PlacementEngine.Recheck(requests[0], host, policy, Now));
        }
        Assert.Equal(record.Refused.Sum(r => r.Refusals.Count), record.Reasons.Sum(r => r.Hosts));
        Assert.Equal(record.Candidates.Count > 0, record.Host is not null);
        Assert.NotEmpty(record.Sentence);
    });

    [Fact]
    public void The_chosen_host_has_the_best_score_and_every_scorer_has_spoken() => Gen.Select(Fleets, Requests, Policies, Gen.Int).Sample((fleet, requests, policy, seed) =>
    {
        var record = PlacementEngine.Decide(requests[0], fleet, policy, Now, seed);
        Assert.All(record.Candidates, c =>
        {
            Assert.Equal(PlacementEngine.Scorers.Select(s => s.Name), c.Terms.Select(t => t.Scorer));
            Assert.All(c.Terms, t => Assert.InRange(t.Value, 0, 1));
            Assert.True(c.Score <= record.Candidates[0].Score);
        });
        if (record.Host is { } host) Assert.Equal(record.Candidates[0].Host, host);
    });

    [Fact]
    public void Equal_hosts_share_the_load()
    {
        var fleet = new ClusterSnapshot(1, [.. Enumerable.Range(1, 4).Select(i => Host(i))]);
        var chosen = Enumerable.Range(0, 400).Select(seed => PlacementEngine.Decide(Request(new Resources(1, 512, 1)), fleet, PlacementPolicy.Default, Now, seed).Host!.Value).CountBy(h => h).ToArray();
        Assert.Equal(4, chosen.Length);
        Assert.All(chosen, c => Assert.InRange(c.Value, 50, 150));
    }

    [Fact]
    public void A_pinned_request_goes_to_its_host_or_nowhere()
    {
        var fleet = new ClusterSnapshot(1, [Host(1), Host(2)]);
        Assert.Equal(fleet.Hosts[1].Id, PlacementEngine.Decide(Request(new Resources(1, 512, 1)) with { OnlyHost = fleet.Hosts[1].Id }, fleet, PlacementPolicy.Default, Now, 1).Host);
        var full = PlacementEngine.Decide(Request(new Resources(1, 512, 9_999)) with { OnlyHost = fleet.Hosts[1].Id }, fleet, PlacementPolicy.Default, Now, 1);
        Assert.Null(full.Host);
        Assert.Equal([RefusalClass.Full], full.Refused.Single(r => r.Host == fleet.Hosts[1].Id).Refusals.Select(r => r.Class));
    }

    [Theory]
    [InlineData("needs 8 GiB of memory, has 3.5 GiB free (512 MiB are kept for the host)", 1, 8192, 1)]
    [InlineData("needs 9 vCPUs, the host has 8 CPUs and one VM gets no more than that", 9, 512, 1)]
    [InlineData("needs 101 GiB of disk, has 100 GiB free", 1, 512, 101)]
    public void A_refusal_says_what_is_needed_and_what_there_is(string message, int vcpus, int memoryMib, int diskGib) =>
        Assert.Equal(message, PlacementEngine.Decide(Request(new Resources(vcpus, memoryMib, diskGib)), new ClusterSnapshot(1, [Host(1)]), PlacementPolicy.Default, Now, 1).Refused.Single().Refusals.Single().Message);

    [Theory]
    [InlineData(3585, 100, "needs 3,585 MiB of memory, has 3,584 MiB free (512 MiB are kept for the host)")]
    [InlineData(2_000_000, 100, "needs 1.9 TiB of memory, has 3.5 GiB free (512 MiB are kept for the host)")]
    [InlineData(512, 5_000, "needs 4.9 TiB of disk, has 100 GiB free")]
    public void Sizes_are_told_as_people_read_them_and_exactly_where_they_would_read_the_same(int memoryMib, int diskGib, string message) =>
        Assert.Equal(message, PlacementEngine.Decide(Request(new Resources(1, memoryMib, diskGib)), new ClusterSnapshot(1, [Host(1)]), PlacementPolicy.Default, Now, 1).Refused.Single().Refusals.Single().Message);

    [Fact]
    public void Only_a_host_whose_pool_fits_the_class_is_taken_and_the_others_say_what_they_lack()
    {
        var gold = new StorageDemand("gold", new StorageNeeds(StorageMedium.SolidState));
        var fleet = new ClusterSnapshot(1, [Host(1) with { Pool = HostPool.Of(PoolKind.Directory, StorageMedium.Rotating) }, Host(2) with { Pool = HostPool.Of(PoolKind.Directory, StorageMedium.SolidState) }, Host(3)]);
        var record = PlacementEngine.Decide(Request(new Resources(1, 512, 1)) with { Storage = gold }, fleet, PlacementPolicy.Default, Now, 1);
        Assert.Equal(fleet.Hosts[1].Id, record.Host);
        Assert.Equal(
            ["pool default is a directory: on rotating disks; class gold needs solid state", "the host has not said what its pool can do; class gold needs solid state"],
            record.Refused.Select(r => Assert.Single(r.Refusals).Message).Order(StringComparer.Ordinal));
        Assert.All(record.Reasons, r => Assert.Equal(("storage class", RefusalClass.Forbidden), (r.Filter, r.Class)));
        var shared = PlacementEngine.Decide(Request(new Resources(1, 512, 1)) with { Storage = new StorageDemand("shared", new StorageNeeds(Shared: true)) }, fleet, PlacementPolicy.Default, Now, 1);
        Assert.Null(shared.Host);
        Assert.Contains("pool default is a directory: not shared between hosts; class shared needs disks shared between hosts", shared.Sentence);
        var volume = VolumePlacement.Choose(fleet, 1, gold, null, Now);
        Assert.Equal(fleet.Hosts[1].Id, volume.Value!.Id);
        Assert.Contains("kvm-1: pool default is a directory: on rotating disks", VolumePlacement.Choose(fleet, 1, gold, fleet.Hosts[0].Id, Now).Reason);
    }

    [Fact]
    public void An_empty_fleet_is_told_as_such() => Assert.Contains("no host yet", PlacementEngine.Decide(Request(new Resources(1, 512, 1)), ClusterSnapshot.Empty, PlacementPolicy.Default, Now, 1).Sentence);

    [Fact]
    public void A_snapshot_with_and_without_an_allocation_is_the_same_again() => Gen.Select(Hosts, Sizes).Sample((host, size) =>
    {
        var fleet = new ClusterSnapshot(1, [host]);
        var allocation = new Allocation(new VmId(Guid.Empty), Project, host.Id, size);
        Assert.Equal(host.Capacity - size, fleet.With(allocation).Hosts[0].Free);
        Assert.Equal(fleet.Hosts[0], fleet.With(allocation).Without(allocation).Hosts[0]);
        Assert.Throws<InvalidOperationException>(() => ClusterSnapshot.Empty.With(allocation));
    });

    private static HostSnapshot Host(int n) => new(new HostId(new Guid(n, 0, 0, new byte[8])), $"kvm-{n}", HostState.Ready, Now, Acceleration.Kvm, "x86_64", new Resources(8, 4096, 100), Resources.Zero);

    private static PlacementRequest Request(Resources size) => new(new VmId(Guid.Empty), Project, size, "x86_64", null);
}

/// <summary>A second judge, written apart from the engine: adds up what stands on each host and compares.</summary>
internal static class PlacementChecker
{
    public static IReadOnlyList<string> Violations(ClusterSnapshot before, IReadOnlyList<(PlacementRequest Request, HostId Host)> placed, PlacementPolicy policy, DateTimeOffset now)
    {
        var found = new List<string>();
        foreach (var host in before.Hosts)
        {
            long vcpus = 0, memory = 0, disk = 0;
            foreach (var (request, _) in placed.Where(p => p.Host == host.Id))
            {
                (vcpus, memory, disk) = (vcpus + request.Size.Vcpus, memory + request.Size.MemoryMib, disk + request.Size.DiskGib);
                if (request.Architecture != host.Architecture) found.Add($"{host.Name}: {request.Architecture} on {host.Architecture}");
                if (request.Firmware is { } f && ((f.Kind == FirmwareKind.Uefi && host.Firmware?.Uefi != true) || (f.SecureBoot && host.Firmware?.SecureBoot != true) || (f.Tpm && host.Firmware?.Tpm != true)))
                    found.Add($"{host.Name} cannot boot {f}");
                if (request.Size.Vcpus > host.Capacity.Vcpus) found.Add($"{host.Name}: one VM with more vCPUs than the host");
            }
            if (vcpus + memory + disk == 0) continue;
            if (host.State != HostState.Ready) found.Add($"{host.Name} is {host.State}");
            if (host.ReportedAt is not { } at || (now - at).TotalSeconds > 30) found.Add($"{host.Name} is stale");
            if (vcpus > host.Capacity.Vcpus * policy.CpuOvercommit) found.Add($"{host.Name}: {vcpus} vCPUs of {host.Capacity.Vcpus} × {policy.CpuOvercommit}");
            if (memory > host.Capacity.MemoryMib - policy.MemoryReservedMib) found.Add($"{host.Name}: {memory} MiB of {host.Capacity.MemoryMib} − {policy.MemoryReservedMib}");
            if (disk > host.Capacity.DiskGib) found.Add($"{host.Name}: {disk} GiB of {host.Capacity.DiskGib}");
        }
        foreach (var (_, id) in placed)
            if (before.Hosts.All(h => h.Id != id)) found.Add($"{id} is no host");
        return found;
    }
}
