using Microsoft.AspNetCore.Components;
using MudBlazor;
using Plinth.Web.Application;
using Plinth.Web.Live;

namespace Plinth.Web.Pages.Upkeep;

public partial class Upkeep
{
    [Inject] public required IUpkeep Self { get; set; }
    [Inject] public required IChangeFeed Feed { get; set; }

    protected override UpkeepPageView Open(Caller caller) => new(Self, Feed, caller);

    private static string Icon(SelfCheckState state) => state switch
    {
        SelfCheckState.Ok => Icons.Material.Rounded.Check,
        SelfCheckState.Warning => Icons.Material.Rounded.WarningAmber,
        _ => Icons.Material.Rounded.ErrorOutline,
    };

    private static string Has(ServerImagesView images) =>
        images.Lacking > 0 ? $"has {images.Held} of {Images(images.Held + images.Lacking)}, lacks {images.Lacking}" : images.Held switch { 0 => "has no images; there are none", 1 => "has the one image", var all => $"has all {all} images" };

    private static string Images(int count) => count == 1 ? "1 image" : $"{count} images";

    private static string Word(SelfCheckState state) => state == SelfCheckState.Ok ? "well" : state.ToString().ToLowerInvariant();
}
