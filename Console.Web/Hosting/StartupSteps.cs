using Plinth.Web.Application;

namespace Plinth.Web.Hosting;

/// <summary>A start that could not be completed; the message is for the person who starts the console.</summary>
public sealed class StartupException(string message, Exception? cause = null) : Exception(message, cause);

/// <summary>One server at a time brings a shared database up to date.</summary>
public interface IStartTurn
{
    /// <summary>Waits for the turn, which ends with what is returned.</summary>
    Task<IAsyncDisposable> Take(CancellationToken stop);
}

/// <summary>Runs the start's steps in their order. Registered before every worker and before the listeners: nothing runs on data that is not up to date.</summary>
public sealed class StartupSteps(IEnumerable<IStartupStep> steps, IStartTurn turn, Readiness readiness) : IHostedService
{
    public async Task StartAsync(CancellationToken stop)
    {
        await using var mine = await Turn(stop);
        foreach (var step in steps.OrderBy(s => s.Order))
        {
            try
            {
                await step.Run(stop);
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                throw new StartupException($"{step.GetType().Name} failed: {e.Message}", e);
            }
        }
        readiness.Started = true;
    }

    private async Task<IAsyncDisposable> Turn(CancellationToken stop)
    {
        try
        {
            return await turn.Take(stop);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            throw new StartupException($"The database cannot be reached: {e.Message}", e);
        }
    }

    public Task StopAsync(CancellationToken stop)
    {
        readiness.Started = false;
        return Task.CompletedTask;
    }
}

/// <summary>Whether the console can do its work now, and if not, what is awaited.</summary>
public sealed class Readiness(IEnumerable<IReadinessCheck> checks)
{
    // A check that hangs is an answer too.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    public bool Started { get; set; }

    /// <summary>Every check with its reason; null where it is ready.</summary>
    public async Task<IReadOnlyDictionary<string, string?>> Ask(CancellationToken stop)
    {
        var answers = new SortedDictionary<string, string?>(StringComparer.Ordinal) { ["start"] = Started ? null : "The console is starting or stopping." };
        foreach (var check in checks)
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
            limit.CancelAfter(Patience);
            try
            {
                answers[check.Name] = await check.NotReady(limit.Token).WaitAsync(limit.Token);
            }
            catch (OperationCanceledException) when (!stop.IsCancellationRequested)
            {
                answers[check.Name] = $"No answer within {Patience.TotalSeconds:0} s.";
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                answers[check.Name] = e.Message;
            }
        }
        return answers;
    }
}
