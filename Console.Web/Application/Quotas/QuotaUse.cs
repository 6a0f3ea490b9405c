using Microsoft.EntityFrameworkCore;
using Plinth.Core.Machines;
using Plinth.Core.Network;
using Plinth.Core.Primitives;
using Plinth.Core.Quotas;
using Plinth.Web.Persistence;
using Plinth.Web.Persistence.Rows;

namespace Plinth.Web.Application.Quotas;

/// <summary>
/// What is in projects, counted from the things themselves, so that it cannot drift from them. Within a write it is as if that were alone, so what is
/// found to be within limits stays so until it is taken.
/// </summary>
internal static class QuotaUse
{
    /// <summary>Why the project cannot have that much more; empty where it can.</summary>
    /// <param name="asked">By resource (<see cref="QuotaResources"/>).</param>
    public static async Task<IReadOnlyList<Refusal>> Check(ConsoleDb db, ProjectRow project, IReadOnlyDictionary<string, long> asked, CancellationToken stop)
    {
        var organization = await db.Organizations.AsNoTracking().SingleAsync(o => o.Id == project.Organization, stop);
        if (project.Quota.Count == 0 && organization.Quota.Count == 0) return [];
        return Quota.Check(asked,
        [
            Level(project, organization, await Of(db, Only(db, project), [.. project.Quota.Keys.Where(asked.ContainsKey)], stop)),
            Level(organization, await Of(db, All(db, project.Organization), [.. organization.Quota.Keys.Where(asked.ContainsKey)], stop)),
        ]);
    }

    /// <summary>What a new VM takes.</summary>
    public static IReadOnlyDictionary<string, long> OfVm(VmSpec spec, IEnumerable<NetworkRow> networks) => new Dictionary<string, long>
    {
        [QuotaResources.Vms] = 1, [QuotaResources.Vcpus] = spec.Size.Vcpus, [QuotaResources.MemoryMib] = spec.Size.MemoryMib,
        [QuotaResources.DiskGib] = spec.Size.DiskGib, [QuotaResources.DiskOf(spec.StorageClass)] = spec.Size.DiskGib,
        [QuotaResources.Addresses] = networks.Count(n => n.Kind == NetworkKind.Vxlan),
    };

    public static IReadOnlyDictionary<string, long> OfDisk(string storageClass, long gib) => new Dictionary<string, long> { [QuotaResources.DiskGib] = gib, [QuotaResources.DiskOf(storageClass)] = gib };

    public static IReadOnlyDictionary<string, long> OfResize(Resources more) => new Dictionary<string, long> { [QuotaResources.Vcpus] = more.Vcpus, [QuotaResources.MemoryMib] = more.MemoryMib };

    public static IReadOnlyDictionary<string, long> One(string resource) => new Dictionary<string, long> { [resource] = 1 };

    public static IQueryable<ProjectId> Only(ConsoleDb db, ProjectRow project) => db.Projects.Where(p => p.Id == project.Id).Select(p => p.Id);

    public static IQueryable<ProjectId> All(ConsoleDb db, OrganizationId organization) => db.Projects.Where(p => p.Organization == organization).Select(p => p.Id);

    private static QuotaLevel Level(ProjectRow project, OrganizationRow organization, IReadOnlyDictionary<string, long> used) =>
        new($"project {project.Name}", project.Quota, used, $"an admin of organization {organization.Name}");

    private static QuotaLevel Level(OrganizationRow organization, IReadOnlyDictionary<string, long> used) => new($"organization {organization.Name}", organization.Quota, used, "an admin of the platform");

    /// <summary>What is in these projects; what is deleted and can still be restored counts.</summary>
    /// <param name="resources">Which to count.</param>
    public static async Task<IReadOnlyDictionary<string, long>> Of(ConsoleDb db, IQueryable<ProjectId> projects, IReadOnlyCollection<string> resources, CancellationToken stop)
    {
        var used = new Dictionary<string, long>();
        if (resources.Any(r => r is not (QuotaResources.Networks or QuotaResources.Addresses)))
        {
            var vms = await db.Vms.Where(v => v.DeletedAt == null && projects.Contains(v.Project)).GroupBy(v => v.StorageClass)
                .Select(g => new { Class = g.Key, Vms = g.LongCount(), Vcpus = g.Sum(v => (long)v.Vcpus), MemoryMib = g.Sum(v => (long)v.MemoryMib), DiskGib = g.Sum(v => (long)v.DiskGib) }).ToListAsync(stop);
            foreach (var group in vms)
            {
                Add(QuotaResources.Vms, group.Vms);
                Add(QuotaResources.Vcpus, group.Vcpus);
                Add(QuotaResources.MemoryMib, group.MemoryMib);
                AddDisk(group.Class, group.DiskGib);
            }
        }
        if (resources.Any(r => r == QuotaResources.DiskGib || QuotaResources.StorageClassOf(r) is not null))
        {
            var volumes = await db.Volumes.Where(v => v.DeletedAt == null && projects.Contains(v.Project)).GroupBy(v => v.StorageClass).Select(g => new { Class = g.Key, DiskGib = g.Sum(v => (long)v.SizeGib) }).ToListAsync(stop);
            foreach (var group in volumes) AddDisk(group.Class, group.DiskGib);
        }
        if (resources.Contains(QuotaResources.Networks)) Add(QuotaResources.Networks, await db.Networks.LongCountAsync(n => projects.Contains(n.Project), stop));
        if (resources.Contains(QuotaResources.Addresses)) Add(QuotaResources.Addresses, await db.NetworkAddresses.LongCountAsync(a => db.Networks.Any(n => n.Id == a.Network && projects.Contains(n.Project)), stop));
        return used;

        void Add(string resource, long amount) => used[resource] = used.GetValueOrDefault(resource) + amount;

        void AddDisk(string storageClass, long gib)
        {
            Add(QuotaResources.DiskGib, gib);
            Add(QuotaResources.DiskOf(storageClass), gib);
        }
    }
}
