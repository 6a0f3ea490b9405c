using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Plinth.Web.Persistence.Auditing;
using Plinth.Web.Persistence.Capacity;
using Plinth.Web.Persistence.Leading;
using Plinth.Web.Persistence.Metrics;

namespace Plinth.Web.Persistence;

public static class PersistenceRegistration
{
    /// <summary>
    /// The store and what rests on it. Needs an <see cref="Live.IChangeFeed"/>. <see cref="DatabaseMigrator.Migrate"/> is to be called once before the host starts.
    /// OpenIddict and Data Protection use <see cref="ConsoleDb"/>, registered as scoped.
    /// </summary>
    public static IServiceCollection AddPlinthPersistence(this IServiceCollection services, DatabaseSettings settings)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton(settings);
        services.AddSingleton<IDbContextFactory<ConsoleDb>>(s => new ConsoleDbFactory(settings, s.GetRequiredService<ILoggerFactory>()));
        services.AddScoped(s => s.GetRequiredService<IDbContextFactory<ConsoleDb>>().CreateDbContext());
        services.AddSingleton<ConsoleStore>().AddSingleton<IConsoleStore>(s => s.GetRequiredService<ConsoleStore>());
        services.AddSingleton<Leases>().AddSingleton<PeerChanges>();
        services.AddSingleton<FleetCache>();
        services.AddSingleton<ICapacityWriter, CapacityWriter>();
        services.AddSingleton<IMetricsStore, MetricsStore>();
        services.AddSingleton<AuditKey>();
        services.AddSingleton<AuditSequencer>();
        services.AddSingleton<DatabaseMigrator>();
        return services;
    }
}
