using Microsoft.AspNetCore.Components.Server.Circuits;

namespace Plinth.Web.Components.Live;

/// <summary>
/// The pages that are open. Before the console stops, each is asked to pause: the server hands what it keeps of the page to the browser,
/// which gives it back to the console that comes after, so that a half-filled form goes on.
/// </summary>
public sealed class OpenPages(IHostApplicationLifetime lifetime, ILogger<OpenPages> log) : CircuitHandler, IHostedService
{
    // Browsers that sleep or are cut off do not answer; they begin anew when they are back.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3), Pause = TimeSpan.FromMilliseconds(20);

    private readonly Lock _lock = new();
    private readonly HashSet<Func<Task>> _pages = [];
    private int _circuits;

    /// <summary>Tells this start of the console from the next: a page must not come back to the one that is going.</summary>
    public string Instance { get; } = Guid.NewGuid().ToString("N");

    /// <param name="pause">Asks the browser; until disposed.</param>
    public IDisposable Add(Func<Task> pause)
    {
        lock (_lock) _pages.Add(pause);
        return new Removal(() => { lock (_lock) _pages.Remove(pause); });
    }

    public override Task OnConnectionUpAsync(Circuit circuit, CancellationToken cancellationToken) => Task.FromResult(Interlocked.Increment(ref _circuits));
    public override Task OnConnectionDownAsync(Circuit circuit, CancellationToken cancellationToken) => Task.FromResult(Interlocked.Decrement(ref _circuits));

    public Task StartAsync(CancellationToken cancellationToken)
    {
        // Registered last, called first: SignalR cuts its connections in a callback of the same kind.
        lifetime.ApplicationStarted.Register(() => lifetime.ApplicationStopping.Register(() => PauseAll().GetAwaiter().GetResult()));
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private async Task PauseAll()
    {
        Func<Task>[] pages;
        lock (_lock) pages = [.. _pages];
        if (pages.Length == 0) return;
        using var limit = new CancellationTokenSource(Patience);
        try
        {
            await Task.WhenAll(pages.Select(p => p())).WaitAsync(limit.Token);
            while (Volatile.Read(ref _circuits) > 0) await Task.Delay(Pause, limit.Token);
            log.LogInformation("{Pages} open pages wait in their browsers for the next start.", pages.Length);
        }
        catch (Exception e)
        {
            log.LogInformation("{Left} of {Pages} open pages did not pause within {Seconds} s; they begin anew ({Reason}).", Volatile.Read(ref _circuits), pages.Length, Patience.TotalSeconds, e.Message);
        }
    }

    private sealed class Removal(Action remove) : IDisposable
    {
        public void Dispose() => remove();
    }
}
