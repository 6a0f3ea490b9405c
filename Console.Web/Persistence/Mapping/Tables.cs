using Microsoft.EntityFrameworkCore;
using Plinth.Core.Inventory;
using Plinth.Web.Persistence.Rows;

namespace Plinth.Web.Persistence.Mapping;

/// <summary>Keys, indexes and references of every table.</summary>
internal static class Tables
{
    public static void Map(ModelBuilder model)
    {
        Tenancy(model);
        Fleet(model);
        Machines(model);
        Volumes(model);
        Catalogue(model);
        Ledgers(model);
        AccessTables(model);
    }

    private static void Tenancy(ModelBuilder model)
    {
        model.Entity<OrganizationRow>(e =>
        {
            e.ToTable("Organizations").HasKey(o => o.Id);
            e.HasIndex(o => o.Name).IsUnique().HasFilter($"\"{nameof(OrganizationRow.DeletedAt)}\" IS NULL");
        });
        model.Entity<ProjectRow>(e =>
        {
            e.ToTable("Projects").HasKey(p => p.Id);
            e.HasIndex(p => new { p.Organization, p.Name }).IsUnique().HasFilter($"\"{nameof(ProjectRow.DeletedAt)}\" IS NULL");
            e.HasIndex(p => p.Name);
            e.HasOne<OrganizationRow>().WithMany().HasForeignKey(p => p.Organization).OnDelete(DeleteBehavior.Restrict);
        });
        model.Entity<QuotaRequestRow>(e =>
        {
            e.ToTable("QuotaRequests").HasKey(r => r.Id);
            e.HasIndex(r => r.Project);
            e.HasIndex(r => r.State);
            e.HasOne<ProjectRow>().WithMany().HasForeignKey(r => r.Project).OnDelete(DeleteBehavior.Restrict);
        });
    }

    private static void Fleet(ModelBuilder model)
    {
        model.Entity<HostRow>(e =>
        {
            e.ToTable("Hosts").HasKey(h => h.Id);
            e.HasIndex(h => h.Name);
            // A retired host's machine may join anew.
            e.HasIndex(h => h.MachineId).IsUnique().HasFilter($"\"{nameof(HostRow.State)}\" <> '{nameof(HostState.Retired)}'");
        });
        model.Entity<TombstoneRow>(e =>
        {
            e.ToTable("Tombstones").HasKey(t => new { t.Host, t.Vm });
            e.HasOne<HostRow>().WithMany().HasForeignKey(t => t.Host).OnDelete(DeleteBehavior.Restrict);
        });
        model.Entity<CommandRow>(e =>
        {
            e.ToTable("Commands").HasKey(c => c.Id);
            e.HasIndex(c => new { c.Host, c.State });
            e.HasOne<HostRow>().WithMany().HasForeignKey(c => c.Host).OnDelete(DeleteBehavior.Restrict);
        });
        model.Entity<AgentRollRow>(e =>
        {
            e.ToTable("AgentRolls").HasKey(r => r.Operation);
            e.HasOne<OperationRow>().WithOne().HasForeignKey<AgentRollRow>(r => r.Operation).OnDelete(DeleteBehavior.Restrict);
        });
        model.Entity<JoinTokenRow>(e =>
        {
            e.ToTable("JoinTokens").HasKey(t => t.Id);
            e.HasIndex(t => t.TokenHash).IsUnique();
        });
    }

    private static void Machines(ModelBuilder model)
    {
        model.Entity<VmRow>(e =>
        {
            e.ToTable("Vms").HasKey(v => v.Id);
            e.HasIndex(v => new { v.StorageClass, v.DeletedAt, v.Host });
            e.HasIndex(v => new { v.Project, v.Name }).IsUnique().HasFilter($"\"{nameof(VmRow.DeletedAt)}\" IS NULL");
            e.HasIndex(v => v.Host);
            e.HasIndex(v => v.State);
            e.HasIndex(v => v.Trouble).HasFilter($"\"{nameof(VmRow.Trouble)}\" <> ''");
            e.HasIndex(v => v.Image);
            e.HasOne<ProjectRow>().WithMany().HasForeignKey(v => v.Project).OnDelete(DeleteBehavior.Restrict);
            e.HasOne<HostRow>().WithMany().HasForeignKey(v => v.Host).OnDelete(DeleteBehavior.Restrict);
        });
        model.Entity<OperationRow>(e =>
        {
            e.ToTable("Operations").HasKey(o => o.Id);
            e.HasIndex(o => o.Vm);
            e.HasIndex(o => o.Volume);
            e.HasIndex(o => o.State);
            e.HasIndex(o => new { o.Target, o.CreatedAt });
        });
        model.Entity<AllocationRow>(e =>
        {
            e.ToTable("Allocations").HasKey(a => a.Vm);
            e.HasIndex(a => a.Host);
            e.HasOne<VmRow>().WithMany().HasForeignKey(a => a.Vm).OnDelete(DeleteBehavior.Restrict);
            e.HasOne<HostRow>().WithMany().HasForeignKey(a => a.Host).OnDelete(DeleteBehavior.Restrict);
        });
        model.Entity<DecisionRow>(e =>
        {
            e.ToTable("Decisions").HasKey(d => d.Id);
            e.HasIndex(d => new { d.Vm, d.Id });
        });
    }

