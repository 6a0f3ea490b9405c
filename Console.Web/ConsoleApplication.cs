using Microsoft.Extensions.Logging.Console;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Plinth.Web.Api;
using Plinth.Web.Application;
using Plinth.Web.Application.Agents;
using Plinth.Web.Application.Backup;
using Plinth.Web.Application.Identity;
using Plinth.Web.Application.Servers;
using Plinth.Web.Components;
using Plinth.Web.Hosting;
using Plinth.Web.Hubs;
using Plinth.Web.Hubs.Consoles;
using Plinth.Web.Listeners;
using Plinth.Web.Live;
using Plinth.Web.Observability;
using Plinth.Web.Options;
using Plinth.Web.Persistence;
using Plinth.Web.Persistence.Leading;
using Plinth.Web.Security;
using Plinth.Web.Security.Certificates;
using Plinth.Web.Security.OpenId;
using Plinth.Web.Security.SignIn;

namespace Plinth.Web;

/// <summary>The composition root. Tests enter by the same door through one hook.</summary>
public static class ConsoleApplication
{
    public const int FailedExitCode = 1, BadSettingsExitCode = 2;

    // Guests live on; what is under way here is stored and goes on at the next start.
    private static readonly TimeSpan ShutdownTimeout = TimeSpan.FromSeconds(5);

    /// <summary>Serves until it is told to stop. Whatever prevents that is a sentence on standard error, never a stack trace.</summary>
    public static async Task<int> Run(string[] args)
    {
        try
        {
            if (await ConsoleCommands.Run(args) is { } exitCode) return exitCode;
            await using var app = Build(args);
            await app.RunAsync();
            return Environment.ExitCode;
        }
        catch (SettingsException e)
        {
            await System.Console.Error.WriteLineAsync(e.Message);
            return BadSettingsExitCode;
        }
        catch (Exception e)
        {
            await System.Console.Error.WriteLineAsync("Plinth could not start: " + Explain(e));
            return FailedExitCode;
        }
    }

    /// <param name="configure">Called last: what it registers wins. Settings are given as <paramref name="args"/>.</param>
    /// <exception cref="SettingsException">Settings are wrong; all of them are named.</exception>
    public static WebApplication Build(string[] args, Action<WebApplicationBuilder>? configure = null)
    {
        var builder = Settle(args);
        var options = ConsoleSettings.Read(builder.Configuration);
        var data = DataDirectory.Open(options.Data);
        data.Hold();
        try
        {
            ShareKeys(options, data);
            Log(builder, options.Telemetry);
            AddServices(builder, options, data);
            configure?.Invoke(builder);
            var app = builder.Build();
            app.Services.GetRequiredService<DataDirectory>();   // given back with the services
            app.Services.GetRequiredService<AgentMeter>();      // meters measure once they exist
            Pipeline(app, options);
            Endpoints(app);
            return app;
        }
        catch
        {
            data.Dispose();
            throw;
        }
    }

    /// <summary>The settings and what reads and writes the data, for what is done without serving.</summary>
    internal static WebApplication BuildTools(string[] args)
    {
        var builder = Settle(args);
        var options = ConsoleSettings.Read(builder.Configuration);
        var data = DataDirectory.Open(options.Data);
        Log(builder, options.Telemetry);
        builder.Services.AddSingleton(options).AddSingleton(_ => data).AddSingleton<IChangeFeed, ChangeFeed>();
        builder.Services.AddPlinthPersistence(DatabaseStartup.Settings(options.Database, data));
        builder.Services.AddSingleton(ApplicationSettings.From(builder.Configuration)).AddSingleton<Backups>().AddSingleton<Restore>().AddSingleton<IOperatorLink, OperatorLink>();
        return builder.Build();
    }

    private static WebApplicationBuilder Settle(string[] args) => WebApplication.CreateBuilder(new WebApplicationOptions
    {
        // Settings and static assets lie beside the assembly, wherever the console is started from.
        ContentRootPath = AppContext.BaseDirectory,
        ApplicationName = typeof(ConsoleApplication).Assembly.GetName().Name,
        Args = ["--hostBuilder:reloadConfigOnChange=false", .. args],
    });

