namespace Plinth.Agents.Machines;

/// <summary>Where a host keeps things and how it is reached. The defaults are right on every ordinary host.</summary>
/// <param name="Root">Directory of pools and console logs; below libvirt's own, where its security drivers let guests read.</param>
/// <param name="PidFiles">Where libvirt keeps the process ids of guests.</param>
/// <param name="Inside">What leads into the host where the agent stands outside of it, as in the lab.</param>
/// <param name="Emulator">The QEMU that runs guests and that the KVM self-test tries.</param>
public sealed record LibvirtOptions(
    string Uri = "qemu:///system",
    string Root = "/var/lib/libvirt/plinth",
    string PidFiles = "/run/libvirt/qemu",
    string Emulator = "/usr/bin/qemu-system-x86_64",
    IReadOnlyList<string>? Inside = null)
{
    internal string PoolPath(string pool) => Path.Combine(Root, "pools", pool);
    internal string ConsolesPath => Path.Combine(Root, "consoles");
    internal string SeedWorkPath(Core.Primitives.VmId vm) => Path.Combine(Root, "seeds", vm.ToString());
    internal string SegmentsPath => Path.Combine(Root, "networks");
    internal string SelfTestPath => Path.Combine(Root, "kvm-self-test");
}
