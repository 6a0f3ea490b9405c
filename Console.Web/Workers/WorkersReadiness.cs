using Plinth.Web.Application;

namespace Plinth.Web.Workers;

/// <summary>Ready when the last pass of every worker succeeded.</summary>
internal sealed class WorkersReadiness(IEnumerable<Worker> workers) : IReadinessCheck
{
    public string Name => "workers";

    public Task<string?> NotReady(CancellationToken stop)
    {
        var failing = workers.Where(w => w.Failure is not null).Select(w => $"{w.Name}: {w.Failure}").ToArray();
        return Task.FromResult(failing.Length == 0 ? null : string.Join(" ", failing));
    }
}
