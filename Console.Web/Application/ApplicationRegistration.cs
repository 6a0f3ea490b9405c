using Plinth.Web.Application.Agents;
using Plinth.Web.Application.Backup;
using Plinth.Web.Application.Catalogue;
using Plinth.Web.Application.History;
using Plinth.Web.Application.Hosts;
using Plinth.Web.Application.Identity;
using Plinth.Web.Application.Machines;
using Plinth.Web.Application.Networks;
using Plinth.Web.Application.Operations;
using Plinth.Web.Application.Overview;
using Plinth.Web.Application.Personal;
using Plinth.Web.Application.Placement;
using Plinth.Web.Application.Search;
using Plinth.Web.Application.Servers;
using Plinth.Web.Application.Start;
using Plinth.Web.Application.Storage;
using Plinth.Web.Application.Upkeep;
using Plinth.Web.Application.Volumes;
using Plinth.Core.State;
using Plinth.Web.Persistence;
using Plinth.Web.Workers;

namespace Plinth.Web.Application;

public static class ApplicationRegistration
{
    /// <summary>
    /// The use cases, what agents are told and tell, the start steps and the workers. Needs the store, the live feed,
    /// <see cref="IAgentGateway"/>, <see cref="IConsoleBroker"/>, <see cref="IPeerImages"/> and <see cref="IAgentOffer"/>.
    /// </summary>
    public static IServiceCollection AddPlinthApplication(this IServiceCollection services)
    {
        services.AddSingleton(s => ApplicationSettings.From(s.GetRequiredService<IConfiguration>()));
        services.AddSingleton<Signals>();
        services.AddSingleton<LiveHosts>();
        services.AddSingleton<ServerIdentity>().AddSingleton<ServerViews>().AddSingleton<IServerRegistry>(s => s.GetRequiredService<ServerViews>());
        // SQLite has one server, whose lease needs no renewal.
        services.AddSingleton(s => new Leader(s.GetRequiredService<TimeProvider>()) { Bound = s.GetRequiredService<DatabaseSettings>().Engine == DatabaseEngine.Postgres ? Leadership.ActsFor : null });
        services.AddSingleton<ILeadership>(s => s.GetRequiredService<Leader>());
        // Before the workers, and so stopped after them.
        services.AddHostedService<LeaderElection>().AddHostedService<PeerLink>();
        services.AddSingleton<RefusalBundler>().AddSingleton<WrongTries>().AddSingleton<Passwords>().AddSingleton<AuthenticatorKeys>();
        services.AddSingleton<IOperatorLink, OperatorLink>().AddSingleton<ISignIn, SignIn>().AddSingleton<IPasskeys, StoredPasskeys>().AddSingleton<IAccount, AccountUseCases>();
        services.AddSingleton<AccessControl>().AddSingleton<OperationAnswers>().AddSingleton<Mutations>();
        // The hub needs the application and the application needs the hub: the second is looked up at its first use.
        services.AddSingleton(s => new Lazy<IPrograms>(s.GetRequiredService<IPrograms>));
        services.AddSingleton(s => new Lazy<IAgentGateway>(s.GetRequiredService<IAgentGateway>));

        services.AddSingleton<VmViews>().AddSingleton<HostViews>().AddSingleton<NetworkWriter>().AddSingleton<MachineWriter>().AddSingleton<Placer>();
        services.AddSingleton<VolumeViews>().AddSingleton<VolumeWriter>();
        services.AddSingleton<MetricReader>().AddSingleton<MetricWriter>();
        services.AddSingleton<DesiredStateReader>().AddSingleton<ReportReader>();
        services.AddSingleton<ImageFiles>().AddSingleton<IImageContent>(s => s.GetRequiredService<ImageFiles>()).AddSingleton<ImageCopies>();

        services.AddSingleton<IVirtualMachines, VirtualMachines>();
        services.AddSingleton<IBulkActs, BulkActs>();
        services.AddSingleton<ISnapshots, SnapshotUseCases>();
        services.AddSingleton<IRootDisks, RootDiskUseCases>();
        services.AddSingleton<IInterfaces, InterfaceUseCases>();
        services.AddSingleton<IHistory, HistoryUseCases>();
        services.AddSingleton<IVolumes, VolumeUseCases>();
        services.AddSingleton<IHosts, HostUseCases>();
        services.AddSingleton<IOperations, OperationUseCases>();
        services.AddSingleton<ICatalogue, CatalogueUseCases>();
        services.AddSingleton<INetworks, NetworkUseCases>();
        services.AddSingleton<IStorageClasses, StorageClassUseCases>();
        services.AddSingleton<ITenancy, Tenancy>().AddSingleton<IQuotas, Quotas.QuotaUseCases>().AddSingleton<IQuotaRequests, Quotas.QuotaRequestUseCases>().AddSingleton<IAccess, AccessUseCases>().AddSingleton<IAccessQuestions, AccessQuestions>().AddSingleton<IElevations, Elevations>();
        services.AddSingleton<IAuditLog, AuditLog>();
        services.AddSingleton<IOverview, OverviewUseCases>();
        services.AddSingleton<LedgerCheck>().AddSingleton<SelfChecks>().AddSingleton<IUpkeep, UpkeepUseCases>();
        services.AddSingleton<ISearch, SearchUseCase>();
        services.AddSingleton<IPersonal, PersonalUseCases>();
        services.AddSingleton<AgentSightings>().AddSingleton<AgentRoller>().AddSingleton<IAgentUpgrades, AgentUpgrades>();
        services.AddSingleton<IAgentDirectory, AgentDirectory>();
        services.AddSingleton<IHostRegistry, HostRegistry>();

        services.AddSingleton<IStartupStep, SeedCatalogue>();
        services.AddSingleton<IStartupStep, ImportBundledImage>();
        services.AddSingleton<IStartupStep, TellOfRestore>();
        services.AddSingleton<IStartupStep, PrepareSearch>();

        services.AddWorker<PlacementWorker>().AddWorker<OperationDriver>().AddWorker<DeletionDriver>().AddWorker<HostLiveness>().AddWorker<AgentRolling>().AddWorker<Retention>();
        services.AddWorker<AuditSequencing>().AddWorker<MetricsUpkeep>().AddWorker<SelfChecking>().AddWorker<ImageCopying>();
        services.AddSingleton<IReadinessCheck, WorkersReadiness>();
        return services;
    }

    private static IServiceCollection AddWorker<T>(this IServiceCollection services) where T : Worker =>
        services.AddSingleton<T>().AddSingleton<Worker>(s => s.GetRequiredService<T>()).AddHostedService(s => s.GetRequiredService<T>());
}
