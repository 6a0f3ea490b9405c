using Plinth.Core.Primitives;

namespace Plinth.Agents.Simulation;

/// <summary>
/// The load of one simulated VM as a function of time since its start, so that no state has to be kept:
/// busy share b·(1 + sin), whose integral is the CPU time. Each VM has its own mean, period and phase.
/// </summary>
internal readonly struct SimulatedLoad
{
    private readonly double _mean;
    private readonly double _omega;
    private readonly double _phase;

    public SimulatedLoad(VmId vm)
    {
        Span<byte> id = stackalloc byte[16];
        vm.Value.TryWriteBytes(id);
        // The last bytes of a UUIDv7 are random; the first are time.
        _mean = 0.02 + id[15] / 255.0 * 0.38;
        _omega = 2 * Math.PI / (60 + id[14]);
        _phase = id[13] / 255.0 * 2 * Math.PI;
    }

    /// <summary>Busy share of one vCPU now, 0–1.</summary>
    public double Share(TimeSpan since) => _mean * (1 + Math.Sin(_omega * since.TotalSeconds + _phase));

    /// <summary>Seconds of CPU time of one vCPU since the start.</summary>
    public double CpuSeconds(TimeSpan since)
    {
        var t = since.TotalSeconds;
        return _mean * (t + (Math.Cos(_phase) - Math.Cos(_omega * t + _phase)) / _omega);
    }

    /// <summary>Between an eighth and seven eighths of the VM's memory, growing over the first ten minutes.</summary>
    public long MemoryUsedMib(TimeSpan since, int memoryMib) =>
        (long)(memoryMib * (0.125 + Math.Min(1, since.TotalMinutes / 10) * _mean * 1.8));
}
