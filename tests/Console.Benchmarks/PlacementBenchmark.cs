using System.Diagnostics;
using Plinth.Core.Inventory;
using Plinth.Core.Placement;
using Plinth.Core.Primitives;
using Plinth.Core.State;

namespace Plinth.Benchmarks;

/// <summary>CPU time of one decision with its full record: every candidate's scores and every refusal's reasons.</summary>
public static class PlacementBenchmark
{
    public static Task Run()
    {
        Figures.Head("Placement: one decision, full record (CPU of one core)");
        foreach (var hosts in new[] { 10, 1_000, 10_000 })
        {
            var random = new Random(1);
            var now = DateTimeOffset.UnixEpoch.AddYears(56);
            var snapshot = new ClusterSnapshot(1, [.. Enumerable.Range(0, hosts).Select(i => new HostSnapshot(
                HostId.New(now.AddMilliseconds(i)), $"host-{i}", HostState.Ready, now, Acceleration.Kvm, "x86_64",
                new Resources(64, 262_144, 4_000), new Resources(random.Next(250), random.Next(262_144), random.Next(4_000))))]);
            var request = new PlacementRequest(VmId.New(now), new ProjectId(Guid.Empty), new Resources(4, 16_384, 100), "x86_64", null);
            var rounds = Math.Max(5, 200_000 / hosts);
            for (var i = 0; i < rounds / 5; i++) PlacementEngine.Decide(request, snapshot, PlacementPolicy.Default, now, i);
            var before = Process.GetCurrentProcess().TotalProcessorTime;
            for (var i = 0; i < rounds; i++) PlacementEngine.Decide(request, snapshot, PlacementPolicy.Default, now, i);
            var spent = Process.GetCurrentProcess().TotalProcessorTime - before;
            Figures.Row($"{hosts} hosts", spent.TotalMilliseconds / rounds, "ms");
        }
        return Task.CompletedTask;
    }
}
