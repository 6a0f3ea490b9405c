using System.Xml.Linq;
using Plinth.Agents.Libvirt;
using Plinth.Core.Primitives;
using Plinth.Core.Protocol;

namespace Plinth.Agents.Machines;

public sealed partial class LibvirtHypervisor
{
    private const uint DefineValidated = 1;
    // Managed save, snapshot and checkpoint metadata, NVRAM: nothing of the definition stays behind.
    private const uint UndefineWithEverything = 1 | 2 | 4 | 16;
    private const uint ByGuestAgent = 2, ByAcpiPowerButton = 1;
    private const uint XmlWithSecrets = 1, XmlOfNextStart = 2;
    private const int MetadataTitle = 1;
    private const uint Live = 1, Most = 4, InGuest = 8;
    private const int PausedState = 3, UnknownReason = 0, StartingUpReason = 11;

    private const int UseVcpusAttempts = 20;
    private static readonly TimeSpan UseVcpusPause = TimeSpan.FromMilliseconds(250);

    // libvirt waits for the guest agent's answer to a shutdown, which a guest on its way down often does not give. The request is out by then.
    private static readonly TimeSpan ShutdownRequest = TimeSpan.FromSeconds(2);

    public Task Start(VmId vm, CancellationToken stop) => _libvirt.Call(
        connection =>
        {
            using var domain = DomainLookup.Require(connection, vm);
            if (IsStranded(domain))
            {
                // Its start was cut short between making the process and letting it run.
                if (Native.virDomainResume(domain) < 0) throw LibvirtException.Last("resuming");
                return;
            }
            if (DomainLookup.IsActive(domain)) return;
            Log(vm).Begin();
            if (Native.virDomainCreateWithFlags(domain, 0) >= 0) return;
            var error = LibvirtException.Last($"starting VM {vm}");
            // Started by somebody else in the same moment.
            if (error.Error == LibvirtError.OperationInvalid && DomainLookup.IsActive(domain)) return;
            if (MissingFile(domain) is { } file) throw Refusals.DiskMissing(vm, $"file {file}");
            throw error;
        },
        e => new HypervisorException("start_failed", $"The VM could not be started: {e.Said}", cause: e),
        stop);

    public Task Pause(VmId vm, CancellationToken stop) => _libvirt.Call(
        connection =>
        {
            using var domain = DomainLookup.Require(connection, vm);
            if (State(domain, vm) == DomainState.Running && Native.virDomainSuspend(domain) < 0) throw LibvirtException.Last("pausing");
        },
        e => new HypervisorException("pause_failed", $"The VM could not be paused: {e.Said}", cause: e),
        stop);

    public Task Resume(VmId vm, CancellationToken stop) => _libvirt.Call(
        connection =>
        {
            using var domain = DomainLookup.Require(connection, vm);
            if (State(domain, vm) == DomainState.Paused && Native.virDomainResume(domain) < 0) throw LibvirtException.Last("resuming");
        },
        e => new HypervisorException("resume_failed", $"The VM could not be resumed: {e.Said}", cause: e),
        stop);

    private static DomainState State(DomainHandle domain, VmId vm) =>
        DomainLookup.State(domain).State is var state and (DomainState.Running or DomainState.Paused) ? state : throw Refusals.DomainOff(vm);

    public async Task Shutdown(VmId vm, CancellationToken stop)
    {
        var agentAnswers = await Guest(vm, stop) is not null;
        var asked = _libvirt.Call(
            connection =>
            {
                using var domain = DomainLookup.Require(connection, vm);
                if (State(domain, vm) == DomainState.Paused && Native.virDomainResume(domain) < 0) throw LibvirtException.Last("resuming");
                if (agentAnswers && Native.virDomainShutdownFlags(domain, ByGuestAgent) >= 0) return;
                if (!DomainLookup.IsActive(domain)) return;
                if (Native.virDomainShutdownFlags(domain, ByAcpiPowerButton) < 0) throw LibvirtException.Last("asking for shutdown");
            },
            e => new HypervisorException("shutdown_failed", $"The guest could not be asked to shut down: {e.Said}", cause: e),
            stop);
        await Request(asked, stop);
    }

