using System.Globalization;
using Plinth.Core.Identity;
using Plinth.Core.Primitives;
using Plinth.Web.Application;
using Plinth.Web.Components.Live;
using Plinth.Web.Live;

namespace Plinth.Web.Pages.Catalogue;

/// <summary>The images that VMs start from.</summary>
public sealed class ImagesView : LiveView
{
    private readonly ICatalogue _catalogue;

    public ImagesView(ICatalogue catalogue, IChangeFeed feed, Caller caller) : base(caller)
    {
        _catalogue = catalogue;
        Listen(feed, change => change.Kind == "image", _ => Load());
    }

    public Page<ImageView>? Images { get; private set; }

    protected override async Task Read() => Images = Take(await _catalogue.Images(Caller, new Window(500), Stop)) ?? Images;
}

/// <summary>The named sizes, with a form for one more.</summary>
public sealed class FlavorsView : LiveView
{
    private static readonly string[] Fields = ["name", "description", "vcpus", "memoryMib", "diskGib"];
    private readonly ICatalogue _catalogue;
    private readonly IAccess _access;
    private IReadOnlyList<Refusal> _answer = [];

    public FlavorsView(ICatalogue catalogue, IAccess access, IChangeFeed feed, Caller caller) : base(caller)
    {
        (_catalogue, _access) = (catalogue, access);
        Listen(feed, change => change.Kind == "flavor", _ => Load());
    }

    /// <summary>What makes and deletes them is for those who may.</summary>
    public bool MayManage { get; private set; }

    public Page<FlavorView>? Flavors { get; private set; }
    public string Name { get; set; } = "";
    public string Description { get; set; } = "";
    public string Vcpus { get; set; } = "";
    public string MemoryMib { get; set; } = "";
    public string DiskGib { get; set; } = "";

    /// <summary>What the form asks for, as the API takes it.</summary>
    public CreateFlavor Request => new(Text(Name), Text(Description), Number(Vcpus), Number(MemoryMib), Number(DiskGib));

    public IReadOnlyList<string> ErrorsOf(string field) => [.. _answer.Where(r => r.Field == field).Select(r => r.Message)];
    public IReadOnlyList<Refusal> OtherRefusals => [.. _answer.Where(r => !Fields.Contains(r.Field))];

    public async Task Add()
    {
        var result = await _catalogue.CreateFlavor(Caller, Request, Guid.NewGuid().ToString(), Stop);
        _answer = result.Refusals;
        if (result.Succeeded) Name = Description = Vcpus = MemoryMib = DiskGib = "";
        await Load();
    }

    public async Task Delete(FlavorId flavor)
    {
        _answer = (await _catalogue.DeleteFlavor(Caller, flavor, Stop)).Refusals;
        await Load();
    }

    protected override async Task Read()
    {
        MayManage = (await _access.Allowed(Caller, Permissions.FlavorManage, null, Stop)).Succeeded;
        Flavors = Take(await _catalogue.Flavors(Caller, new Window(500), Stop)) ?? Flavors;
    }

    private static string? Text(string value) => value.Trim() is { Length: > 0 } text ? text : null;
    private static long? Number(string value) => long.TryParse(value.Trim(), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var n) ? n : null;
}
