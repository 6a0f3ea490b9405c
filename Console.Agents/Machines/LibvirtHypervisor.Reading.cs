using System.Collections.Concurrent;
using System.Net.Sockets;
using Plinth.Agents.Libvirt;
using Plinth.Agents.Machines.Serial;
using Plinth.Agents.Machines.Xml;
using Plinth.Core.Inventory;
using Plinth.Core.Primitives;
using Plinth.Core.Protocol;

namespace Plinth.Agents.Machines;

public sealed partial class LibvirtHypervisor
{
    private const int AgentTimeoutSeconds = 1;
    private const string AskInterfaces = """{"execute":"guest-network-get-interfaces"}""", AskSystem = """{"execute":"guest-get-osinfo"}""";

    private static readonly string BootId = File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim()[..8];

    private readonly ConcurrentDictionary<VmId, SerialConsole> _consoles = new();
    private readonly SemaphoreSlim _opening = new(1, 1);

    public async Task<HostFacts> Facts(CancellationToken stop)
    {
        var (acceleration, reason) = await _acceleration.Value.WaitAsync(stop);
        var (libvirt, qemu, firmware) = await _libvirt.Call(
            connection =>
            {
                if (Native.virConnectGetLibVersion(connection, out var lib) < 0) throw LibvirtException.Last("reading libvirt's version");
                if (Native.virConnectGetVersion(connection, out var emulator) < 0) throw LibvirtException.Last("reading QEMU's version");
                // libvirt examines the emulator the first time it is needed, which takes seconds: now, not in the first create.
                var type = acceleration == Acceleration.Kvm ? "kvm" : "qemu";
                var can = Native.Take(Native.virConnectGetDomainCapabilities(connection, null, "x86_64", "q35", type, 0)) ?? throw LibvirtException.Last("reading what QEMU can do");
                return (lib, emulator, DomainCapabilities.Firmware(can));
            },
            ReadFailed, stop);
        return new HostFacts(
            _inventory.Hostname, AgentVersion.Text, acceleration, reason, "x86_64", _inventory.CpuModel, _inventory.Capacity(),
            _inventory.OperatingSystem, _inventory.Kernel, "libvirt " + Version(libvirt), "QEMU " + Version(qemu),
            await _segments.TunnelAddress(stop), HostPool.Of(PoolKind.Directory, _inventory.Medium()), firmware);
    }

    public Task<Resources> Free(CancellationToken stop) => Task.FromResult(_inventory.Free());

    public Task<HostSample> Sample(CancellationToken stop)
    {
        SerialLog.Trim(_options.ConsolesPath);
        return Task.FromResult(_inventory.Sample());
    }

    public Task<IReadOnlyList<DomainInfo>> Domains(CancellationToken stop) => _libvirt.Call<IReadOnlyList<DomainInfo>>(
        connection =>
        {
            var infos = new List<DomainInfo>();
            foreach (var handle in DomainLookup.All(connection))
            {
                using var domain = handle;
                if (Describe(domain) is { } info) infos.Add(info);
            }
            return infos;
        },
        ReadFailed, stop);

    public Task<GuestInfo?> Guest(VmId vm, CancellationToken stop) => _libvirt.Call(
        connection =>
        {
            using var domain = DomainLookup.Find(connection, vm);
            if (domain is null || !DomainLookup.IsActive(domain) || _frozen.ContainsKey(vm)) return null;
            // libvirt synchronizes with the agent before each command; without this it would wait five seconds for that.
            _ = Native.virDomainAgentSetResponseTimeout(domain, AgentTimeoutSeconds, 0);
            var answer = Native.Take(Native.virDomainQemuAgentCommand(domain, AskInterfaces, AgentTimeoutSeconds, 0));
            // An agent that cannot name its system is well all the same.
            if (answer is not null) return new GuestInfo(GuestAnswers.Addresses(answer), GuestAnswers.System(Native.Take(Native.virDomainQemuAgentCommand(domain, AskSystem, AgentTimeoutSeconds, 0))), GuestAnswers.Interfaces(answer));
            var error = LibvirtException.Last("asking the guest agent");
            // An agent that froze the file systems refuses all else. Whoever asked for that, an agent of ours before its death, is not here to thaw them.
            if (error.Error == LibvirtError.InternalError) _ = Native.virDomainFSThaw(domain, 0, 0, 0);
            // Not connected, not answering in time, busy, or the domain went off in between: no answer, which is an answer.
            return error.Error is LibvirtError.Rpc or LibvirtError.SystemError ? throw error : null;
        },
        ReadFailed, stop);

    public Task<IReadOnlyList<DomainCounters>> Counters(CancellationToken stop) => _libvirt.Call(
        connection => DomainStats.Read(connection, StartKey), ReadFailed, stop);

