using Plinth.Core.Identity;
using Plinth.Core.Primitives;
using Plinth.Web.Application;
using Plinth.Web.Security;

namespace Plinth.Web.Api;

/// <summary>What belongs to the caller alone.</summary>
internal static class PersonalEndpoints
{
    public static void Map(RouteGroupBuilder api)
    {
        var me = api.MapGroup("/me").WithTags("Personal");

        me.MapGet("/preferences", async (HttpContext http, IPersonal use) => Answers.Ok(await use.Preferences(http.Caller(), http.RequestAborted)))
            .Needs(Permissions.Personal).Describe<IReadOnlyDictionary<string, string>>("Your preferences", "How the portal looks to you: theme, contrast, density, zone, keys.");

        me.MapPut("/preferences/{key}", async (HttpContext http, string key, IPersonal use, JsonBody<PreferenceValue> body) => Answers.Ok(await use.Prefer(http.Caller(), key, body.Value.Value, http.RequestAborted)))
            .Needs(Permissions.Personal).Describe<IReadOnlyDictionary<string, string>>("Set a preference", "");

        me.MapGet("/views", async (HttpContext http, IPersonal use, string? list) => Answers.Whole(await use.Views(http.Caller(), Inputs.Text(list, "list"), http.RequestAborted)))
            .Needs(Permissions.Personal).Describe<Page<SavedViewView>>("Your saved views", "Filter: list (vms, hosts, operations).");

        me.MapPost("/views", async (HttpContext http, IPersonal use, JsonBody<SaveView> body) =>
                Answers.Created(http, await use.SaveView(http.Caller(), body.Value, http.RequestAborted), v => $"{ApiRegistration.Root}/me/views/{v.Id}"))
            .Needs(Permissions.Personal).Describe<SavedViewView>("Save a view", "A name for the query of a list's URL. A view of the same name is replaced.", StatusCodes.Status201Created);

        me.MapDelete("/views/{view}", async (HttpContext http, string view, IPersonal use) => Answers.NoContent(await use.DeleteView(http.Caller(), Inputs.Id<SavedViewId>(view, "view"), http.RequestAborted)))
            .Needs(Permissions.Personal).Describe("Delete a saved view", "");
    }
}

internal sealed record PreferenceValue(string? Value);
