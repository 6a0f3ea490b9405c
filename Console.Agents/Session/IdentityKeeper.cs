using Plinth.Agents.Reconcile;

namespace Plinth.Agents.Session;

/// <summary>Holds the identity in force and renews it in time.</summary>
internal sealed class IdentityKeeper(string directory, AgentIdentity identity, TimeProvider time, AgentLog log)
{
    public AgentIdentity Current { get; private set; } = identity;

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
                    var renewed = await Enrolment.Renew(Current, stop);
                    renewed.Save(directory);
                    Current = renewed;
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