    public async Task<Stream> OpenSerial(VmId vm, CancellationToken stop)
    {
        await _opening.WaitAsync(stop);
        try
        {
            var startKey = await StartKeyOf(vm, stop);
            if (_consoles.TryGetValue(vm, out var open) && !open.Feed.Ended) return open.Open();
            await CloseConsole(vm);
            var console = new SerialConsole(Log(vm), token => OpenInput(vm, token), async token => await IsOn(vm, startKey, token), _time);
            console.Feed.Deserted += () => _ = CloseDeserted(vm, console);
            _consoles[vm] = console;
            return console.Open();
        }
        finally
        {
            _opening.Release();
        }
    }

    public Task<Stream> OpenVnc(VmId vm, CancellationToken stop) => _libvirt.Call<Stream>(
        connection =>
        {
            using var domain = DomainLookup.Require(connection, vm);
            if (!DomainLookup.IsActive(domain)) throw Refusals.DomainOff(vm);
            var descriptor = Native.virDomainOpenGraphicsFD(domain, 0, 0);
            if (descriptor < 0) throw LibvirtException.Last("opening the screen");
            return new NetworkStream(new Socket(new SafeSocketHandle(descriptor, ownsHandle: true)), ownsSocket: true);
        },
        e => new HypervisorException("no_screen", $"The machine's screen could not be opened: {e.Said}", cause: e),
        stop);

    private async Task CloseDeserted(VmId vm, SerialConsole console)
    {
        await _opening.WaitAsync();
        try
        {
            // Somebody may have come back before the lock was free.
            if (console.Feed.Viewers == 0 && _consoles.TryGetValue(vm, out var current) && current == console) await CloseConsole(vm);
        }
        finally
        {
            _opening.Release();
        }
    }

    private async Task CloseConsole(VmId vm)
    {
        if (_consoles.TryRemove(vm, out var console)) await console.DisposeAsync();
    }

    private Task<ConsoleStream> OpenInput(VmId vm, CancellationToken stop) => _libvirt.Call(
        connection =>
        {
            using var domain = DomainLookup.Require(connection, vm);
            // The log has it already.
            return ConsoleStream.Attach(connection, domain, output: _ => { });
        },
        e => new HypervisorException("console_busy", $"another program has this console open, for instance virsh console ({e.Said})", cause: e),
        stop);

    private Task<string> StartKeyOf(VmId vm, CancellationToken stop) => _libvirt.Call(
        connection =>
        {
            using var domain = DomainLookup.Require(connection, vm);
            return DomainLookup.IsActive(domain) ? StartKey(domain) : throw Refusals.DomainOff(vm);
        },
        ReadFailed, stop);

    private async Task<bool> IsOn(VmId vm, string startKey, CancellationToken stop)
    {
        try
        {
            return await StartKeyOf(vm, stop) == startKey;
        }
        catch (HypervisorException e) when (e.Code is "domain_off" or "domain_missing" or "foreign_domain")
        {
            return false;
        }
    }

    /// <summary>Null where the domain went away while it was read.</summary>
    private DomainInfo? Describe(DomainHandle domain)
    {
        try
        {
            var (state, reason) = DomainLookup.State(domain);
            var disk = DomainLookup.Disk(domain);
            VmId? vm = disk is null ? null : DomainLookup.Id(domain);
            // libvirt forgets why a domain is off when it restarts; whether it ever ran is remembered by its log.
            if (vm is { } own && reason == OffReason.Unknown && !Log(own).EverStarted) reason = OffReason.NeverStarted;
            var running = state == DomainState.Off || vm is null ? null : DomainLookup.Size(domain);
            return new DomainInfo(vm, DomainLookup.Name(domain), state, reason, state == DomainState.Off ? "" : StartKey(domain), running,
                state == DomainState.Paused ? DomainLookup.Pause(domain) : PauseReason.None, disk ?? 0);
        }
        catch (LibvirtException e) when (e.Error == LibvirtError.NoDomain)
        {
            return null;
        }
    }

    /// <summary>
    /// libvirt's domain id, which begins anew when libvirtd is restarted with no guests, and the moment the process was made, by its pid file.
    /// </summary>
    private string StartKey(DomainHandle domain)
    {
        var pidFile = new FileInfo(Path.Combine(_options.PidFiles, DomainLookup.Name(domain) + ".pid"));
        var started = pidFile.Exists ? new DateTimeOffset(pidFile.LastWriteTimeUtc).ToUnixTimeMilliseconds() : 0;
        return $"{BootId}-{Native.virDomainGetID(domain)}-{started}";
    }

    private static string Version(ulong number) => $"{number / 1_000_000}.{number / 1_000 % 1_000}.{number % 1_000}";

    private static HypervisorException ReadFailed(LibvirtException e) => new("read_failed", $"libvirt could not tell what was asked: {e.Message}", cause: e);
}
