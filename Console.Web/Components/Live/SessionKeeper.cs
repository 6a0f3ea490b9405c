using Microsoft.AspNetCore.Components;
using Plinth.Core.Identity;
using Plinth.Web.Application;
using Plinth.Web.Live;

namespace Plinth.Web.Components.Live;

/// <summary>
/// Keeps the session of an open page in use, and leaves the page once the session has ended: signed out elsewhere, ended by its owner or an
/// administrator, over. What the page may read has ended already by then; this is so that it does not stand there as if it had not.
/// </summary>
public sealed class SessionKeeper(CallerSource callers, ISignIn signIn, IChangeFeed feed, NavigationManager navigation, TimeProvider clock, ILogger<SessionKeeper> log) : IDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private IDisposable? _changes;
    private ITimer? _timer;
    private Principal _person = Principal.Anonymous;

    /// <summary>Once the page answers to clicks.</summary>
    public async Task Begin()
    {
        if (_changes is not null) return;
        _person = (await callers.Current()).Principal;
        if (_person.Session is null || _stop.IsCancellationRequested) return;
        _changes = feed.Subscribe(c => c.ConcernsRightsOf(_person), _ => Look());
        _timer = clock.CreateTimer(_ => _ = Look(), null, SessionLife.SeenEvery, SessionLife.SeenEvery);
    }

    private async Task Look()
    {
        try
        {
            if (!await signIn.IsIn(_person, _stop.Token) && !_stop.IsCancellationRequested) navigation.NavigateTo(PortalUrls.SignIn, forceLoad: true);
        }
        catch (Exception e) when (!_stop.IsCancellationRequested)
        {
            log.LogWarning("Whether {Person} is still signed in cannot be read for now: {Reason}. It is looked at again within {Minutes} min.", _person.Name, e.Message, SessionLife.SeenEvery.TotalMinutes);
        }
        catch (Exception)
        {
            // The page was left.
        }
    }

    public void Dispose()
    {
        _stop.Cancel();
        _changes?.Dispose();
        _timer?.Dispose();
    }
}
