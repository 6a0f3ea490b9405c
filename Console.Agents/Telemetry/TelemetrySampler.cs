using Plinth.Agents.Machines;
using Plinth.Core.Inventory;
using Plinth.Core.Primitives;
using Plinth.Core.Protocol;

namespace Plinth.Agents.Telemetry;

/// <summary>Reads host and VM counters as often as the host reports, and hands on what happened in between.</summary>
internal sealed class TelemetrySampler(IHypervisor hypervisor, Action<HostSample, IReadOnlyList<VmSample>> offer, TimeProvider time, TimeSpan every, AgentLog log)
{
    private Dictionary<VmId, DomainCounters> _before = [];
    private long _readAt;

    public async Task Run(CancellationToken stop)
    {
        // Hosts that were started together need not report together.
        var pause = every * Random.Shared.NextDouble();
        string? trouble = null;
        try
        {
            while (true)
            {
                await Task.Delay(pause, time, stop);
                pause = every;
                try
                {
                    await Read(stop);
                    trouble = null;
                }
                catch (HypervisorException e)
                {
                    if (trouble != e.Message) log.Warn($"no telemetry: {trouble = e.Message}");
                }
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
        }
    }

    internal async Task Read(CancellationToken stop)
    {
        var host = await hypervisor.Sample(stop);
        var counters = await hypervisor.Counters(stop);
        var elapsed = time.GetElapsedTime(_readAt);
        _readAt = time.GetTimestamp();
        var machines = counters
            .Select(after => _before.TryGetValue(after.Vm, out var before) ? Rates.Between(before, after, elapsed) : null)
            .OfType<VmSample>().ToList();
        _before = counters.ToDictionary(c => c.Vm);
        offer(host, machines);
    }
}
