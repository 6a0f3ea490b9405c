using Plinth.Core.Identity;
using Plinth.Web.Application;
using Plinth.Web.Security;

namespace Plinth.Web.Api;

internal static class SearchEndpoints
{
    private const string DefaultLimit = "20";

    public static void Map(RouteGroupBuilder api) =>
        api.MapGet("/search", async (HttpContext http, ISearch use, string? q, string? limit) =>
                Answers.Ok(await use.Find(http.Caller(), Inputs.Text(q, "q"), Inputs.Window(limit ?? DefaultLimit, null, null).Limit, http.RequestAborted)))
            .WithTags("Search")
            .Needs(Permissions.VmRead).Describe<Page<SearchHit>>("Search everything", "q: words that all occur in a name, description or label (key=value), or one id. Operations are found by id or by the beginning of what they worked on. limit: 1 to 50, 20 when absent.");
}