    private static void Volumes(ModelBuilder model)
    {
        model.Entity<VolumeRow>(e =>
        {
            e.ToTable("Volumes").HasKey(v => v.Id);
            e.HasIndex(v => new { v.Project, v.Name }).IsUnique().HasFilter($"\"{nameof(VolumeRow.DeletedAt)}\" IS NULL");
            e.HasIndex(v => v.Host);
            e.HasIndex(v => v.Vm);
            e.HasOne<ProjectRow>().WithMany().HasForeignKey(v => v.Project).OnDelete(DeleteBehavior.Restrict);
            e.HasOne<HostRow>().WithMany().HasForeignKey(v => v.Host).OnDelete(DeleteBehavior.Restrict);
            e.HasOne<VmRow>().WithMany().HasForeignKey(v => v.Vm).OnDelete(DeleteBehavior.Restrict);
        });
        model.Entity<VolumeAllocationRow>(e =>
        {
            e.ToTable("VolumeAllocations").HasKey(a => a.Volume);
            e.HasIndex(a => a.Host);
            e.HasOne<VolumeRow>().WithMany().HasForeignKey(a => a.Volume).OnDelete(DeleteBehavior.Restrict);
            e.HasOne<HostRow>().WithMany().HasForeignKey(a => a.Host).OnDelete(DeleteBehavior.Restrict);
        });
    }

    private static void Catalogue(ModelBuilder model)
    {
        model.Entity<ImageRow>(e =>
        {
            e.ToTable("Images").HasKey(i => i.Id);
            e.HasIndex(i => i.Name).IsUnique();
            e.HasIndex(i => i.Digest);
        });
        model.Entity<FlavorRow>(e =>
        {
            e.ToTable("Flavors").HasKey(f => f.Id);
            e.HasIndex(f => f.Name).IsUnique();
        });
        model.Entity<NetworkRow>(e =>
        {
            e.ToTable("Networks").HasKey(n => n.Id);
            e.HasIndex(n => new { n.Project, n.Name }).IsUnique();
            e.HasIndex(n => n.Vni).IsUnique().HasFilter($"\"{nameof(NetworkRow.Vni)}\" <> 0");
            e.HasOne<ProjectRow>().WithMany().HasForeignKey(n => n.Project).OnDelete(DeleteBehavior.Restrict);
        });
        model.Entity<NetworkAddressRow>(e =>
        {
            e.ToTable("NetworkAddresses").HasKey(a => new { a.Network, a.Address });
            e.HasIndex(a => new { a.Network, a.Mac }).IsUnique();
            e.HasIndex(a => a.Vm);
            e.HasOne<NetworkRow>().WithMany().HasForeignKey(a => a.Network).OnDelete(DeleteBehavior.Restrict);
        });
        model.Entity<StorageClassRow>(e =>
        {
            e.ToTable("StorageClasses").HasKey(s => s.Id);
            e.HasIndex(s => s.Name).IsUnique();
        });
    }

