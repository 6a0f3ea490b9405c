using OpenIddict.Abstractions;
using Plinth.Web.Application.Servers;

namespace Plinth.Web.Security.OpenId;

/// <summary>Removes tokens and grants that ended long ago; without it their table only grows.</summary>
public sealed class TokenPruning(IServiceScopeFactory scopes, ILeadership leadership, TimeProvider clock, ILogger<TokenPruning> log) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromHours(6);
    // Kept a while: refresh tokens that are used twice are recognised by their spent entries.
    private static readonly TimeSpan KeptFor = TimeSpan.FromDays(14);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, clock);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
                // Once for all servers; doing it twice would harm nothing.
                if (leadership.Term is not null) await Prune(stoppingToken);
        }
        catch (OperationCanceledException)
        {
        }
    }

    private async Task Prune(CancellationToken stop)
    {
        try
        {
            await using var scope = scopes.CreateAsyncScope();
            var before = clock.GetUtcNow() - KeptFor;
            await scope.ServiceProvider.GetRequiredService<IOpenIddictTokenManager>().PruneAsync(before, stop);
            await scope.ServiceProvider.GetRequiredService<IOpenIddictAuthorizationManager>().PruneAsync(before, stop);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            log.LogWarning(e, "Ended tokens could not be removed; tried again in {Hours} h.", Interval.TotalHours);
        }
    }
}
