using Plinth.Core.Identity;
using Plinth.Core.Primitives;
using Plinth.Web.Application;
using Plinth.Web.Security;

namespace Plinth.Web.Api;

internal static class OperationEndpoints
{
    public static void Map(RouteGroupBuilder api)
    {
        var operations = api.MapGroup("/operations").WithTags("Operations");

        operations.MapGet("", async (HttpContext http, IOperations use, string? state, string? vm, string? volume, string? kind, string? limit, string? cursor, string? offset) =>
                Answers.Ok(await use.List(http.Caller(), new OperationQuery(Inputs.Text(state, "state"), Inputs.Text(vm, "vm"), Inputs.Text(kind, "kind"), Inputs.Text(volume, "volume")), Inputs.Window(limit, cursor, offset), http.RequestAborted)))
            .Needs(Permissions.OperationRead).Describe<Page<OperationView>>("List operations", "Filters: state (comma-separated), vm, volume, kind. Newest first.");

        operations.MapGet("/watch", (HttpContext http, IOperations use, Watch watch) => watch.Operations(http, use)).Needs(Permissions.OperationRead).DescribeStream("Watch operations");

        operations.MapGet("/{operation}", async (HttpContext http, string operation, IOperations use) =>
                Answers.Resource(http, await use.Get(http.Caller(), Operation(operation), http.RequestAborted), o => o.Version))
            .Needs(Permissions.OperationRead).Describe<OperationView>("Get an operation", "With its steps as they went.");

        operations.MapPost("/{operation}/cancel", async (HttpContext http, string operation, IOperations use, JsonBody<Nothing> body) =>
                Answers.Accepted(http, await use.Cancel(http.Caller(), Operation(operation), http.RequestAborted)))
            .Needs(Permissions.OperationCancel).Describe<OperationView>("Cancel an operation", "What was done is undone; too late is told with 409.", StatusCodes.Status202Accepted);
    }

    private static OperationId Operation(string text) => Inputs.Id<OperationId>(text, "operation");
}
