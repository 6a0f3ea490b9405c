using Plinth.Core.Identity;
using Plinth.Web.Application;
using Plinth.Web.Security;

namespace Plinth.Web.Api;

internal static class UpkeepEndpoints
{
    public const string DiagnosticsPath = "/upkeep/diagnostics";

    public static void Map(RouteGroupBuilder api)
    {
        api.MapGet("/upkeep", async (HttpContext http, IUpkeep use) => Answers.Ok(await use.Get(http.Caller(), http.RequestAborted)))
            .WithTags("Upkeep").Needs(Permissions.ConsoleManage).Describe<UpkeepView>("How the console itself is", "Its version, and what it watches about itself: each check with its state, the numbers, and what to do.");

        api.MapGet(DiagnosticsPath, async (HttpContext http, IUpkeep use) =>
            {
                var made = await use.Diagnostics(http.Caller(), http.RequestAborted);
                return made.Succeeded ? Results.File(made.Value.Content, "application/zip", made.Value.FileName) : Problems.Result(made.Refusals);
            })
            .WithTags("Upkeep").Needs(Permissions.ConsoleManage).DescribeFile("A diagnostics bundle", "A zip archive: versions, settings, checks, counts, facts of hosts, the newest lines of the log. Secrets are taken out.", "application/zip");
    }
}
