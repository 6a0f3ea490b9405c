using System.Globalization;
using Plinth.Core.Inventory;
using Plinth.Core.Primitives;
using Plinth.Core.State;
using Plinth.Core.Storage;

namespace Plinth.Core.Placement;

internal sealed class PinnedHostFilter : IHostFilter
{
    public string Name => "pinned host";
    public HostRefusal? Check(PlacementRequest request, HostSnapshot host, PlacementPolicy policy, DateTimeOffset now) =>
        request.OnlyHost is { } only && only != host.Id ? new HostRefusal(Name, RefusalClass.Forbidden, "the request names another host", 1, 0) : null;
}

internal sealed class SourceFilter : IHostFilter
{
    public string Name => "source disk";
    public HostRefusal? Check(PlacementRequest request, HostSnapshot host, PlacementPolicy policy, DateTimeOffset now) =>
        request.Source is { } source && source.Host != host.Id && host.Pool is not { Shared: true }
            ? new HostRefusal(Name, RefusalClass.Forbidden, $"the disk is copied from {source.Vm} on {source.HostName}, and its storage is not shared between hosts", 1, 0)
            : null;
}

internal sealed class StateFilter : IHostFilter
{
    public string Name => "state";
    public HostRefusal? Check(PlacementRequest request, HostSnapshot host, PlacementPolicy policy, DateTimeOffset now) =>
        host.State == HostState.Ready ? null : new HostRefusal(Name, RefusalClass.Forbidden, $"the host is {host.State.ToString().ToLowerInvariant()}, not ready", 1, 0);
}

internal sealed class FreshnessFilter : IHostFilter
{
    public string Name => "freshness";
    public HostRefusal? Check(PlacementRequest request, HostSnapshot host, PlacementPolicy policy, DateTimeOffset now)
    {
        if (host.ReportedAt is not { } at) return new HostRefusal(Name, RefusalClass.Forbidden, "the host has not reported yet", 0, 0);
        if (!Freshness.IsStale(at, now)) return null;
        var age = (long)(now - at).TotalSeconds;
        var limit = (long)Freshness.StaleAfter.TotalSeconds;
        return new HostRefusal(Name, RefusalClass.Forbidden, $"the last report is {age} s old, at most {limit} s are trusted", limit, age);
    }
}

internal sealed class ArchitectureFilter : IHostFilter
{
    public string Name => "architecture";
    public HostRefusal? Check(PlacementRequest request, HostSnapshot host, PlacementPolicy policy, DateTimeOffset now) =>
        request.Architecture == host.Architecture ? null : new HostRefusal(Name, RefusalClass.Forbidden, $"needs {request.Architecture}, the host is {host.Architecture}", 1, 0);
}

internal sealed class FirmwareFilter : IHostFilter
{
    public string Name => "firmware";
    public HostRefusal? Check(PlacementRequest request, HostSnapshot host, PlacementPolicy policy, DateTimeOffset now) =>
        (host.Firmware ?? FirmwareSupport.None).WhyNot(request.Firmware ?? GuestFirmware.Default) is { } no ? new HostRefusal(Name, RefusalClass.Forbidden, no, 1, 0) : null;
}

internal sealed class CpuFilter : IHostFilter
{
    public string Name => "vCPUs";

    public static long Offered(HostSnapshot host, PlacementPolicy policy) => (long)(host.Capacity.Vcpus * policy.CpuOvercommit);

    public HostRefusal? Check(PlacementRequest request, HostSnapshot host, PlacementPolicy policy, DateTimeOffset now)
    {
        var has = Offered(host, policy) - host.Allocated.Vcpus;
        if (request.Size.Vcpus > host.Capacity.Vcpus)
            return new HostRefusal(Name, RefusalClass.Forbidden, $"needs {request.Size.Vcpus} vCPUs, the host has {host.Capacity.Vcpus} CPUs and one VM gets no more than that", request.Size.Vcpus, host.Capacity.Vcpus);
        return request.Size.Vcpus <= has
            ? null
            : new HostRefusal(Name, RefusalClass.Full, $"needs {request.Size.Vcpus} vCPUs, has {Math.Max(0, has)} free of {Offered(host, policy)} ({host.Capacity.Vcpus} CPUs × {policy.CpuOvercommit.ToString(CultureInfo.InvariantCulture)})", request.Size.Vcpus, has);
    }
}

internal sealed class MemoryFilter : IHostFilter
{
    public string Name => "memory";
    public HostRefusal? Check(PlacementRequest request, HostSnapshot host, PlacementPolicy policy, DateTimeOffset now)
    {
        var has = (long)host.Free.MemoryMib - policy.MemoryReservedMib;
        if (request.Size.MemoryMib <= has) return null;
        var (needs, free) = Sizes.MibApart(request.Size.MemoryMib, Math.Max(0, has));
        return new HostRefusal(Name, RefusalClass.Full, $"needs {needs} of memory, has {free} free ({Sizes.Mib(policy.MemoryReservedMib)} are kept for the host)", request.Size.MemoryMib, has);
    }
}

internal sealed class DiskFilter : IHostFilter
{
    public string Name => "disk";
    public HostRefusal? Check(PlacementRequest request, HostSnapshot host, PlacementPolicy policy, DateTimeOffset now)
    {
        if (request.Size.DiskGib <= host.Free.DiskGib) return null;
        var (needs, free) = Sizes.GibApart(request.Size.DiskGib, Math.Max(0, host.Free.DiskGib));
        return new HostRefusal(Name, RefusalClass.Full, $"needs {needs} of disk, has {free} free", request.Size.DiskGib, host.Free.DiskGib);
    }
}

internal sealed class StorageFilter : IHostFilter
{
    public string Name => "storage class";
    public HostRefusal? Check(PlacementRequest request, HostSnapshot host, PlacementPolicy policy, DateTimeOffset now) =>
        request.Storage is { } demand && StorageMatch.WhyNot(demand, host.Pool) is { } no ? new HostRefusal(Name, RefusalClass.Forbidden, no, 1, 0) : null;
}

/// <summary>A guest really executed by hardware beats an emulated one; a simulated host comes last.</summary>
internal sealed class AccelerationScorer : IHostScorer
{
    public string Name => "acceleration";
    public double Weight => 10;
    public double Score(PlacementRequest request, HostSnapshot host, PlacementPolicy policy) => host.Acceleration switch
    {
        Acceleration.Kvm => 1,
        Acceleration.Qemu => 0.5,
        Acceleration.Simulated => 0,
        _ => throw new ArgumentOutOfRangeException(nameof(host), host.Acceleration, null),
    };
}

/// <summary>Share of the host's memory that would stay free.</summary>
internal sealed class FreeMemoryScorer : IHostScorer
{
    public string Name => "free memory";
    public double Weight => 2;
    public double Score(PlacementRequest request, HostSnapshot host, PlacementPolicy policy) =>
        Math.Clamp((double)(host.Free.MemoryMib - request.Size.MemoryMib) / Math.Max(1, host.Capacity.MemoryMib), 0, 1);
}

/// <summary>Share of the host's offered vCPUs that would stay free.</summary>
internal sealed class FreeCpuScorer : IHostScorer
{
    public string Name => "free vCPUs";
    public double Weight => 1;
    public double Score(PlacementRequest request, HostSnapshot host, PlacementPolicy policy) =>
        Math.Clamp((double)(CpuFilter.Offered(host, policy) - host.Allocated.Vcpus - request.Size.Vcpus) / Math.Max(1, CpuFilter.Offered(host, policy)), 0, 1);
}
