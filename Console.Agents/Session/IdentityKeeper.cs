using Plinth.Agents.Reconcile;

namespace Plinth.Agents.Session;

/// <summary>Holds the identity in force, renews it in time, and knows which of the console's servers to go to.</summary>
internal sealed class IdentityKeeper(string directory, AgentIdentity identity, TimeProvider time, AgentLog log)
{
    private readonly Lock _saving = new();
    private string _hub = identity.Hubs.Contains(identity.HubUrl) ? identity.HubUrl : identity.Hubs[0];

    public AgentIdentity Current { get; private set; } = identity;

    /// <summary>The agent hub to go to: the one that a session was last opened or hoped for at.</summary>
    public Uri Hub => new(_hub);

    /// <summary>All of them, that one first.</summary>
    public IReadOnlyList<Uri> Hubs
    {
        get
        {
            var (hubs, first) = (Current.Hubs, _hub);
            var at = Math.Max(0, hubs.ToList().IndexOf(first));
            return [.. hubs.Skip(at).Concat(hubs.Take(at)).Select(h => new Uri(h))];
        }
    }

    /// <summary>Goes to <paramref name="hub"/> from now on; null for the one after the present one.</summary>
    public void GoTo(string? hub)
    {
        if (hub is not null && Uri.TryCreate(hub, UriKind.Absolute, out var known) && known.Scheme == Uri.UriSchemeHttps) _hub = hub;
        else if (Hubs is [_, var next, ..]) _hub = next.GetLeftPart(UriPartial.Authority);
    }

    /// <summary>Keeps where the console's servers are, over restarts of the agent.</summary>
    public void Learn(IReadOnlyList<string> servers)
    {
        var usable = servers.Where(s => Uri.TryCreate(s, UriKind.Absolute, out var uri) && uri.Scheme == Uri.UriSchemeHttps && uri.PathAndQuery == "/").ToArray();
        if (usable.Length == 0 || usable.SequenceEqual(Current.Servers ?? [])) return;
        Keep(Current with { Servers = usable });
        log.Info($"the console's servers are {string.Join(", ", usable)}");
    }

    private void Keep(AgentIdentity identity)
    {
        lock (_saving)
        {
            identity.Save(directory);
            Current = identity;
        }
    }

    /// <summary>Raised after a new certificate was stored: connections should be made anew with it.</summary>
    public event Action? Renewed;

    public async Task Run(CancellationToken stop)
    {
        var failures = 0;
        try
        {
            while (true)
            {
                var pause = Current.RenewAt() - time.GetUtcNow();
                if (failures > 0) pause = Backoff.Jittered(failures + 4);
                // Task.Delay takes at most 49 days, and clocks are set: look once a day at the latest.
                if (pause > TimeSpan.Zero) await Task.Delay(pause < TimeSpan.FromDays(1) ? pause : TimeSpan.FromDays(1), time, stop);
                if (Current.RenewAt() > time.GetUtcNow()) continue;
                try
                {
                    var renewed = await Enrolment.Renew(Current, Hub, stop);
                    Keep(renewed with { HubUrl = Current.HubUrl, Servers = Current.Servers });
                    failures = 0;
                    log.Info("the certificate was renewed");
                    Renewed?.Invoke();
                }
                catch (EnrolmentException e)
                {
                    failures++;
                    log.Warn(Current.IsExpired(time.GetUtcNow())
                        ? $"The certificate of this host has expired and was not renewed. Join again with a new token from the Agents page: plinth-agent join --again … ({e.Message})"
                        : e.Message);
                }
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
        }
    }
}
