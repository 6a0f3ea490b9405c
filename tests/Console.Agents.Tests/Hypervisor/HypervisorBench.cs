using Plinth.Agents.Machines;
using Plinth.Core.Inventory;
using Plinth.Core.Machines;
using Plinth.Core.Network;
using Plinth.Core.Operations;
using Plinth.Core.Primitives;
using Plinth.Core.Protocol;
using Plinth.Core.Storage;

namespace Plinth.Agents.Tests.Hypervisor;

/// <summary>A host to hold to the contract, and what a test does to it behind its back.</summary>
public abstract class HypervisorBench : IAsyncDisposable
{
    protected static readonly PoolConfig Pool = new(new StorageClassId(new Guid("01900000-0000-7000-8000-000000000004")), "default", PoolKind.Directory);
    public static readonly NetworkConfig Net = new(new NetworkId(new Guid("01900000-0000-7000-8000-000000000003")), "default", NetworkKind.HostNat, "10.87.0.0/22", "plinth0");

    public PoolConfig StoragePool => Pool;
    public NetworkConfig Network => Net;

    public abstract IHypervisor Hypervisor { get; }

    /// <summary>The bundled guest; its bytes are at <see cref="IHypervisor.ImagePath"/> once <see cref="ProvideImage"/> is done.</summary>
    public abstract ImageReference Image { get; }

    public abstract Task ProvideImage();

    /// <summary>The hypervisor's service dies without warning; guests run on.</summary>
    public abstract Task KillService();

    public abstract Task StartService();

    /// <summary>A running machine looks as if its start had been cut short: it stands still, and nobody has paused it.</summary>
    public abstract Task Strand(DesiredMachine machine);

    /// <summary>The storage has no room left, and the running machine's guest writes.</summary>
    public abstract Task RunOutOfSpace(DesiredMachine machine);

    /// <summary>There is room in the storage again.</summary>
    public abstract Task MakeRoom(DesiredMachine machine);

    /// <summary>Somebody empties the host's packet rules by hand.</summary>
    public abstract Task FlushRules();

    /// <summary>Whether the host itself holds an interface to its own addresses.</summary>
    public abstract Task<bool> Pins(string mac);

    /// <summary>A running machine has no port left for an interface; the interfaces that took them.</summary>
    public abstract Task<IReadOnlyList<string>> FillPorts(DesiredMachine machine);

    /// <summary>Somebody gives a disk of a machine other limits by hand, while it runs.</summary>
    public abstract Task LimitByHand(DesiredMachine machine, string serial, IoLimits limits);

    /// <summary>What a disk may do, as the host itself says: of the running machine, and of its definition.</summary>
    public abstract Task<(IoLimits Running, IoLimits Defined)> LimitsOf(DesiredMachine machine, string serial);

    /// <summary>A network of a project's own, with one guest on it.</summary>
    public static NetworkConfig Segment(string mac, string address) => Segment(new NetworkId(new Guid("01900000-0000-7000-8000-00000000000e")), mac, address);

    /// <summary>An interface on that network.</summary>
    public static DesiredNic SecondNic(string mac) => new(mac, new NetworkId(new Guid("01900000-0000-7000-8000-00000000000e")), "10.20.0.78");

    private static NetworkConfig Segment(NetworkId id, string mac, string address) => new(
        id, "shop", NetworkKind.Vxlan, "10.20.0.0/24", NetworkNames.Bridge(id), new OverlayConfig(5000, VirtualNetwork.OverlayMtu, [], [new GuestName("own-segment", address, mac)], []));

    /// <summary>The running machine's guest writes a word on its root disk, outside of any file system.</summary>
    public abstract Task WriteOn(DesiredMachine machine, string word);

    /// <summary>The running machine's guest reads there that word, and no other; empty where nothing was ever written.</summary>
    public abstract Task ReadsFrom(DesiredMachine machine, string word);

    public abstract Task PlantForeignDomain(string name);

    /// <summary>What a crash in the middle of making a disk leaves.</summary>
    public abstract Task PlantHalfMadeDisk(VmId vm, string serial);

    /// <summary>What a crash in the middle of making a volume leaves.</summary>
    public abstract Task PlantHalfMadeVolume(VolumeId volume);

    public abstract ValueTask DisposeAsync();

    /// <summary>A volume of 1 GiB that nobody else uses.</summary>
    public DesiredVolume Volume(string name)
    {
        var volume = VolumeId.New(DateTimeOffset.UtcNow);
        return new DesiredVolume(volume, new ProjectId(Guid.CreateVersion7()), name, DesiredStates.Serial(volume), StoragePool.Name, 1, null, false);
    }

    /// <summary>A VM of the bundled image that nobody else uses.</summary>
    public DesiredMachine Machine(string name)
    {
        var vm = VmId.New(DateTimeOffset.UtcNow);
        var random = vm.Value.ToByteArray();
        return new DesiredMachine(
            vm, new ProjectId(Guid.CreateVersion7()), name, Vcpus: 1, MemoryMib: 128,
            [new DesiredDisk("root", StoragePool.Name, 1, Image)],
            [new DesiredNic($"52:54:00:{random[13]:x2}:{random[14]:x2}:{random[15]:x2}", Network.Id)],
            new Seed(name, "ada", ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHexample ada@example"], ""),
            HasGuestAgent: true, DesiredPower.Running, PowerGeneration: 1, StopDeadlineSeconds: 60);
    }
}
