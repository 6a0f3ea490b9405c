using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Plinth.Core.Primitives;
using Plinth.Core.Protocol;
using Plinth.Web.Application;
using Plinth.Web.Application.Hosts;
using Plinth.Web.Application.Servers;
using Plinth.Web.Live;
using Plinth.Web.Persistence;
using Plinth.Web.Persistence.Leading;
using Plinth.Web.Persistence.Rows;

namespace Plinth.Web.Workers;

/// <summary>
/// Joins the servers on one PostgreSQL database: what another one commits comes to this one's live feed, and where this one leads, to its workers
/// and its agents. The leader tells the others what it hears of hosts between two writes.
/// </summary>
internal sealed class PeerLink(
    PeerChanges peers, DatabaseSettings database, IConsoleStore store, ILeadership leadership, IAgentGateway gateway, Signals signals, LiveHosts live, IChangeFeed feed, TimeProvider time, ILogger<PeerLink> log)
    : BackgroundService
{
    // Together below the bound of an announcement: a host takes about 300 bytes, an id 40.
    private const int HostsAtOnce = 15, MachinesAtOnce = 60;
    private static readonly TimeSpan SayEvery = TimeSpan.FromSeconds(2);

    private readonly Lock _lock = new();
    private readonly HashSet<Guid> _machines = [];
    private readonly Dictionary<HostId, DateTimeOffset> _said = [];
    private string? _failure;

    /// <summary>What the leader heard.</summary>
    internal sealed record Heard(IReadOnlyList<HeardHost> Hosts, IReadOnlyList<Guid> Machines);

    internal sealed record HeardHost(HostId Id, DateTimeOffset At, HostSample? Sample);

    protected override async Task ExecuteAsync(CancellationToken stop)
    {
        if (database.Engine != DatabaseEngine.Postgres) return;
        using var samples = feed.Subscribe(c => c.Kind == "vm-sample" && leadership.Term is not null, batch =>
        {
            lock (_lock) _machines.UnionWith(batch.Changes.Select(c => c.Id));
            return Task.CompletedTask;
        });
        await Task.WhenAll(peers.Follow(changes => Changed(changes, stop), payload => { Hear(payload); return Task.CompletedTask; }, Failed, stop), Tell(stop));
    }

    private async Task Changed(IReadOnlyList<Change> changes, CancellationToken stop)
    {
        _failure = null;
        feed.Publish(changes);
        if (changes.Any(c => c.Kind == LogKinds.Image)) signals.Images.Ring();
        if (leadership.Term is null) return;
        signals.Audit.Ring();
        if (changes.Any(c => c.Kind is LogKinds.Vm or LogKinds.Host or LogKinds.Allocation or LogKinds.VolumeAllocation)) signals.Placement.Ring();
        foreach (var host in changes.Where(c => c.Kind == LogKinds.Host).Select(c => c.Id).Distinct()) gateway.Wake(HostId.From(host));
        if (changes.Any(c => c.Kind == LogKinds.Operation)) await Deliver(stop);
    }

    // A command that comes twice is begun once: its id is in the agent's journal.
    private async Task Deliver(CancellationToken stop)
    {
        var now = time.GetUtcNow();
        await using var db = store.Read();
        foreach (var command in await db.Commands.Where(c => c.State == CommandState.Pending && c.Deadline > now).OrderBy(c => c.CreatedAt).ToListAsync(stop))
            await gateway.Send(command.Host, new Command(Epoch.None, command.Id, command.Deadline, command.Body), stop);
    }

    private void Hear(string payload)
    {
        if (leadership.Term is not null || JsonSerializer.Deserialize<Heard>(payload, JsonSerializerOptions.Web) is not { } heard) return;
        foreach (var host in heard.Hosts)
        {
            var memory = live[host.Id];
            (memory.ReportedAt, memory.Sample) = (host.At, host.Sample ?? memory.Sample);
        }
        feed.Publish([.. heard.Hosts.Select(h => new Change("host-sample", h.Id.Value, null, 0)), .. heard.Machines.Select(m => new Change("vm-sample", m, null, 0))]);
    }

    private async Task Tell(CancellationToken stop)
    {
        using var timer = new PeriodicTimer(SayEvery, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stop))
            {
                if (leadership.Term is null || leadership.Hubs.Count < 2) continue;
                try
                {
                    foreach (var heard in News()) await peers.Say(JsonSerializer.Serialize(heard, JsonSerializerOptions.Web), stop);
                }
                catch (Exception e) when (e is not OperationCanceledException)
                {
                    Failed(e);
                }
            }
        }
        catch (OperationCanceledException)
        {
        }
    }

    private List<Heard> News()
    {
        var hosts = new List<HeardHost>();
        foreach (var (host, memory) in live.All)
        {
            if (memory.ReportedAt is not { } at || (_said.TryGetValue(host, out var said) && said == at)) continue;
            _said[host] = at;
            hosts.Add(new HeardHost(host, at, memory.Sample));
        }
        Guid[] machines;
        lock (_lock)
        {
            machines = [.. _machines];
            _machines.Clear();
        }
        return [.. hosts.Chunk(HostsAtOnce).Select(h => new Heard(h, [])), .. machines.Chunk(MachinesAtOnce).Select(m => new Heard([], m))];
    }

    private void Failed(Exception e)
    {
        if (_failure != e.Message) log.LogWarning("What other servers do is not heard for now: {Reason}. It is tried again every second and caught up.", e.Message);
        _failure = e.Message;
    }
}
