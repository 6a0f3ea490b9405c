using System.Globalization;
using Plinth.Agents.Machines;

namespace Plinth.Agents.Simulation;

/// <summary>The acts of a simulated host at which a fault can be planted.</summary>
public enum SimulatedStep
{
    Facts, Free, Pool, Network, Rules, Disk, Copy, Seed, Define, TakeDisks, FormerDisks, Adjust, Start, Shutdown, SwitchOff, Reboot, Pause, Resume, Snapshot, Undefine, RemoveDisks,
    Volume, Attach, Detach, RemoveVolume, Limits, Interfaces, AddInterface, RemoveInterface,
    Domains, DiskOwners, Guest, Counters, Sample, Serial, Vnc,
}

/// <summary>Faults of one simulated host, planted and taken back while it runs. Safe for use from several threads.</summary>
public sealed class SimulatedFaults
{
    private readonly Lock _gate = new();
    private readonly Dictionary<SimulatedStep, TimeSpan> _delays = [];
    private readonly Dictionary<SimulatedStep, Failure> _failures = [];

    /// <summary>The hypervisor answers nothing at all; its guests run on.</summary>
    public bool Lost { get; set; }

    /// <summary>Guests take the shutdown request and stay up.</summary>
    public bool GuestsIgnoreShutdown { get; set; }

    /// <summary>Guests take the request to release a disk or an interface and keep it.</summary>
    public bool GuestsKeepDevices { get; set; }

    /// <summary>Running machines have no port left for an interface.</summary>
    public bool NoFreePorts { get; set; }

    /// <summary>Guest agents never answer.</summary>
    public bool GuestAgentsSilent { get; set; }

    /// <summary>The step takes this much longer.</summary>
    public SimulatedFaults Slow(SimulatedStep step, TimeSpan extra)
    {
        lock (_gate) _delays[step] = extra;
        return this;
    }

    /// <summary>The step fails the next <paramref name="times"/> times, half done.</summary>
    public SimulatedFaults Fail(SimulatedStep step, string code = "simulated_fault", string? message = null, bool final = false, int times = int.MaxValue)
    {
        lock (_gate) _failures[step] = new Failure(code, message ?? $"Simulated fault at step '{step}'; take the fault back and try again.", final, times);
        return this;
    }

    /// <summary>Takes every fault back.</summary>
    public void Clear()
    {
        lock (_gate)
        {
            _delays.Clear();
            _failures.Clear();
        }
        Lost = GuestsIgnoreShutdown = GuestsKeepDevices = NoFreePorts = GuestAgentsSilent = false;
    }

    /// <summary>
    /// Faults from a command line, separated by commas: <c>lost</c>, <c>deaf</c> (guests ignore shutdown), <c>holding</c> (guests keep disks and interfaces), <c>full</c> (no port for an interface), <c>silent</c> (no guest agent),
    /// <c>fail:STEP</c>, <c>fail:STEP:TIMES</c>, <c>slow:STEP:SECONDS</c>; STEP as in <see cref="SimulatedStep"/>, upper or lower case.
    /// </summary>
    /// <exception cref="FormatException">Names the part that is not understood.</exception>
    public static SimulatedFaults Parse(string text)
    {
        var faults = new SimulatedFaults();
        foreach (var part in text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            var words = part.Split(':');
            switch (words)
            {
                case ["lost"]: faults.Lost = true; break;
                case ["deaf"]: faults.GuestsIgnoreShutdown = true; break;
                case ["holding"]: faults.GuestsKeepDevices = true; break;
                case ["full"]: faults.NoFreePorts = true; break;
                case ["silent"]: faults.GuestAgentsSilent = true; break;
                case ["fail", var step]: faults.Fail(Step(step)); break;
                case ["fail", var step, var times] when int.TryParse(times, NumberStyles.None, CultureInfo.InvariantCulture, out var n): faults.Fail(Step(step), times: n); break;
                case ["slow", var step, var seconds] when double.TryParse(seconds, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var s): faults.Slow(Step(step), TimeSpan.FromSeconds(s)); break;
                default: throw new FormatException($"'{part}' is no fault; write lost, deaf, holding, full, silent, fail:STEP, fail:STEP:TIMES or slow:STEP:SECONDS.");
            }
        }
        return faults;

        static SimulatedStep Step(string word) => Enum.TryParse<SimulatedStep>(word, ignoreCase: true, out var step) && !char.IsAsciiDigit(word[0])
            ? step
            : throw new FormatException($"'{word}' is no step; one of {string.Join(", ", Enum.GetNames<SimulatedStep>()).ToLowerInvariant()} is expected.");
    }

    internal TimeSpan Delay(SimulatedStep step)
    {
        lock (_gate) return _delays.GetValueOrDefault(step);
    }

    internal void ThrowIfPlanted(SimulatedStep step)
    {
        if (Lost) throw Refusals.Unreachable("this simulated host is lost on demand.");
        lock (_gate)
        {
            if (!_failures.TryGetValue(step, out var failure) || failure.Times == 0) return;
            if (failure.Times != int.MaxValue) _failures[step] = failure with { Times = failure.Times - 1 };
            throw new HypervisorException(failure.Code, failure.Message, failure.Final);
        }
    }

    private sealed record Failure(string Code, string Message, bool Final, int Times);
}
