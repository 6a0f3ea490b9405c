using Plinth.Core.Primitives;
using Plinth.Web.Application;
using Plinth.Web.Components.Live;
using Plinth.Web.Live;

namespace Plinth.Web.Pages.Hosts;

/// <summary>One host: what was observed and how old that is, what is on it, and what does not agree.</summary>
public sealed class HostDetailView : LiveView
{
    private const int VmsShown = 50;
    private readonly IHosts _hosts;
    private readonly HostId _id;
    private readonly PacedRefresh _refresh;

    public HostDetailView(IHosts hosts, IChangeFeed feed, TimeProvider time, Caller caller, HostId id) : base(caller)
    {
        (_hosts, _id) = (hosts, id);
        // A busy host has a VM changing at any moment; twice a second is often enough to read it.
        _refresh = new PacedRefresh(time, TimeSpan.FromMilliseconds(500), () => Dispatch(Again));
        Listen(feed, Concerns, _ =>
        {
            _refresh.Request();
            return Task.CompletedTask;
        });
    }

    public HostView? Host { get; private set; }
    public Page<VmView>? Vms { get; private set; }

    /// <summary>What the last act was answered, where it was refused.</summary>
    public string? ActRefusal { get; private set; }

    public Task Adopt() => Act(() => _hosts.Adopt(Caller, _id, Stop));
    public Task Retire() => Act(() => _hosts.Retire(Caller, _id, Stop));
    public Task<Result<IReadOnlyList<SeriesView>>> Metrics(TimeSpan range) => _hosts.Metrics(Caller, _id, range, Stop);

    // Which VMs are on it only the store knows: any VM's change may be one that came or went.
    private bool Concerns(Change change) => change.Kind == "vm" || (change.Kind is "host" or "host-sample" && change.Id == _id.Value);

    private async Task Act(Func<Task<Result<HostView>>> act)
    {
        var result = await act();
        ActRefusal = result.Succeeded ? null : result.Reason;
        await Load();
    }

    private async Task Again()
    {
        try
        {
            await Load();
        }
        catch (OperationCanceledException) when (Stop.IsCancellationRequested)
        {
            // The page was left.
        }
    }

    protected override async Task Read()
    {
        Host = Take(await _hosts.Get(Caller, _id, Stop)) ?? Host;
        if (Refusals.Count > 0) return;
        var vms = await _hosts.Vms(Caller, _id, new Window(VmsShown), Stop);
        if (vms.Succeeded) Vms = vms.Value;
    }

    protected override void OnDisposed() => _refresh.Dispose();
}
