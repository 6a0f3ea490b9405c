using System.Text.Json;
using System.Threading.Channels;
using Plinth.Core.Primitives;
using Plinth.Web.Application;
using Plinth.Web.Live;
using Plinth.Web.Security;

namespace Plinth.Web.Api;

/// <summary>
/// Server-sent events. Each event carries the present form of one resource; its id is the version of the change log. <c>event: reset</c> says that events
/// may have been missed (a reconnect, a slow reader): read the list anew. What was deleted comes as <c>{"id": …, "deleted": true}</c>.
/// </summary>
internal sealed class Watch(IChangeFeed feed, TimeProvider clock, IHostApplicationLifetime lifetime)
{
    /// <summary>Proxies cut silent streams, usually after a minute.</summary>
    private static readonly TimeSpan Heartbeat = TimeSpan.FromSeconds(15);

    /// <summary>Batches waiting for one slow reader; past it the reader is told to read anew.</summary>
    private const int MaxBatches = 16;

    private const string Rights = "role-binding";

    public async Task<IResult> Vms(HttpContext http, string project, IVirtualMachines use, ITenancy tenancy)
    {
        var caller = http.Caller();
        var first = await use.List(caller, project, new VmQuery(), new Window(1), http.RequestAborted);
        if (!first.Succeeded) return Problems.Result(first.Refusals);
        var owner = await tenancy.Project(caller, project, http.RequestAborted);
        if (!owner.Succeeded) return Problems.Result(owner.Refusals);
        var id = owner.Value.Id;
        return await Stream(http, c => c.Kind == "vm" && c.Project == id.Value, async () => (await use.List(caller, project, new VmQuery(), new Window(1), http.RequestAborted)).Succeeded, async c =>
            await use.Get(caller, project, VmId.From(c.Id), http.RequestAborted) is { Succeeded: true, Value: { State: not Core.Machines.VmState.Deleted } vm } ? vm : null);
    }

    public async Task<IResult> Volumes(HttpContext http, string project, IVolumes use, ITenancy tenancy)
    {
        var caller = http.Caller();
        var first = await use.List(caller, project, new VolumeQuery(), new Window(1), http.RequestAborted);
        if (!first.Succeeded) return Problems.Result(first.Refusals);
        var owner = await tenancy.Project(caller, project, http.RequestAborted);
        if (!owner.Succeeded) return Problems.Result(owner.Refusals);
        var id = owner.Value.Id;
        return await Stream(http, c => c.Kind == "volume" && c.Project == id.Value, async () => (await use.List(caller, project, new VolumeQuery(), new Window(1), http.RequestAborted)).Succeeded, async c =>
            await use.Get(caller, project, VolumeId.From(c.Id), http.RequestAborted) is { Succeeded: true, Value: { State: not Core.Storage.VolumeState.Deleted } volume } ? volume : null);
    }

    public async Task<IResult> Hosts(HttpContext http, IHosts use)
    {
        var caller = http.Caller();
        var first = await use.List(caller, new HostQuery(), new Window(1), http.RequestAborted);
        if (!first.Succeeded) return Problems.Result(first.Refusals);
        return await Stream(http, c => c.Kind == "host", async () => (await use.List(caller, new HostQuery(), new Window(1), http.RequestAborted)).Succeeded, async c => await use.Get(caller, HostId.From(c.Id), http.RequestAborted) is { Succeeded: true, Value: var host } ? host : null);
    }

    public async Task<IResult> Operations(HttpContext http, IOperations use)
    {
        var caller = http.Caller();
        var first = await use.List(caller, new OperationQuery(), new Window(1), http.RequestAborted);
        if (!first.Succeeded) return Problems.Result(first.Refusals);
        return await Stream(http, c => c.Kind == "operation", async () => (await use.List(caller, new OperationQuery(), new Window(1), http.RequestAborted)).Succeeded, async c => await use.Get(caller, OperationId.From(c.Id), http.RequestAborted) is { Succeeded: true, Value: var operation } ? operation : null);
    }

    /// <param name="still">Whether the caller may go on watching; asked when roles change, and at every sign of life.</param>
    private async Task<IResult> Stream(HttpContext http, Func<Change, bool> wanted, Func<Task<bool>> still, Func<Change, Task<object?>> read)
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted, lifetime.ApplicationStopping);
        var stop = ended.Token;
        var batches = Channel.CreateBounded<ChangeBatch>(new BoundedChannelOptions(MaxBatches) { SingleReader = true });
        var missed = 0;
        using var subscription = feed.Subscribe(c => wanted(c) || c.Kind == Rights, batch =>
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
                    if (!await still()) break;
                    await response.WriteAsync(": still here\n\n", stop);
                }
                else
                {
                    await tick.CancelAsync();
                    if (!await arrival) break;
                    var over = false;
                    while (!over && batches.Reader.TryRead(out var batch))
                    {
                        over = (batch.Overflow || batch.Changes.Any(c => c.Kind == Rights)) && !await still();
                        if (!over) await Write(response, new ChangeBatch([.. batch.Changes.Where(wanted)], batch.Overflow), read, stop);
                    }
                    if (over) break;
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
    }

    private static async Task Write(HttpResponse response, ChangeBatch batch, Func<Change, Task<object?>> read, CancellationToken stop)
    {
        if (batch.Overflow) await response.WriteAsync("event: reset\ndata: {}\n\n", stop);
        foreach (var change in batch.Changes)
        {
            var resource = await read(change) ?? new { id = change.Id, deleted = true };
            var data = JsonSerializer.Serialize(resource, resource.GetType(), Json.Options);
            // Heartbeats have no version of their own; an id would set a reader back.
            var id = change.Version > 0 ? $"id: {change.Version}\n" : "";
            await response.WriteAsync($"{id}data: {data}\n\n", stop);
        }
    }
}