    public Task SwitchOff(VmId vm, CancellationToken stop) => _libvirt.Call(
        connection =>
        {
            using var domain = DomainLookup.Find(connection, vm);
            if (domain is null || !DomainLookup.IsActive(domain)) return;
            if (Native.virDomainDestroyFlags(domain, 0) >= 0) return;
            var error = LibvirtException.Last($"switching VM {vm} off");
            if (DomainLookup.IsActive(domain)) throw error;
        },
        e => new HypervisorException("switch_off_failed", $"The VM could not be switched off: {e.Said}", cause: e),
        stop);

    public async Task Reboot(VmId vm, bool force, CancellationToken stop)
    {
        var agentAnswers = !force && await Guest(vm, stop) is not null;
        var asked = _libvirt.Call(
            connection =>
            {
                using var domain = DomainLookup.Require(connection, vm);
                if (!DomainLookup.IsActive(domain)) throw Refusals.DomainOff(vm);
                if (agentAnswers && Native.virDomainReboot(domain, ByGuestAgent) >= 0) return;
                var done = force ? Native.virDomainReset(domain, 0) : Native.virDomainReboot(domain, ByAcpiPowerButton);
                if (done < 0) throw LibvirtException.Last("restarting");
            },
            e => new HypervisorException("reboot_failed", $"The guest could not be restarted: {e.Said}", cause: e),
            stop);
        await Request(asked, stop);
    }

    /// <summary>What a running domain takes at once; true where it got vCPUs. What it does not take is so from its next start on, and no fault.</summary>
    private static bool AdjustRunning(DomainHandle domain, DesiredMachine machine)
    {
        if (Native.virDomainSetMetadata(domain, MetadataTitle, machine.Name, null, null, Live) < 0) throw LibvirtException.Last("renaming");
        var (now, most) = (Native.virDomainGetVcpusFlags(domain, Live), Native.virDomainGetVcpusFlags(domain, Live | Most));
        if (now >= machine.Vcpus || machine.Vcpus > most) return false;
        if (Native.virDomainSetVcpusFlags(domain, (uint)machine.Vcpus, Live) < 0) throw LibvirtException.Last("adding vCPUs");
        return true;
    }

    /// <summary>
    /// Has the guest agent take new processors into use. The guest needs a moment to notice them; one without an agent takes them by itself
    /// (udev) or when its administrator says so, and has them in any case.
    /// </summary>
    private async Task UseVcpus(DesiredMachine machine, CancellationToken stop)
    {
        for (var left = UseVcpusAttempts; left > 0; left--)
        {
            if (await Guest(machine.Vm, stop) is null) return;
            var used = await _libvirt.Call(
                connection =>
                {
                    using var domain = DomainLookup.Find(connection, machine.Vm);
                    return domain is null || Native.virDomainSetVcpusFlags(domain, (uint)machine.Vcpus, InGuest) >= 0;
                },
                ReadFailed, stop);
            if (used) return;
            await Task.Delay(UseVcpusPause, _time, stop);
        }
    }

    /// <summary>Waits for a refusal, not for the guest; what comes later is seen as an event.</summary>
    private async Task Request(Task asked, CancellationToken stop)
    {
        if (await Task.WhenAny(asked, Task.Delay(ShutdownRequest, _time, stop)) == asked) await asked;
        else _ = asked.ContinueWith(late => _ = late.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
        stop.ThrowIfCancellationRequested();
    }

    /// <summary>Paused by nobody: a process that was made and never let run, as a new libvirtd finds it. People, and full disks, leave a reason.</summary>
    private static bool IsStranded(DomainHandle domain) =>
        Native.virDomainGetState(domain, out var state, out var reason, 0) >= 0 && state == PausedState && reason is (UnknownReason or StartingUpReason);

    private static string? MissingFile(DomainHandle domain) =>
        Native.Take(Native.virDomainGetXMLDesc(domain, 0)) is { } xml
            ? XElement.Parse(xml).Descendants("disk").Select(d => d.Element("source")?.Attribute("file")?.Value).FirstOrDefault(f => f is not null && !File.Exists(f))
            : null;
}
