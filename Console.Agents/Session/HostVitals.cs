using Plinth.Agents.Machines;
using Plinth.Core.Inventory;
using Plinth.Core.Primitives;

namespace Plinth.Agents.Session;

/// <summary>Facts and free resources of the host, read at a slow pace beside everything else: reports never wait for them.</summary>
internal sealed class HostVitals(IHypervisor hypervisor, TimeProvider time, AgentLog log)
{
    private static readonly TimeSpan ReadFreeEvery = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(2);

    /// <summary>Packages get updated under a running agent.</summary>
    private const int FactsEveryRounds = 30;

    /// <summary>Null until the self-test is through.</summary>
    public HostFacts? Facts { get; private set; }

    public Resources Free { get; private set; }

    public event Action? Changed;

    public async Task Run(CancellationToken stop)
    {
        string? trouble = null;
        for (var round = 0; !stop.IsCancellationRequested; round++)
        {
            var pause = ReadFreeEvery;
            try
            {
                if (Facts is null || round % FactsEveryRounds == 0)
                {
                    var facts = await hypervisor.Facts(stop);
                    if (Facts is null) log.Info($"{facts.Hostname}: {facts.Capacity.Vcpus} CPUs, {facts.Capacity.MemoryMib} MiB, {facts.Capacity.DiskGib} GiB, {facts.AccelerationReason}");
                    Facts = facts;
                }
                Free = await hypervisor.Free(stop);
                trouble = null;
                Changed?.Invoke();
            }
            catch (HypervisorException e)
            {
                if (trouble != e.Message) log.Warn(trouble = e.Message);
                pause = RetryAfter;
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                return;
            }
            try
            {
                await Task.Delay(pause, time, stop);
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
            }
        }
    }
}
