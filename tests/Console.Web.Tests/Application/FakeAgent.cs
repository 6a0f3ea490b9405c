using Plinth.Core.Inventory;
using Plinth.Core.Machines;
using Plinth.Core.Primitives;
using Plinth.Core.Protocol;

namespace Plinth.Web.Tests.Application;

/// <summary>Plays an agent's side of the protocol: takes the desired state, makes it so step by step, reports.</summary>
internal sealed class FakeAgent(Stage stage, HostId host, string name, Resources capacity)
{
    private readonly Guid _boot = Guid.NewGuid();
    private string _tunnel = "";

    public HostId Host => host;
    public string Version { get; set; } = "0.1.0";
    /// <summary>Null: an agent that cannot replace itself.</summary>
    public AgentExecutable? Executable { get; set; }
    public Epoch Epoch { get; set; }
    public Generation Accepted { get; set; }
    public Dictionary<VmId, ObservedMachine> Machines { get; } = [];
    public List<string> UnknownDomains { get; } = [];
    public Dictionary<VolumeId, ObservedVolume> Volumes { get; } = [];
    /// <summary>Guests take the request to release a disk or an interface and keep it.</summary>
    public bool GuestsKeepDisks { get; set; }
    /// <summary>Running machines have no port left for an interface.</summary>
    public bool NoFreePorts { get; set; }
    /// <summary>Why no interface can be added.</summary>
    public MachineProblem? InterfaceProblem { get; set; }
    public FirmwareSupport Firmware { get; set; } = new(Uefi: true, SecureBoot: true, Tpm: true);
    public DesiredHostState? Desired { get; private set; }
    public HostPool? Pool { get; set; } = HostPool.Of(PoolKind.Directory, StorageMedium.SolidState);
    public ObservedFacility Limits { get; set; } = new("limits", "disk limits", true, "1 of 1 disk limited by its storage class; read back and compared.");

    public async Task<ServerMessage> Connect(int protocol = HubNames.ProtocolVersion)
    {
        var answer = await stage.Directory_.Hello(host, new Hello(protocol, Version, _boot, Epoch, Accepted, false, Executable), Stage.Stop);
        if (answer is Welcome welcome)
        {
            Epoch = welcome.Epoch;
            lock (stage.Gateway.Connected) stage.Gateway.Connected.Add(host);
        }
        return answer;
    }

    public async Task Disconnect()
    {
        lock (stage.Gateway.Connected) stage.Gateway.Connected.Remove(host);
        await stage.Directory_.Disconnected(host, Epoch, Stage.Stop);
    }

    /// <summary>Takes the newest desired state and makes it so, at most up to a step; reports in full.</summary>
    public async Task Reconcile(StepKind upTo = StepKind.GuestAgent)
    {
        await Take();
        foreach (var machine in Desired!.Machines)
        {
            Machines[machine.Vm] = Make(machine, Machines.GetValueOrDefault(machine.Vm), upTo);
            Set(machine.Vm, m => m with { Interfaces = [.. machine.Nics.Select(n => Make(n, m))] });
        }
        foreach (var volume in Desired.Volumes ?? []) Volumes[volume.Volume] = Make(volume, Volumes.GetValueOrDefault(volume.Volume));
        foreach (var volume in Desired.VolumeTombstones ?? []) Volumes[volume] = new ObservedVolume(volume, Accepted, 0, null, false, null, true, null);
        foreach (var tombstone in Desired.Tombstones) Machines[tombstone.Vm] = Nothing(tombstone.Vm) with { Gone = true };
        await Report();
    }

    public async Task Take()
    {
        Desired = await stage.Directory_.Desired(host, Stage.Stop);
        Accepted = Desired.Generation;
        foreach (var (vm, machine) in Machines) Machines[vm] = machine with { Generation = Accepted };
    }

    /// <summary>Reports in full, with the network side of the host as given.</summary>
    public Task ReportNetworks(string? tunnel = null, IReadOnlyList<ObservedFacility>? facilities = null, IReadOnlyList<InterfaceDrops>? drops = null)
    {
        _tunnel = tunnel ?? _tunnel;
        return stage.Directory_.Report(host, new Report(Epoch, new ObservedHostState(
            true, Accepted, stage.Time.GetUtcNow(), Facts(), capacity, facilities ?? [], [.. Machines.Values], [.. UnknownDomains], Drops: drops)), Stage.Stop);
    }

    public Task Report(bool full = true, params VmId[] only)
    {
        var machines = only.Length > 0 ? Machines.Values.Where(m => only.Contains(m.Vm)) : Machines.Values;
        return stage.Directory_.Report(host, new Report(Epoch, new ObservedHostState(
            full, Accepted, stage.Time.GetUtcNow(), Facts(), capacity, [new ObservedFacility("network", "default", true, "up"), Limits], [.. machines], [.. UnknownDomains], [.. Volumes.Values])), Stage.Stop);
    }

    public void Set(VmId vm, Func<ObservedMachine, ObservedMachine> change) => Machines[vm] = change(Machines[vm]);

