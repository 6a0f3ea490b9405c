using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Plinth.Core.Primitives;
using Plinth.Core.Protocol;
using Plinth.Core.Storage;

namespace Plinth.Agents.Simulation;

/// <summary>What a simulated host keeps over a restart of its process, like disks, definitions and running guests of a real one.</summary>
internal sealed class SimulatedState
{
    public Dictionary<string, PoolConfig> Pools { get; init; } = [];
    public Dictionary<Guid, NetworkConfig> Networks { get; init; } = [];
    public Dictionary<Guid, SimulatedVm> Vms { get; init; } = [];
    public Dictionary<Guid, SimulatedVolume> Volumes { get; init; } = [];
    public List<string> ForeignDomains { get; init; } = [];
    public long Starts { get; set; }

    public SimulatedVm Vm(VmId vm)
    {
        if (!Vms.TryGetValue(vm.Value, out var found)) Vms[vm.Value] = found = new SimulatedVm();
        return found;
    }

    /// <summary>The state in <paramref name="path"/>, or an empty one where there is no such file.</summary>
    /// <exception cref="InvalidDataException">The file is there and cannot be understood.</exception>
    public static SimulatedState Load(string? path)
    {
        if (path is null || !File.Exists(path)) return new SimulatedState();
        try
        {
            using var file = File.OpenRead(path);
            return JsonSerializer.Deserialize(file, SimulationJson.Default.SimulatedState) ?? new SimulatedState();
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"The state of the simulated host in {path} cannot be read ({e.Message}); remove the file to begin with an empty host.", e);
        }
    }

    public void Save(string path)
    {
        var written = path + ".new";
        File.WriteAllBytes(written, JsonSerializer.SerializeToUtf8Bytes(this, SimulationJson.Default.SimulatedState));
        File.Move(written, path, overwrite: true);
    }
}

internal sealed class SimulatedVm
{
    public DesiredMachine? Definition { get; set; }

    /// <summary>Finished disks: file → GiB.</summary>
    public Dictionary<string, int> Disks { get; init; } = [];

    /// <summary>What guests have written, by file: enough to tell one disk from another.</summary>
    public Dictionary<string, string> Contents { get; set; } = [];

    /// <summary>Files of disks whose making was begun: a leftover where nobody is making them.</summary>
    public HashSet<string> HalfMade { get; init; } = [];

    /// <summary>By serial, where a disk is limited.</summary>
    public Dictionary<string, IoLimits> Limits { get; init; } = [];

    /// <summary>MAC addresses of the interfaces that the running machine has; those of the definition are at its next start.</summary>
    public HashSet<string> Plugged { get; init; } = [];

    public Dictionary<Guid, SimulatedSnapshot> Snapshots { get; init; } = [];

    /// <summary>Of which generations there is a seed.</summary>
    public HashSet<long> Seeds { get; set; } = [];

    /// <summary>How an earlier version kept the seed of the first.</summary>
    public bool? Seed
    {
        get => null;
        set
        {
            if (value == true) Seeds.Add(0);
        }
    }

    public bool Running { get; set; }
    public OffReason Off { get; set; } = OffReason.NeverStarted;
    public DateTimeOffset StartedAt { get; set; }

    /// <summary>What it runs with; null while it is off.</summary>
    public MachineSize? Size { get; set; }

    [JsonIgnore]
    public MachineSize Now => Size ?? Definition!.Size;

    /// <summary>How many vCPUs it can get while it runs.</summary>
    public int MostVcpus { get; set; }

    /// <summary>Since when it stands still; null while it does not.</summary>
    public DateTimeOffset? PausedAt { get; set; }

    /// <summary>It stands still because its start was cut short.</summary>
    public bool Stranded { get; set; }
    /// <summary>Its storage has no room: it stands still at the next write, as soon as it is let go on.</summary>
    public bool StorageFull { get; set; }

    [JsonIgnore]
    public PauseReason Pause => State != DomainState.Paused || Stranded ? PauseReason.None : StorageFull ? PauseReason.StorageFull : PauseReason.Asked;

    public string StartKey { get; set; } = "";

    /// <summary>The guest's own time: it stands still while the machine does.</summary>
    public TimeSpan Age(DateTimeOffset now) => (PausedAt ?? now) - StartedAt;

    public void Resume(DateTimeOffset now)
    {
        if (PausedAt is { } since) StartedAt += now - since;
        (PausedAt, Stranded) = (StorageFull ? now : null, false);
    }

    [JsonIgnore]
    public DomainState State => !Running ? DomainState.Off : PausedAt is null ? DomainState.Running : DomainState.Paused;

    [JsonIgnore]
    public bool HasFiles => Seeds.Count > 0 || Disks.Count > 0 || HalfMade.Count > 0;

    [JsonIgnore]
    public IEnumerable<long> Generations => Seeds.Concat(Disks.Keys.Concat(HalfMade).Select(GenerationOf)).Distinct();

    /// <summary>A disk's file: its serial, with the generation where it is not the first.</summary>
    public static string File(DesiredDisk disk) => disk.Generation == 0 ? disk.Serial : $"{disk.Serial}.{disk.Generation}";

    public static long GenerationOf(string file) => file.IndexOf('.', StringComparison.Ordinal) is var dot and > 0 ? long.Parse(file[(dot + 1)..], CultureInfo.InvariantCulture) : 0;
}

/// <param name="Size">What it ran with; null where it was off.</param>
/// <param name="Age">The guest's own time.</param>
/// <param name="Disk">The generation of the disk that it is in.</param>
internal sealed record SimulatedSnapshot(MachineSize? Size, TimeSpan Age, long Disk = 0);

internal sealed class SimulatedVolume
{
    /// <summary>0 while it is half made.</summary>
    public int SizeGib { get; set; }
    public VmId? Vm { get; set; }
    public string Serial { get; set; } = "";
    public bool Configured { get; set; }
    public bool Plugged { get; set; }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true)]
[JsonSerializable(typeof(SimulatedState))]
internal sealed partial class SimulationJson : JsonSerializerContext;
