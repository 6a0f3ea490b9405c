using Plinth.Core.Inventory;
using Plinth.Core.Primitives;

namespace Plinth.Agents.Simulation;

/// <summary>What a simulated host claims to be.</summary>
/// <param name="Capacity">What guests may use: logical CPUs, MiB of memory, GiB of the default pool.</param>
/// <param name="Medium">What its pool lies on.</param>
/// <param name="Timings">How long its acts take.</param>
public sealed record SimulatedProfile(string Hostname, Resources Capacity, string CpuModel, SimulatedTimings Timings, StorageMedium Medium = StorageMedium.SolidState)
{
    /// <summary>Rack server number <paramref name="index"/> of a simulated fleet: three sizes in turn.</summary>
    public static SimulatedProfile Server(int index, SimulatedTimings? timings = null)
    {
        var (vcpus, memoryGib, diskGib, model) = (index % 3) switch
        {
            0 => (64, 256, 4_000, "Simulated 32-core server processor"),
            1 => (96, 512, 8_000, "Simulated 48-core server processor"),
            _ => (128, 1_024, 16_000, "Simulated 64-core server processor"),
        };
        return new SimulatedProfile($"sim-{index:D4}", new Resources(vcpus, memoryGib * 1024, diskGib), model, timings ?? SimulatedTimings.Plausible,
            // The largest of the three are made of rotating disks.
            index % 3 == 2 ? StorageMedium.Rotating : StorageMedium.SolidState);
    }
}

/// <summary>Durations of the acts of a simulated host, before any planted delay.</summary>
/// <param name="Boot">From the start of the domain until its guest agent answers; each VM takes between this and half as long again.</param>
/// <param name="Shutdown">From the request until the guest is off.</param>
public sealed record SimulatedTimings(
    TimeSpan Read, TimeSpan Pool, TimeSpan Network, TimeSpan Disk, TimeSpan Seed, TimeSpan Define, TimeSpan Start,
    TimeSpan Boot, TimeSpan Shutdown, TimeSpan SwitchOff, TimeSpan Undefine, TimeSpan RemoveDisks)
{
    /// <summary>About what libvirt and a small Linux guest take on a server with flash storage.</summary>
    public static readonly SimulatedTimings Plausible = new(
        Read: TimeSpan.FromMilliseconds(3), Pool: TimeSpan.FromMilliseconds(40), Network: TimeSpan.FromMilliseconds(120),
        Disk: TimeSpan.FromMilliseconds(90), Seed: TimeSpan.FromMilliseconds(20), Define: TimeSpan.FromMilliseconds(12),
        Start: TimeSpan.FromMilliseconds(280), Boot: TimeSpan.FromSeconds(5), Shutdown: TimeSpan.FromSeconds(2),
        SwitchOff: TimeSpan.FromMilliseconds(150), Undefine: TimeSpan.FromMilliseconds(10), RemoveDisks: TimeSpan.FromMilliseconds(30));

    /// <summary>No act takes time: for tests that are not about time.</summary>
    public static readonly SimulatedTimings Instant = new(
        default, default, default, default, default, default, default, default, default, default, default, default);

    /// <summary>The same host so many times as fast.</summary>
    public SimulatedTimings Faster(int times) => new(
        Read / times, Pool / times, Network / times, Disk / times, Seed / times, Define / times, Start / times,
        Boot / times, Shutdown / times, SwitchOff / times, Undefine / times, RemoveDisks / times);

    internal TimeSpan Of(SimulatedStep step) => step switch
    {
        SimulatedStep.Pool => Pool,
        SimulatedStep.Network => Network,
        SimulatedStep.Disk or SimulatedStep.Volume => Disk,
        SimulatedStep.Seed => Seed,
        SimulatedStep.Define => Define,
        SimulatedStep.Start => Start,
        SimulatedStep.SwitchOff => SwitchOff,
        SimulatedStep.Undefine => Undefine,
        SimulatedStep.RemoveDisks or SimulatedStep.RemoveVolume => RemoveDisks,
        _ => Read,
    };
}