    public ObservedMachine Nothing(VmId vm) => new(vm, Accepted, DomainState.Absent, OffReason.None, 0, null, null, null, null, null, false, "", [], null, null);

    private ObservedMachine Make(DesiredMachine wanted, ObservedMachine? was, StepKind upTo)
    {
        var now = stage.Time.GetUtcNow();
        var m = (was ?? Nothing(wanted.Vm)) with { Generation = Accepted };
        if (upTo >= StepKind.Disk) m = m with { DiskReadyAt = m.DiskReadyAt ?? now };
        if (m.Domain == DomainState.Absent && upTo >= StepKind.Defined) m = m with { Disk = wanted.DiskGeneration };
        if (upTo >= StepKind.Defined) m = m with { DefinedAt = m.DefinedAt ?? now, Domain = m.Domain == DomainState.Absent ? DomainState.Off : m.Domain, Off = m.Domain == DomainState.Absent ? OffReason.NeverStarted : m.Off };
        // As a host does: more vCPUs at once, everything else from the next start on.
        if (upTo >= StepKind.Defined && m.DefinedAt is not null) m = m with { Defined = wanted.Size, Running = m.Running is { } had && wanted.Vcpus > had.Vcpus ? had with { Vcpus = wanted.Vcpus } : m.Running };
        // Of a rebuild the new disk is made first; the machine has it once it is off.
        if (upTo >= StepKind.Disk && m.Disk < wanted.DiskGeneration) m = m with { DiskReadyAt = now, DiskMade = wanted.DiskGeneration };
        if (upTo >= StepKind.Started && m.Disk < wanted.DiskGeneration)
            m = m with { Disk = wanted.DiskGeneration, Off = m.Domain == DomainState.Off ? m.Off : OffReason.GuestShutdown, Domain = DomainState.Off, ShutdownAskedAt = wanted.StopDeadlineSeconds > 0 ? now : null, Running = null };
        if (upTo < StepKind.Started || m.StartedForPowerGeneration >= wanted.PowerGeneration) return upTo >= StepKind.GuestAgent && m.Domain == DomainState.Running && wanted.HasGuestAgent ? m with { GuestAgentAt = now } : m;
        if (wanted.Power == DesiredPower.Stopped)
            return m with { Domain = DomainState.Off, Off = wanted.StopDeadlineSeconds == 0 ? OffReason.SwitchedOff : OffReason.GuestShutdown, StartedForPowerGeneration = wanted.PowerGeneration, ShutdownAskedAt = now, Addresses = [], Running = null };
        m = m with { Domain = DomainState.Running, Off = OffReason.None, StartedAt = now, StartedForPowerGeneration = wanted.PowerGeneration, StartKey = $"start {wanted.PowerGeneration}", GuestAgentAt = null, ShutdownAskedAt = wanted.DiskGeneration == wanted.PowerGeneration ? m.ShutdownAskedAt : null, Addresses = ["10.87.0.5"], Running = wanted.Size };
        return upTo >= StepKind.GuestAgent && wanted.HasGuestAgent ? m with { GuestAgentAt = now } : m;
    }

    private ObservedInterface Make(DesiredNic wanted, ObservedMachine machine)
    {
        var (was, running) = (machine.Interfaces?.FirstOrDefault(i => i.Mac == wanted.Mac), machine.Domain is DomainState.Running or DomainState.Paused);
        if (wanted.Leaving) return new ObservedInterface(wanted.Mac, GuestsKeepDisks && was is { Configured: true }, GuestsKeepDisks && running, true, GuestsKeepDisks ? stage.Time.GetUtcNow() : null, !GuestsKeepDisks, null, []);
        if (was is not { Configured: true } && InterfaceProblem is not null) return new ObservedInterface(wanted.Mac, false, false, false, null, false, InterfaceProblem, []);
        var plugged = running && (was is { Plugged: true } || !NoFreePorts);
        return new ObservedInterface(wanted.Mac, machine.Domain != DomainState.Absent, plugged, false, null, false,
            running && !plugged ? new MachineProblem("no_port", "No port is free.", StepKind.Plugged, true) : null, plugged ? [wanted.Address ?? "10.87.0.5"] : []);
    }

    private ObservedVolume Make(DesiredVolume wanted, ObservedVolume? was)
    {
        var kept = GuestsKeepDisks && was is { Plugged: true } && wanted.Vm is null;
        var vm = kept ? was!.Vm : wanted.Vm is { } on && Machines.TryGetValue(on, out var machine) && machine.Domain != DomainState.Absent ? on : (VmId?)null;
        return new ObservedVolume(
            wanted.Volume, Accepted, Math.Max(was?.SizeBytes ?? 0, (long)wanted.SizeGib << 30), vm, vm is { } its && Machines[its].Domain == DomainState.Running,
            kept ? stage.Time.GetUtcNow() : null, false, null);
    }

    private HostFacts Facts() => new(name, Version, Acceleration.Kvm, "a guest was booted", "x86_64", "Example CPU", capacity, "Debian 12", "6.1.0", "9.0.0", "7.2.0", _tunnel, Pool, Firmware);
}
