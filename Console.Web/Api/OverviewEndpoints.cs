using Plinth.Core.Identity;
using Plinth.Web.Application;
using Plinth.Web.Security;

namespace Plinth.Web.Api;

internal static class OverviewEndpoints
{
    public static void Map(RouteGroupBuilder api) =>
        api.MapGet("/overview", async (HttpContext http, IOverview use) => Answers.Ok(await use.Get(http.Caller(), http.RequestAborted)))
            .WithTags("Overview").Needs(Permissions.OverviewRead).Describe<OverviewView>("What there is and what is wrong now", "");
}
