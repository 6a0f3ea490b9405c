using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Plinth.Core.Identity;
using Plinth.Core.Primitives;
using Plinth.Web.Application;
using Plinth.Web.Security;

namespace Plinth.Web.Api;

/// <summary>Images, flavors, and what every project has from the first day.</summary>
internal static class CatalogueEndpoints
{
    /// <summary>The largest image that is taken: 64 GiB, far above every cloud image and below what would surprise a disk.</summary>
    private const long MaxImageBytes = 64L << 30;

    public static void Map(RouteGroupBuilder api)
    {
        var images = api.MapGroup("/images").WithTags("Images");

        images.MapGet("", async (HttpContext http, ICatalogue use, string? limit, string? cursor, string? offset) =>
                Answers.Ok(await use.Images(http.Caller(), Inputs.Window(limit, cursor, offset), http.RequestAborted)))
            .Needs(Permissions.ImageRead).Describe<Page<ImageView>>("List images", "");

        images.MapPost("", async (HttpContext http, ICatalogue use, JsonBody<CreateImage> body) =>
                Answers.Created(http, await use.CreateImage(http.Caller(), body.Value, Inputs.IdempotencyKey(http), http.RequestAborted), i => $"{ApiRegistration.Root}/images/{i.Id}", i => i.Version))
            .Needs(Permissions.ImageManage).Describe<ImageView>("Name an image", "Its bytes follow by PUT …/content; the digest is checked then.", StatusCodes.Status201Created);

        images.MapGet("/{image}", async (HttpContext http, string image, ICatalogue use) =>
                Answers.Resource(http, await use.Image(http.Caller(), Image(image), http.RequestAborted), i => i.Version))
            .Needs(Permissions.ImageRead).Describe<ImageView>("Get an image", "");

        images.MapPut("/{image}/content", PutContent)
            .Needs(Permissions.ImageManage).Describe<ImageView>("Send the bytes of an image", "application/octet-stream; size and digest must be those that the image was named with.");

        images.MapDelete("/{image}", async (HttpContext http, string image, ICatalogue use) =>
                Answers.NoContent(await use.DeleteImage(http.Caller(), Image(image), http.RequestAborted)))
            .Needs(Permissions.ImageManage).Describe("Delete an image", "Refused while VMs use it.");

        var flavors = api.MapGroup("/flavors").WithTags("Flavors");

        flavors.MapGet("", async (HttpContext http, ICatalogue use, string? limit, string? cursor, string? offset) =>
                Answers.Ok(await use.Flavors(http.Caller(), Inputs.Window(limit, cursor, offset), http.RequestAborted)))
            .Needs(Permissions.FlavorRead).Describe<Page<FlavorView>>("List flavors", "");

        flavors.MapPost("", async (HttpContext http, ICatalogue use, JsonBody<CreateFlavor> body) =>
                Answers.Created(http, await use.CreateFlavor(http.Caller(), body.Value, Inputs.IdempotencyKey(http), http.RequestAborted), f => $"{ApiRegistration.Root}/flavors/{f.Id}", f => f.Version))
            .Needs(Permissions.FlavorManage).Describe<FlavorView>("Create a flavor", "", StatusCodes.Status201Created);

        flavors.MapDelete("/{flavor}", async (HttpContext http, string flavor, ICatalogue use) =>
                Answers.NoContent(await use.DeleteFlavor(http.Caller(), Inputs.Id<FlavorId>(flavor, "flavor"), http.RequestAborted)))
            .Needs(Permissions.FlavorManage).Describe("Delete a flavor", "VMs that were made with it keep their size.");
    }

    private static async Task<IResult> PutContent(HttpContext http, string image, ICatalogue use)
    {
        if (http.Request.ContentType is not null and not "application/octet-stream")
            throw new BadHttpRequestException("Send the bytes as application/octet-stream.", StatusCodes.Status415UnsupportedMediaType);
        if (http.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size) size.MaxRequestBodySize = MaxImageBytes;
        // A slow uplink may take hours for an image; Kestrel's floor of 240 bytes per second is for forms.
        if (http.Features.Get<IHttpMinRequestBodyDataRateFeature>() is { } rate) rate.MinDataRate = null;
        return Answers.Resource(http, await use.PutImageContent(http.Caller(), Image(image), http.Request.Body, http.RequestAborted), i => i.Version);
    }

    private static ImageId Image(string text) => Inputs.Id<ImageId>(text, "image");
}
