using System.Collections.Concurrent;
using Plinth.Core.Primitives;
using Plinth.Core.Protocol;

namespace Plinth.Web.Application;

internal sealed class MetricWriter
{
    public Task Write(HostId host, TelemetryBatch batch, DateTimeOffset now, CancellationToken stop) => Task.CompletedTask;
}

internal sealed class MetricReader
{
    public Task<Result<IReadOnlyList<SeriesView>>> Vm(VmId vm, TimeSpan range, CancellationToken stop) => Task.FromResult(Result<IReadOnlyList<SeriesView>>.Ok([]));
    public Task<Result<IReadOnlyList<SeriesView>>> Host(HostId host, TimeSpan range, CancellationToken stop) => Task.FromResult(Result<IReadOnlyList<SeriesView>>.Ok([]));
}
