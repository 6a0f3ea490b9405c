using Plinth.Core.Primitives;
using Plinth.Core.Storage;
using Plinth.Web.Application;
using Plinth.Web.Components.Live;
using Plinth.Web.Live;
using Plinth.Web.Pages.Machines;

namespace Plinth.Web.Pages.Storage;

/// <summary>The storage classes, with a form for one more.</summary>
public sealed class StorageClassesView : LiveView
{
    private readonly IStorageClasses _classes;
    private IReadOnlyList<Refusal> _answer = [];

    // One key for one form: pressing twice makes one class.
    private string _idempotencyKey = Guid.NewGuid().ToString();

    public StorageClassesView(IStorageClasses classes, IChangeFeed feed, Caller caller) : base(caller)
    {
        _classes = classes;
        Listen(feed, change => change.Kind is "storage-class" or "host", _ => Load());
    }

    public IReadOnlyList<StorageClassView>? Classes { get; private set; }
    public string Name { get; set; } = "";
    public string Description { get; set; } = "";
    public NeedsForm Needs { get; private set; } = new();
    public LimitsForm Limits { get; private set; } = new();

    public IReadOnlyList<string> ErrorsOf(string field) => [.. _answer.Where(r => r.Names(field)).Select(r => r.Message)];

    public IReadOnlyList<string> ErrorsOfLimit(string field) => [.. _answer.Where(r => r.Field == $"limits.{field}").Select(r => r.Message)];

    public IReadOnlyList<Refusal> OtherRefusals => [.. _answer.Where(r => r.Field is not ("name" or "description") && !LimitsForm.Fields.Any(f => r.Field == $"limits.{f}"))];

    public CreateStorageClass Request => new(Text(Name), Text(Description), Needs.Needs == StorageNeeds.Nothing ? null : Needs.Needs, Limits.Limits == IoLimits.None ? null : Limits.Limits);

    public async Task Add()
    {
        var result = await _classes.Create(Caller, Request, _idempotencyKey, Stop);
        _answer = result.Refusals;
        if (result.Succeeded)
        {
            Name = Description = "";
            (Needs, Limits, _idempotencyKey) = (new NeedsForm(), new LimitsForm(), Guid.NewGuid().ToString());
        }
        await Load();
    }

    public async Task Delete(StorageClassId storageClass)
    {
        _answer = (await _classes.Delete(Caller, storageClass, Stop)).Refusals;
        await Load();
    }

    protected override async Task Read() => Classes = Take(await _classes.List(Caller, Stop)) ?? Classes;

    private static string? Text(string value) => value.Trim() is { Length: > 0 } text ? text : null;
}

/// <summary>One class: what it promises, which hosts fit and why others do not, and how their disks keep to its limits.</summary>
public sealed class StorageClassDetailView : LiveView
{
    private readonly IStorageClasses _classes;
    private readonly StorageClassId _id;

    public StorageClassDetailView(IStorageClasses classes, IChangeFeed feed, Caller caller, StorageClassId id) : base(caller)
    {
        (_classes, _id) = (classes, id);
        Listen(feed, change => change.Kind is "storage-class" or "host", _ => Load());
    }

    public StorageClassView? Class { get; private set; }
    public IReadOnlyList<StorageClassHostView> Hosts { get; private set; } = [];
    public IReadOnlyList<Refusal> Answer { get; private set; } = [];

    /// <summary>The edit under way; null while there is none.</summary>
    public LimitsForm? Limits { get; private set; }
    public string Description { get; set; } = "";

    /// <summary>The version that the edit under way replaces.</summary>
    public long EditedVersion { get; private set; }

    public UpdateStorageClass Request => new(Description, Limits?.Limits);

    public IReadOnlyList<string> ErrorsOf(string field) => [.. Answer.Where(r => r.Names(field)).Select(r => r.Message)];

    public IReadOnlyList<string> ErrorsOfLimit(string field) => [.. Answer.Where(r => r.Field == $"limits.{field}").Select(r => r.Message)];

    public IReadOnlyList<Refusal> OtherRefusals => [.. Answer.Where(r => r.Field != "description" && !LimitsForm.Fields.Any(f => r.Field == $"limits.{f}"))];

    // What was seen when editing began is what is replaced: a change by somebody else meanwhile is refused, not overwritten.
    public void Begin() => (Limits, Description, EditedVersion, Answer) = (LimitsForm.Of(Class!.Limits), Class.Description, Class.Version, []);

    public void End() => (Limits, Answer) = (null, []);

    public async Task Save()
    {
        Answer = (await _classes.Update(Caller, _id, Request, EditedVersion, Stop)).Refusals;
        if (Answer.Count == 0) Limits = null;
        await Load();
        if (Answer.Count > 0 && Class is not null) EditedVersion = Class.Version;
    }

    protected override async Task Read()
    {
        Class = Take(await _classes.Get(Caller, _id, Stop));
        if (Class is not null) Hosts = Take(await _classes.Hosts(Caller, _id, Stop)) ?? [];
    }
}
