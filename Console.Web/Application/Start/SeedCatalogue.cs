using Microsoft.EntityFrameworkCore;
using Plinth.Core.Identity;
using Plinth.Core.Network;
using Plinth.Core.Primitives;
using Plinth.Core.Storage;
using Plinth.Web.Persistence;
using Plinth.Web.Persistence.Rows;

namespace Plinth.Web.Application.Start;

/// <summary>What exists from the first day: one organization, project, network, storage class and a few flavors. Never changes what is there.</summary>
internal sealed class SeedCatalogue(IConsoleStore store) : IStartupStep
{
    private static readonly (string Name, Resources Size, string Description)[] Flavors =
    [
        ("tiny", new Resources(1, 128, 1), "For trying things out; fits software emulation."),
        ("small", new Resources(1, 512, 2), "One small service."),
        ("medium", new Resources(2, 2048, 10), "A usual Linux server."),
        ("large", new Resources(4, 4096, 20), "Databases and builds."),
    ];

    public int Order => 10;

    public Task Run(CancellationToken stop) => store.Write(async scope =>
    {
        // Hosts said to be connected were so before this start.
        foreach (var host in await scope.Db.Hosts.Where(h => h.Connected).ToListAsync(stop)) host.Connected = false;
        if (await scope.Db.Organizations.AnyAsync(o => o.Id == WellKnown.DefaultOrganization, stop)) return Done.Value;
        scope.Db.Organizations.Add(new OrganizationRow { Id = WellKnown.DefaultOrganization, Name = WellKnown.DefaultName, CreatedAt = scope.Now });
        scope.Db.Projects.Add(new ProjectRow { Id = WellKnown.DefaultProject, Organization = WellKnown.DefaultOrganization, Name = WellKnown.DefaultName, CreatedAt = scope.Now });
        scope.Db.Networks.Add(new NetworkRow
        {
            Id = WellKnown.DefaultNetwork, Project = WellKnown.DefaultProject, Name = WellKnown.DefaultName, Description = "NAT on each host; the same addresses everywhere, reachable from the host only.",
            Kind = NetworkKind.HostNat, Cidr = WellKnown.DefaultNetworkCidr, CreatedAt = scope.Now,
        });
        scope.Db.StorageClasses.Add(new StorageClassRow { Id = WellKnown.DefaultStorageClass, Name = WellKnown.DefaultName, Description = "Files on the host's own disk.", Kind = PoolKind.Directory, CreatedAt = scope.Now });
        foreach (var (name, size, description) in Flavors)
            scope.Db.Flavors.Add(new FlavorRow { Id = FlavorId.New(scope.Now), Name = name, Description = description, Vcpus = size.Vcpus, MemoryMib = size.MemoryMib, DiskGib = size.DiskGib, CreatedAt = scope.Now });
        scope.Audit(Principal.System, null, "console.first-start", "console", null, AuditOutcomes.Done, "organization, project, network, storage class and flavors");
        return Done.Value;
    }, stop);
}
