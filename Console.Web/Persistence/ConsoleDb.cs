using Microsoft.AspNetCore.DataProtection.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore;
using Plinth.Web.Persistence.Mapping;
using Plinth.Web.Persistence.Rows;

namespace Plinth.Web.Persistence;

/// <summary>
/// The console's database. One model for both engines; <see cref="SqliteConsoleDb"/> and <see cref="PostgresConsoleDb"/> differ
/// in migrations and collation only. Read from <see cref="IConsoleStore.Read"/>, write in <see cref="IConsoleStore.Write{T}"/>:
/// rows of the fleet refuse to be saved in any other way, so that no change escapes the change log.
/// </summary>
public abstract class ConsoleDb(DbContextOptions options) : DbContext(options), IDataProtectionKeyContext
{
    public DbSet<OrganizationRow> Organizations => Set<OrganizationRow>();
    public DbSet<ProjectRow> Projects => Set<ProjectRow>();
    public DbSet<QuotaRequestRow> QuotaRequests => Set<QuotaRequestRow>();
    public DbSet<RoleRow> Roles => Set<RoleRow>();
    public DbSet<RoleBindingRow> RoleBindings => Set<RoleBindingRow>();
    public DbSet<HostRow> Hosts => Set<HostRow>();
    public DbSet<TombstoneRow> Tombstones => Set<TombstoneRow>();
    public DbSet<CommandRow> Commands => Set<CommandRow>();
    public DbSet<AgentRollRow> AgentRolls => Set<AgentRollRow>();
    public DbSet<JoinTokenRow> JoinTokens => Set<JoinTokenRow>();
    public DbSet<VmRow> Vms => Set<VmRow>();
    public DbSet<VolumeRow> Volumes => Set<VolumeRow>();
    public DbSet<VolumeAllocationRow> VolumeAllocations => Set<VolumeAllocationRow>();
    public DbSet<OperationRow> Operations => Set<OperationRow>();
    public DbSet<AllocationRow> Allocations => Set<AllocationRow>();
    public DbSet<DecisionRow> Decisions => Set<DecisionRow>();
    public DbSet<ImageRow> Images => Set<ImageRow>();
    public DbSet<FlavorRow> Flavors => Set<FlavorRow>();
    public DbSet<NetworkRow> Networks => Set<NetworkRow>();
    public DbSet<NetworkAddressRow> NetworkAddresses => Set<NetworkAddressRow>();
    public DbSet<StorageClassRow> StorageClasses => Set<StorageClassRow>();
    public DbSet<ChangeLogRow> ChangeLog => Set<ChangeLogRow>();
    public DbSet<AuditEntryRow> AuditEntries => Set<AuditEntryRow>();
    public DbSet<AuditLeafRow> AuditLeaves => Set<AuditLeafRow>();
    public DbSet<AuditNodeRow> AuditNodes => Set<AuditNodeRow>();
    public DbSet<AuditCheckpointRow> AuditCheckpoints => Set<AuditCheckpointRow>();
    public DbSet<IdempotencyKeyRow> IdempotencyKeys => Set<IdempotencyKeyRow>();
    public DbSet<WorkerLeaseRow> WorkerLeases => Set<WorkerLeaseRow>();
    public DbSet<ServerRow> Servers => Set<ServerRow>();
    public DbSet<SettingRow> Settings => Set<SettingRow>();
    public DbSet<UserRow> Users => Set<UserRow>();
    public DbSet<PreferenceRow> Preferences => Set<PreferenceRow>();
    public DbSet<SavedViewRow> SavedViews => Set<SavedViewRow>();
    public DbSet<CredentialRow> Credentials => Set<CredentialRow>();
    public DbSet<PasskeyRow> Passkeys => Set<PasskeyRow>();
    public DbSet<ElevationRow> Elevations => Set<ElevationRow>();
    public DbSet<SessionRow> Sessions => Set<SessionRow>();
    public DbSet<SignInLinkRow> SignInLinks => Set<SignInLinkRow>();
    public DbSet<DataProtectionKey> DataProtectionKeys => Set<DataProtectionKey>();

    /// <summary>The write this context belongs to; null for reads and for the tables of the frameworks.</summary>
    internal WriteScope? Scope { get; set; }

    /// <summary>One collation for cursors on both engines: bytes of UTF-8.</summary>
    protected abstract string Collation { get; }

    protected override void ConfigureConventions(ModelConfigurationBuilder configurationBuilder) => Conventions.Apply(configurationBuilder);

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.UseOpenIddict();
        Tables.Map(modelBuilder);
        foreach (var entity in modelBuilder.Model.GetEntityTypes())
            foreach (var property in entity.GetProperties())
            {
                if ((property.GetProviderClrType() ?? property.ClrType) == typeof(string) || property.GetValueConverter()?.ProviderClrType == typeof(string)) property.SetCollation(Collation);
                if (property.Name == nameof(IVersioned.Version) && typeof(IVersioned).IsAssignableFrom(entity.ClrType)) property.IsConcurrencyToken = true;
            }
    }

    public override Task<int> SaveChangesAsync(bool acceptAllChangesOnSuccess, CancellationToken cancellationToken = default)
    {
        ChangeRecorder.Record(this);
        return base.SaveChangesAsync(acceptAllChangesOnSuccess, cancellationToken);
    }

    public override int SaveChanges(bool acceptAllChangesOnSuccess)
    {
        ChangeRecorder.Record(this);
        return base.SaveChanges(acceptAllChangesOnSuccess);
    }
}

public sealed class SqliteConsoleDb(DbContextOptions<SqliteConsoleDb> options) : ConsoleDb(options)
{
    protected override string Collation => "BINARY";

    /// <summary>
    /// All that a search reads of a VM, apart from its wide row. PostgreSQL scans the rows instead (its index entries end at
    /// 2.7 KB, and descriptions with labels may be longer).
    /// </summary>
    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        base.OnModelCreating(modelBuilder);
        modelBuilder.Entity<VmRow>().HasIndex(v => new { v.DeletedAt, v.Name, v.SearchText, v.Id }, "IX_Vms_Search");
    }
}

public sealed class PostgresConsoleDb(DbContextOptions<PostgresConsoleDb> options) : ConsoleDb(options)
{
    protected override string Collation => "C";
}