    private static void Ledgers(ModelBuilder model)
    {
        model.Entity<ChangeLogRow>(e =>
        {
            e.ToTable("ChangeLog").HasKey(c => c.Version);
            e.Property(c => c.Version).ValueGeneratedOnAdd();
            e.HasIndex(c => new { c.Kind, c.Id, c.Version });
            e.HasIndex(c => c.At);
        });
        model.Entity<AuditEntryRow>(e =>
        {
            e.ToTable("AuditEntries").HasKey(a => a.Sequence);
            e.Property(a => a.Sequence).ValueGeneratedOnAdd();
            e.HasIndex(a => a.Action);
        });
        model.Entity<AuditLeafRow>(e =>
        {
            e.ToTable("AuditLeaves").HasKey(l => l.Index);
            e.Property(l => l.Index).ValueGeneratedNever();
            e.HasIndex(l => l.Sequence).IsUnique();
            e.HasOne<AuditEntryRow>().WithOne().HasForeignKey<AuditLeafRow>(l => l.Sequence).OnDelete(DeleteBehavior.Restrict);
        });
        model.Entity<AuditNodeRow>().ToTable("AuditNodes").HasKey(n => new { n.Level, n.Index });
        model.Entity<AuditCheckpointRow>(e =>
        {
            e.ToTable("AuditCheckpoints").HasKey(c => c.Size);
            e.Property(c => c.Size).ValueGeneratedNever();
        });
    }

    private static void AccessTables(ModelBuilder model)
    {
        model.Entity<IdempotencyKeyRow>(e =>
        {
            e.ToTable("IdempotencyKeys").HasKey(k => new { k.Principal, k.Key });
            e.HasIndex(k => k.CreatedAt);
        });
        model.Entity<WorkerLeaseRow>().ToTable("WorkerLeases").HasKey(w => w.Name);
        model.Entity<ServerRow>().ToTable("Servers").HasKey(s => s.Id);
        model.Entity<SettingRow>().ToTable("Settings").HasKey(s => s.Key);
        model.Entity<PreferenceRow>().ToTable("Preferences").HasKey(p => new { p.Principal, p.Key });
        model.Entity<SavedViewRow>(e =>
        {
            e.ToTable("SavedViews").HasKey(v => v.Id);
            e.HasIndex(v => new { v.Principal, v.List, v.Name }).IsUnique();
        });
        model.Entity<UserRow>(e =>
        {
            e.ToTable("Users").HasKey(u => u.Id);
            e.HasIndex(u => u.Name).IsUnique();
        });
        model.Entity<ElevationRow>(e =>
        {
            e.ToTable("Elevations").HasKey(r => r.Id);
            e.HasIndex(r => r.AskedAt);
            e.HasOne<UserRow>().WithMany().HasForeignKey(r => r.User).OnDelete(DeleteBehavior.Cascade);
        });
        model.Entity<CredentialRow>(e =>
        {
            e.ToTable("Credentials").HasKey(c => c.User);
            e.HasOne<UserRow>().WithOne().HasForeignKey<CredentialRow>(c => c.User).OnDelete(DeleteBehavior.Cascade);
        });
        model.Entity<PasskeyRow>(e =>
        {
            e.ToTable("Passkeys").HasKey(p => p.Id);
            e.HasIndex(p => p.CredentialId).IsUnique();
            e.HasIndex(p => p.User);
            e.HasOne<UserRow>().WithMany().HasForeignKey(p => p.User).OnDelete(DeleteBehavior.Cascade);
        });
        model.Entity<SessionRow>(e =>
        {
            e.ToTable("Sessions").HasKey(s => s.Id);
            e.HasIndex(s => s.User);
            e.HasIndex(s => s.TokenHash).IsUnique();
            e.HasOne<UserRow>().WithMany().HasForeignKey(s => s.User).OnDelete(DeleteBehavior.Cascade);
        });
        model.Entity<RoleRow>().ToTable("Roles").HasKey(r => r.Name);
        model.Entity<RoleBindingRow>(e =>
        {
            e.ToTable("RoleBindings").HasKey(b => b.Id);
            e.HasIndex(b => new { b.SubjectKind, b.Subject });
            e.HasIndex(b => b.Project);
            e.HasOne<OrganizationRow>().WithMany().HasForeignKey(b => b.Organization).OnDelete(DeleteBehavior.Cascade);
            e.HasOne<ProjectRow>().WithMany().HasForeignKey(b => b.Project).OnDelete(DeleteBehavior.Cascade);
        });
        model.Entity<SignInLinkRow>(e =>
        {
            e.ToTable("SignInLinks").HasKey(l => l.TokenHash);
            e.HasOne<UserRow>().WithMany().HasForeignKey(l => l.User).OnDelete(DeleteBehavior.Cascade);
        });
    }
}
