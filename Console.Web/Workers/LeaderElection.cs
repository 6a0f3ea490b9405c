using Plinth.Core.Primitives;
using Plinth.Core.State;
using Plinth.Web.Application;
using Plinth.Web.Application.Hosts;
using Plinth.Web.Application.Servers;
using Plinth.Web.Live;
using Plinth.Web.Persistence;
using Plinth.Web.Persistence.Leading;
using Plinth.Web.Persistence.Rows;

namespace Plinth.Web.Workers;

/// <summary>
/// Takes, renews and gives back the leader's lease, and says so to <see cref="ILeadership"/>. With SQLite there is one server only: it leads
/// from its start to its end.
/// </summary>
internal sealed class LeaderElection(
    Leases leases, Leader leader, LiveHosts live, ServerIdentity identity, ServerViews views, ImageCopies copies, IServerAddresses addresses, DatabaseSettings database, IHostApplicationLifetime lifetime, IChangeFeed feed, TimeProvider time, ILogger<LeaderElection> log)
    : BackgroundService
{
    /// <summary>On the live feed: another server leads, or one has other images.</summary>
    public const string ChangeKind = "server";

    // Half of a renewal: who follows sees the end of a lease soon.
    private static readonly TimeSpan LookEvery = Leadership.RenewEvery / 2;
    private static readonly TimeSpan LeaveWithin = TimeSpan.FromSeconds(3);

    private readonly DateTimeOffset _startedAt = time.GetUtcNow();
    private IReadOnlyList<(ServerId, ServerImagesView?)> _images = [];
    private string? _failure;

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        // Before the listeners open: the first agent finds a server that leads, where it can.
        await Look(cancellationToken);
        await base.StartAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stop)
    {
        if (database.Engine == DatabaseEngine.Sqlite)
        {
            // Once more, when the ports are known.
            await Started(stop);
            if (!stop.IsCancellationRequested) await Look(stop);
            return;
        }
        try
        {
            // Others are told of the ports as soon as they are known.
            var (opened, told) = (Started(stop), false);
            while (!stop.IsCancellationRequested)
            {
                var pause = Task.Delay(leader.Term is null ? LookEvery : Leadership.RenewEvery, time, stop);
                await (told ? pause : await Task.WhenAny(pause, opened));
                told = opened.IsCompleted;
                leader.Lapse();
                await Look(stop);
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
        }
    }

    /// <summary>The last of all workers to stop: what they still wrote stood under this term.</summary>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        var held = leader.Term ?? Epoch.None;
        leader.Take(null, 0, null, leader.Hubs);
        try
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            limit.CancelAfter(LeaveWithin);
            await leases.Leave(identity.Id, held, limit.Token);
        }
        catch (Exception e)
        {
            log.LogWarning("This server could not take leave of the others ({Reason}); they notice within {Seconds} s.", e.Message, Leadership.Life.TotalSeconds);
        }
    }

    /// <summary>One look: a sign of life, and the lease where it can be had.</summary>
    internal async Task Look(CancellationToken stop)
    {
        var began = time.GetTimestamp();
        var before = leader.Term;
        try
        {
            var self = new ServerRow { Id = identity.Id, Name = identity.Name, PortalUrl = addresses.PortalUrl, HubUrl = addresses.HubUrl, ProductVersion = ConsoleVersion.Text, StartedAt = _startedAt, ImagesHeld = copies.Current?.Held, ImagesLacking = copies.Current?.Lacking, ImagesReason = copies.Current?.Reason };
            var look = await leases.Attempt(self, before ?? Epoch.None, stop);
            var lease = look.Decision.Lease;
            Epoch? term = look.Decision.Verdict == LeaseVerdict.Follows ? null : lease.Epoch;
            var servers = look.Servers.Select(s => views.Of(s, lease, look.At)).ToArray();
            var elsewhere = term is null ? servers.FirstOrDefault(s => s.Leads) : null;
            if (look.Decision.Verdict == LeaseVerdict.Taken)
            {
                // Nobody has reported to this server yet: their silence says nothing.
                live.Begin();
                log.LogInformation("This server ({Name}) leads, in epoch {Epoch}.", identity.Name, lease.Epoch);
            }
            else if (before is not null && term is null)
            {
                log.LogWarning("This server ({Name}) does not lead any more: {Leader} does, in epoch {Epoch}.", identity.Name, elsewhere?.Name ?? "another one", lease.Epoch);
            }
            else if (elsewhere is not null && elsewhere.Id != leader.Elsewhere?.Id)
            {
                log.LogInformation("This server ({Name}) follows {Leader}, which leads in epoch {Epoch}.", identity.Name, elsewhere.Name, lease.Epoch);
            }
            IReadOnlyList<(ServerId, ServerImagesView?)> images = [.. servers.Select(s => (s.Id, s.Images))];
            var news = term != before || elsewhere?.Id != leader.Elsewhere?.Id || !images.SequenceEqual(_images);
            _images = images;
            // One that has not begun to listen, on a port that the system chooses, has no address yet.
            leader.Take(term, began, elsewhere, [.. servers.Select(s => s.HubUrl).Where(url => !url.EndsWith(":0", StringComparison.Ordinal)).Distinct()]);
            if (news) feed.Publish([new Change(ChangeKind, identity.Id.Value, null, 0)]);
            _failure = null;
        }
        catch (Exception e) when (!stop.IsCancellationRequested)
        {
            if (_failure != e.Message) log.LogWarning("The leader's lease cannot be looked at: {Reason}. Tried again every {Seconds} s.", e.Message, LookEvery.TotalSeconds);
            _failure = e.Message;
        }
    }

    private async Task Started(CancellationToken stop)
    {
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var running = lifetime.ApplicationStarted.Register(() => started.TrySetResult());
        await using var stopping = stop.Register(() => started.TrySetResult());
        await started.Task;
    }
}
