using System.Text.Json;
using System.Threading.Channels;
using Plinth.Core.Identity;
using Plinth.Core.Primitives;
using Plinth.Web.Application;
using Plinth.Web.Live;
using Plinth.Web.Security;

namespace Plinth.Web.Api;

/// <summary>
/// Server-sent events. Each event carries the present form of one resource; its id is the version of the change log. <c>event: reset</c> says that events
/// may have been missed (a reconnect, a slow reader): read the list anew. What was deleted comes as <c>{"id": …, "deleted": true}</c>.
/// </summary>
internal sealed class Watch(IChangeFeed feed, IAccess access, TimeProvider clock, IHostApplicationLifetime lifetime)
{
    /// <summary>Proxies cut silent streams, usually after a minute.</summary>
    private static readonly TimeSpan Heartbeat = TimeSpan.FromSeconds(15);

    /// <summary>Batches waiting for one slow reader; past it the reader is told to read anew.</summary>
    private const int MaxBatches = 16;

    public Task<IResult> Vms(HttpContext http, string project, IVirtualMachines use) => Stream(http, Permissions.VmRead, project, "vm", async c =>
        await use.Get(http.Caller(), project, VmId.From(c.Id), http.RequestAborted) is { Succeeded: true, Value: { State: not Core.Machines.VmState.Deleted } vm } ? vm : Gone(c));

    public Task<IResult> Volumes(HttpContext http, string project, IVolumes use) => Stream(http, Permissions.VolumeRead, project, "volume", async c =>
        await use.Get(http.Caller(), project, VolumeId.From(c.Id), http.RequestAborted) is { Succeeded: true, Value: { State: not Core.Storage.VolumeState.Deleted } volume } ? volume : Gone(c));

    public Task<IResult> Hosts(HttpContext http, IHosts use) => Stream(http, Permissions.HostRead, null, "host", async c =>
        await use.Get(http.Caller(), HostId.From(c.Id), http.RequestAborted) is { Succeeded: true, Value: var host } ? host : null);

    // Those of others are changes too: they are not told of, not even as gone.
    public Task<IResult> Operations(HttpContext http, IOperations use) => Stream(http, Permissions.OperationRead, null, "operation", async c =>
        await use.Get(http.Caller(), OperationId.From(c.Id), http.RequestAborted) is { Succeeded: true, Value: var operation } ? operation : null);

    private static object Gone(Change change) => new { id = change.Id, deleted = true };

    /// <param name="permission">What the caller needs, in the project or anywhere, as long as the stream lasts.</param>
    /// <param name="read">What is told of a change; null for nothing.</param>
    private async Task<IResult> Stream(HttpContext http, string permission, string? project, string kind, Func<Change, Task<object?>> read)
    {
        var caller = http.Caller();
        var first = await access.Allowed(caller, permission, project, http.RequestAborted);
        if (!first.Succeeded) return Problems.Result(first.Refusals);
        var within = first.Value;
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted, lifetime.ApplicationStopping);
        var stop = ended.Token;
        var batches = Channel.CreateBounded<ChangeBatch>(new BoundedChannelOptions(MaxBatches) { SingleReader = true });
        var missed = 0;
        using var subscription = feed.Subscribe(c => c.ConcernsRightsOf(caller.Principal) || (c.Kind == kind && (within is null || c.Project == within.Value.Value)), batch =>
        {
            if (!batches.Writer.TryWrite(batch)) Volatile.Write(ref missed, 1);
            return Task.CompletedTask;
        });
        var response = http.Response;
        response.ContentType = "text/event-stream; charset=utf-8";
        response.Headers.CacheControl = "no-store";
        response.Headers["X-Accel-Buffering"] = "no";
        try
        {
            await response.WriteAsync("retry: 2000\n\n", stop);
            // What happened between the two connections is not kept for each reader: it reads anew.
            if (http.Request.Headers.ContainsKey("Last-Event-ID")) await response.WriteAsync("event: reset\ndata: {}\n\n", stop);
            await response.Body.FlushAsync(stop);
            var arrival = batches.Reader.WaitToReadAsync(stop).AsTask();
            while (true)
            {
                using var tick = CancellationTokenSource.CreateLinkedTokenSource(stop);
                if (await Task.WhenAny(arrival, Task.Delay(Heartbeat, clock, tick.Token)) != arrival)
                {
                    if (!await Still()) break;
                    await response.WriteAsync(": still here\n\n", stop);
                }
                else
                {
                    await tick.CancelAsync();
                    if (!await arrival) break;
                    if (!await Still()) break;
                    while (batches.Reader.TryRead(out var batch)) await Write(response, batch with { Changes = [.. batch.Changes.Where(c => c.Kind == kind)] }, read, stop);
                    if (Interlocked.Exchange(ref missed, 0) == 1) await response.WriteAsync("event: reset\ndata: {}\n\n", stop);
                    arrival = batches.Reader.WaitToReadAsync(stop).AsTask();
                }
                await response.Body.FlushAsync(stop);
            }
        }
        catch (OperationCanceledException)
        {
            // The reader has left, or the console stops; it connects again in two seconds.
        }
        return Results.Empty;

        // A role that was taken away, or has come to its end, ends the stream.
        async Task<bool> Still() => (await access.Allowed(caller, permission, project, stop)).Succeeded;
    }

    private static async Task Write(HttpResponse response, ChangeBatch batch, Func<Change, Task<object?>> read, CancellationToken stop)
    {
        if (batch.Overflow) await response.WriteAsync("event: reset\ndata: {}\n\n", stop);
        foreach (var change in batch.Changes)
        {
            if (await read(change) is not { } resource) continue;
            var data = JsonSerializer.Serialize(resource, resource.GetType(), Json.Options);
            // Heartbeats have no version of their own; an id would set a reader back.
            var id = change.Version > 0 ? $"id: {change.Version}\n" : "";
            await response.WriteAsync($"{id}data: {data}\n\n", stop);
        }
    }
}