    private static void AddServices(WebApplicationBuilder builder, ConsoleOptions options, DataDirectory data)
    {
        var services = builder.Services;
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton(options);
        services.AddSingleton(_ => data);
        services.AddSingleton<Readiness>();
        services.AddSingleton<IStartTurn, DatabaseStartTurn>();
        services.AddHostedService<StartupSteps>();      // first: workers start on data that is up to date

        services.AddSingleton<IChangeFeed, ChangeFeed>();
        services.AddPlinthPersistence(DatabaseStartup.Settings(options.Database, data));
        services.AddSingleton<IStartupStep, MigrateDatabase>();
        services.AddSingleton<IReadinessCheck, DatabaseReadiness>();

        services.AddPlinthApplication();
        services.AddSingleton<JoinTokens>();
        services.AddSingleton<IAgents>(s => s.GetRequiredService<JoinTokens>());
        services.AddSingleton<IJoinTokenIssuer>(s => s.GetRequiredService<JoinTokens>());
        services.AddSingleton<IEnrolmentAddress, EnrolmentAddress>();
        services.AddSingleton<IAgentOffer, AgentOffer>();
        services.AddSingleton<IServerAddresses, ServerAddresses>();

        services.AddPlinthSecurity(options, data);
        services.AddAgentHubs();
        services.AddPlinthApi();
        services.AddPortal();
        builder.AddTelemetry(options.Telemetry);
        services.AddCompression();

        services.AddSingleton<JoinFiles>();
        services.AddHostedService<ReadyBanner>();
        services.Configure<HostOptions>(host => host.ShutdownTimeout = ShutdownTimeout);
        builder.WebHost.UseStaticWebAssets();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.ApplicationServices.GetRequiredService<KestrelListeners>().Configure(kestrel));
    }

    /// <summary>Where several servers may be, they have the same keys.</summary>
    private static void ShareKeys(ConsoleOptions options, DataDirectory data)
    {
        if (options.Database.Postgres is not { } connection) return;
        try
        {
            SharedKeys.Share(connection, data.Path, [.. CertificateAuthority.Files, .. OpenIdKeys.Files], () =>
            {
                CertificateAuthority.LoadOrCreate(data, TimeProvider.System.GetUtcNow()).Dispose();
                OpenIdKeys.LoadOrCreate(data);
            }, (path, content) => DataDirectory.WriteSecret(path, content));
        }
        catch (ForeignKeysException e)
        {
            throw new SettingsException([$"Plinth:Data = \"{data.Path}\" belongs to another console than the database of Plinth:Database:ConnectionString: {e.File} differs from what the database holds. Give this server an empty data directory, or its own database"]);
        }
    }

    private static void Pipeline(WebApplication app, ConsoleOptions options)
    {
        app.UseRequestLog();
        app.UsePortalErrors();
        app.UseProblems();
        app.UseSecurityHeaders();
        app.UseRouting();
        app.UseListenerIsolation(options.Portal);
        app.UseResponseCompression();
        app.UseAuthentication();
        app.UseAuthorization();
        app.UseAntiforgery();
        app.UseWebSockets(new WebSocketOptions { KeepAliveInterval = TimeSpan.FromSeconds(30) });
    }

    private static void Endpoints(WebApplication app)
    {
        app.MapHealth();
        app.MapSignIn();
        app.MapOpenId();
        app.MapAgents();
        app.MapPlinthApi();
        app.MapPortal();
    }

    private static void Log(WebApplicationBuilder builder, TelemetryOptions options)
    {
        var logging = builder.Logging;
        logging.ClearProviders();
        // Standard output is for the ready line and the sign-in link.
        logging.Services.Configure<ConsoleLoggerOptions>(o => o.LogToStandardErrorThreshold = LogLevel.Trace);
        logging.Services.AddSingleton<RecentLog>().AddSingleton<IRecentLog>(s => s.GetRequiredService<RecentLog>()).AddSingleton<ILoggerProvider>(s => s.GetRequiredService<RecentLog>());
        if (options.JsonLogs) logging.AddJsonConsole(o => { o.UseUtcTimestamp = true; o.TimestampFormat = "O"; });
        else logging.AddSimpleConsole(o => { o.SingleLine = true; o.UseUtcTimestamp = true; o.TimestampFormat = "HH:mm:ss "; });
        // Its request lines carry queries, and a query may carry a sign-in link.
        logging.AddFilter("Microsoft.AspNetCore.Hosting.Diagnostics", LogLevel.Warning);
        // A failed start is told in a sentence by Run.
        logging.AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.None);
        // The keys lie in the database beside what they protect; the database is as private as the data directory.
        logging.AddFilter("Microsoft.AspNetCore.DataProtection.KeyManagement.XmlKeyManager", LogLevel.Error);
    }

    private static string Explain(Exception e) => e switch
    {
        IOException { InnerException: AddressInUseException } => $"{e.Message.TrimEnd('.')}. Another program listens there; stop it or choose another port (Plinth:Portal:Url, Plinth:Agents:Listen, Plinth:Agents:EnrolmentListen).",
        StartupException or BackupException => e.Message,
        _ => $"{e.GetBaseException().Message}",
    };
}
