using Plinth.Agents.Machines;
using Plinth.Core.Primitives;

namespace Plinth.Agents.Reconcile;

/// <summary>Everything that is on the host, read as a whole: either all of it or none, since what is missing from half a picture is not gone.</summary>
internal sealed record HostPicture(IReadOnlyDictionary<VmId, DomainInfo> Domains, IReadOnlySet<VmId> FileOwners, IReadOnlySet<VmId> FormerFileOwners, IReadOnlyList<string> Foreign)
{
    public static async Task<HostPicture> Read(IHypervisor hypervisor, CancellationToken stop)
    {
        var domains = await hypervisor.Domains(stop);
        var owners = await hypervisor.DiskOwners(stop);
        var former = await hypervisor.FormerDiskOwners(stop);
        return new HostPicture(
            domains.Where(d => d.Vm is not null).ToDictionary(d => d.Vm!.Value),
            owners.ToHashSet(),
            former.ToHashSet(),
            [.. domains.Where(d => d.Vm is null).Select(d => d.Name).Order(StringComparer.Ordinal)]);
    }
}
