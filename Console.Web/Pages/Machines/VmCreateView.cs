using Plinth.Core.Machines;
using Plinth.Core.Primitives;
using Plinth.Web.Application;
using Plinth.Web.Components.Live;
using Plinth.Web.Live;

namespace Plinth.Web.Pages.Machines;

/// <summary>What of the create page outlives a restart of the console: what was typed, and the key that makes one VM of it.</summary>
public sealed record VmDraft(VmForm Form, IReadOnlyList<string> Touched, string IdempotencyKey);

/// <summary>The create page: choices, the form, what a create would answer now, and the create itself.</summary>
public sealed class VmCreateView : LiveView
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(300);

    private static readonly string[] Fields = ["name", "description", "image", "flavor", "vcpus", "memoryMib", "diskGib", "userName", "keys", "userData", "labels", "networks", "storageClass", "host", "firmware", "secureBoot", "tpm"];

    private readonly IVirtualMachines _machines;
    private readonly ICatalogue _catalogue;
    private readonly INetworks _networks;
    private readonly IStorageClasses _classes;
    private readonly IHosts _hosts;
    private readonly TimeProvider _time;
    private readonly string _project;
    private readonly HashSet<string> _touched;
    private readonly bool _kept;
    private IReadOnlyList<Refusal> _answer = [];
    private CancellationTokenSource? _asking;

    // One key for one form: pressing Create twice, or again after a lost answer, makes one VM.
    private readonly string _idempotencyKey;
    private bool _submitted;

    public VmCreateView(IVirtualMachines machines, ICatalogue catalogue, INetworks networks, IStorageClasses classes, IHosts hosts, IChangeFeed feed, TimeProvider time, Caller caller, string project, VmDraft? kept = null) : base(caller)
    {
        _kept = kept is not null;
        (Form, _touched, _idempotencyKey) = (kept?.Form ?? new VmForm(), [.. kept?.Touched ?? []], kept?.IdempotencyKey ?? Guid.NewGuid().ToString());
        (_machines, _catalogue, _networks, _classes, _hosts, _time, _project) = (machines, catalogue, networks, classes, hosts, time, project);
        // Room comes and goes while the form is open.
        Listen(feed, change => change.Kind is "vm" or "host", _ => AskFitSoon());
        Listen(feed, change => change.Kind is "image" or "flavor" or "network" or "storage-class", _ => Load());
    }

    public VmForm Form { get; }

    public VmDraft Draft => new(Form, [.. _touched], _idempotencyKey);
    public IReadOnlyList<ImageView> Images { get; private set; } = [];
    public IReadOnlyList<FlavorView> Flavors { get; private set; } = [];
    public IReadOnlyList<NetworkView> Networks { get; private set; } = [];
    public IReadOnlyList<StorageClassView> StorageClasses { get; private set; } = [];
    public IReadOnlyList<HostView> Hosts { get; private set; } = [];

    /// <summary>Where it would fit now; null until it was asked or while the form is not acceptable.</summary>
    public FitView? Fit { get; private set; }
    public bool Asking { get; private set; }
    public bool Sending { get; private set; }

    public ImageView? Image => Images.FirstOrDefault(i => i.Name == Form.Image);

    /// <summary>What is wrong with a field, once it was touched or the form was sent.</summary>
    public IReadOnlyList<string> ErrorsOf(string field) =>
        _submitted || _touched.Contains(field) ? [.. _answer.Where(r => r.Names(field)).Select(r => r.Message)] : [];

    /// <summary>What is wrong with no field in particular.</summary>
    public IReadOnlyList<Refusal> OtherRefusals => [.. _answer.Where(r => !Fields.Any(f => r.Names(f)))];

    /// <summary>How many fields keep the form from being accepted.</summary>
    public int WrongFields => Fields.Count(f => _answer.Any(r => r.Names(f)));

    /// <summary>A network is taken or left; interfaces come in the order in which they are taken.</summary>
    public Task Choose(string network, bool taken)
    {
        IReadOnlyList<string> others = [.. (Form.Networks ?? []).Where(n => n != network)];
        Form.Networks = taken ? [.. others, network] : others;
        return Edited("networks");
    }

    /// <summary>A field has a new value: remembered as touched; the fit is asked anew after a pause in typing.</summary>
    public Task Edited(string field)
    {
        _touched.Add(field);
        return AskFitSoon();
    }

    private async Task AskFitSoon()
    {
        _asking?.Cancel();
        var asking = _asking = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        Asking = true;
        NotifyChanged();
        try
        {
            await Task.Delay(Pause, _time, asking.Token);
            await AskFit(asking.Token);
        }
        catch (OperationCanceledException)
        {
            // A newer question took its place, or the page was left.
        }
    }

    private async Task AskFit(CancellationToken stop)
    {
        var result = await _machines.Fit(Caller, _project, Form.ToRequest(), stop);
        stop.ThrowIfCancellationRequested();
        Asking = false;
        _answer = result.Refusals;
        Fit = result.Succeeded ? result.Value : null;
        NotifyChanged();
    }

    /// <summary>The operation, or null with the errors at their fields.</summary>
    public async Task<OperationView?> Create()
    {
        if (Sending) return null;
        Sending = true;
        _asking?.Cancel();
        NotifyChanged();
        try
        {
            var result = await _machines.Create(Caller, _project, Form.ToRequest(), _idempotencyKey, Stop);
            _submitted = true;
            _answer = result.Refusals;
            if (!result.Succeeded) Fit = null;
            return result.Succeeded ? result.Value : null;
        }
        finally
        {
            Sending = Asking = false;
            NotifyChanged();
        }
    }

    protected override async Task Read()
    {
        var images = Take(await _catalogue.Images(Caller, new Window(500), Stop));
        if (images is null) return;
        Images = [.. images.Items.Where(i => i.State == ImageState.Ready)];
        Flavors = [.. (Take(await _catalogue.Flavors(Caller, new Window(500), Stop))?.Items ?? []).OrderBy(f => f.MemoryMib).ThenBy(f => f.Vcpus).ThenBy(f => f.DiskGib)];
        if (Refusals.Count > 0) return;
        Networks = Take(await _networks.List(Caller, _project, Stop)) ?? [];
        if (Refusals.Count > 0) return;
        StorageClasses = Take(await _classes.List(Caller, Stop)) ?? [];
        if (Refusals.Count > 0) return;
        // A tenant knows of no host and chooses none.
        Hosts = await _hosts.List(Caller, new HostQuery(Sort: "name"), new Window(500), Stop) is { Succeeded: true, Value: { } hosts } ? hosts.Items : [];
        if (!Loaded && !_kept) Propose();
        await AskFit(Stop);
    }

    /// <summary>A form that can be sent as it is: a free name, the first image, the smallest flavor that holds it.</summary>
    private void Propose()
    {
        Form.Networks = [.. Networks.Where(n => n.Name == "default").Select(n => n.Name)];
        Form.Name = "vm-" + Guid.NewGuid().ToString("N")[..5];
        if (Images is not [var image, ..]) return;
        Form.Image = image.Name;
        var holds = Flavors.Where(f => f.DiskGib >= image.MinDiskGib && f.MemoryMib >= image.MinMemoryMib);
        Form.Flavor = holds.FirstOrDefault()?.Name ?? "";
    }

    protected override void OnDisposed() => _asking?.Cancel();
}
