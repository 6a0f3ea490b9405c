using Plinth.Core.Machines;

namespace Plinth.Web.Application.History;

/// <summary>What is another now than it was then, in words; of what people decide by, not of counters.</summary>
internal static class Differences
{
    public static IReadOnlyList<Difference> Between(VmView then, VmView? now)
    {
        if (now is null) return [new Difference("State", VmLifecycle.Word(then.State), "gone")];
        var found = new List<Difference>();
        Add(found, "State", VmLifecycle.Word(then.State), VmLifecycle.Word(now.State));
        if (now.State == VmState.Deleted) return found;
        Add(found, "Name", then.Name, now.Name);
        Add(found, "Host", then.HostName, now.HostName);
        Add(found, "Size", Size(then), Size(now));
        Add(found, "Addresses", string.Join(", ", then.Addresses), string.Join(", ", now.Addresses));
        Add(found, "Networks", string.Join(", ", then.Networks.Select(n => n.Name)), string.Join(", ", now.Networks.Select(n => n.Name)));
        Add(found, "Description", then.Description, now.Description);
        Add(found, "Labels", Labels(then), Labels(now));
        return found;
    }

    public static IReadOnlyList<Difference> Between(HostView then, HostView? now)
    {
        if (now is null) return [new Difference("State", OperationSteps.Word(then.State), "gone")];
        var found = new List<Difference>();
        Add(found, "State", OperationSteps.Word(then.State), OperationSteps.Word(now.State));
        Add(found, "VMs", then.VmCount.ToString(), now.VmCount.ToString());
        Add(found, "Memory allocated", $"{then.Allocated.MemoryMib} MiB", $"{now.Allocated.MemoryMib} MiB");
        Add(found, "CPUs", then.Capacity.Vcpus.ToString(), now.Capacity.Vcpus.ToString());
        Add(found, "Memory", $"{then.Capacity.MemoryMib} MiB", $"{now.Capacity.MemoryMib} MiB");
        Add(found, "Agent", then.Facts?.AgentVersion, now.Facts?.AgentVersion);
        Add(found, "Kernel", then.Facts?.Kernel, now.Facts?.Kernel);
        Add(found, "Hypervisor", then.Facts?.HypervisorVersion, now.Facts?.HypervisorVersion);
        return found;
    }

    private static void Add(List<Difference> found, string what, string? then, string? now)
    {
        if ((then ?? "") != (now ?? "")) found.Add(new Difference(what, Shown(then), Shown(now)));
    }

    private static string Shown(string? text) => string.IsNullOrEmpty(text) ? "none" : text;

    private static string Size(VmView vm) => $"{vm.Size.Vcpus} vCPU, {vm.Size.MemoryMib} MiB, {vm.Size.DiskGib} GiB";

    private static string Labels(VmView vm) => string.Join(' ', vm.Labels.OrderBy(l => l.Key, StringComparer.Ordinal).Select(l => $"{l.Key}={l.Value}"));
}
