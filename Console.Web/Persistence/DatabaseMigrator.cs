using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using OpenIddict.Abstractions;
using OpenIddict.EntityFrameworkCore.Models;
using Plinth.Core.Identity;
using Plinth.Core.Network;
using Plinth.Core.Primitives;
using Plinth.Core.Storage;
using Plinth.Web.Persistence.Rows;

namespace Plinth.Web.Persistence;

/// <summary>Brings the database to this version's form and makes what exists from the first day. Runs before anything else; running it again changes nothing.</summary>
public sealed class DatabaseMigrator(IDbContextFactory<ConsoleDb> contexts, IConsoleStore store)
{
    public async Task Migrate(CancellationToken stop)
    {
        await using (var db = contexts.CreateDbContext())
        {
            // On PostgreSQL a fresh database would be greeted with a logged error about the missing history table.
            if (db.Database.IsNpgsql() && await db.Database.CanConnectAsync(stop)) await db.GetService<IHistoryRepository>().CreateIfNotExistsAsync(stop);
            await db.Database.MigrateAsync(stop);
        }
        await store.Write(Seed, stop);
    }

    private static async Task<int> Seed(WriteScope scope)
    {
        var (db, now) = (scope.Db, scope.Now);
        if (!await db.Organizations.AnyAsync(o => o.Id == WellKnown.DefaultOrganization))
            db.Add(new OrganizationRow { Id = WellKnown.DefaultOrganization, Name = WellKnown.DefaultName, CreatedAt = now });
        if (!await db.Projects.AnyAsync(p => p.Id == WellKnown.DefaultProject))
            db.Add(new ProjectRow { Id = WellKnown.DefaultProject, Organization = WellKnown.DefaultOrganization, Name = WellKnown.DefaultName, CreatedAt = now });
        if (!await db.Networks.AnyAsync(n => n.Id == WellKnown.DefaultNetwork))
            db.Add(new NetworkRow
            {
                Id = WellKnown.DefaultNetwork,
                Project = WellKnown.DefaultProject,
                Name = WellKnown.DefaultName,
                Description = "A bridge on each host with DHCP and source NAT; guests reach the world, the world does not reach them.",
                Kind = NetworkKind.HostNat,
                Cidr = WellKnown.DefaultNetworkCidr,
                CreatedAt = now,
            });
        if (!await db.StorageClasses.AnyAsync(s => s.Id == WellKnown.DefaultStorageClass))
            db.Add(new StorageClassRow
            {
                Id = WellKnown.DefaultStorageClass,
                Name = WellKnown.DefaultName,
                Description = "Any pool, as fast as it is.",
                CreatedAt = now,
            });
        // A console from before there were roles: whoever could do everything still can.
        if (!await db.RoleBindings.AnyAsync())
        {
            foreach (var user in await db.Users.Select(u => u.Id).ToListAsync()) db.Add(PlatformAdmin(PrincipalKind.User, user.ToString(), now));
            foreach (var client in await db.Set<OpenIddictEntityFrameworkCoreApplication>().Where(a => a.ClientType == OpenIddictConstants.ClientTypes.Confidential).Select(a => a.ClientId).ToListAsync())
                db.Add(PlatformAdmin(PrincipalKind.Client, client!, now));
        }
        return 0;
    }

    /// <summary>The first that somebody has, given by the console itself.</summary>
    internal static RoleBindingRow PlatformAdmin(PrincipalKind kind, string subject, DateTimeOffset now) => new()
    {
        Id = RoleBindingId.New(now), SubjectKind = kind, Subject = subject, Role = Roles.PlatformAdmin.Name, CreatedBy = Principal.System.Name, CreatedAt = now,
    };
}
