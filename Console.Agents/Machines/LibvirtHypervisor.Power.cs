using System.Xml.Linq;
using Plinth.Agents.Libvirt;
using Plinth.Core.Primitives;

namespace Plinth.Agents.Machines;

public sealed partial class LibvirtHypervisor
{
    private const uint DefineValidated = 1;
    // Managed save, snapshot and checkpoint metadata, NVRAM: nothing of the definition stays behind.
    private const uint UndefineWithEverything = 1 | 2 | 4 | 16;
    private const uint ByGuestAgent = 2, ByAcpiPowerButton = 1;
    private const int PausedState = 3, StartingUpReason = 11;

    // libvirt waits for the guest agent's answer to a shutdown, which a guest on its way down often does not give. The request is out by then.
    private static readonly TimeSpan ShutdownRequest = TimeSpan.FromSeconds(2);

    public Task Start(VmId vm, CancellationToken stop) => _libvirt.Call(
        connection =>
        {
            using var domain = DomainLookup.Require(connection, vm);
            if (IsStranded(domain))
            {
                // libvirtd died between making the process and letting it run.
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

    public async Task Shutdown(VmId vm, CancellationToken stop)
    {
        var agentAnswers = await Guest(vm, stop) is not null;
        var asked = _libvirt.Call(
            connection =>
            {
                using var domain = DomainLookup.Require(connection, vm);
                if (!DomainLookup.IsActive(domain)) throw Refusals.DomainOff(vm);
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

    /// <summary>Waits for a refusal, not for the guest; what comes later is seen as an event.</summary>
    private async Task Request(Task asked, CancellationToken stop)
    {
        if (await Task.WhenAny(asked, Task.Delay(ShutdownRequest, _time, stop)) == asked) await asked;
        else _ = asked.ContinueWith(late => _ = late.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
        stop.ThrowIfCancellationRequested();
    }

    private static bool IsStranded(DomainHandle domain) =>
        Native.virDomainGetState(domain, out var state, out var reason, 0) >= 0 && state == PausedState && reason == StartingUpReason;

    private static string? MissingFile(DomainHandle domain) =>
        Native.Take(Native.virDomainGetXMLDesc(domain, 0)) is { } xml
            ? XElement.Parse(xml).Descendants("disk").Select(d => d.Element("source")?.Attribute("file")?.Value).FirstOrDefault(f => f is not null && !File.Exists(f))
            : null;
}
