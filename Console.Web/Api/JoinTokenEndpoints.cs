using Plinth.Core.Identity;
using Plinth.Core.Primitives;
using Plinth.Web.Application;
using Plinth.Web.Security;

namespace Plinth.Web.Api;

internal static class JoinTokenEndpoints
{
    public static void Map(RouteGroupBuilder api)
    {
        var tokens = api.MapGroup("/agents/join-tokens").WithTags("Agents");

        tokens.MapGet("", async (HttpContext http, IAgents use, string? limit, string? cursor, string? offset) =>
                Answers.Ok(await use.JoinTokens(http.Caller(), Inputs.Window(limit, cursor, offset), http.RequestAborted)))
            .Needs(Permissions.AgentJoin).Describe<Page<JoinTokenView>>("List join tokens", "Secrets are never shown again.");

        tokens.MapPost("", async (HttpContext http, IAgents use, JsonBody<CreateJoinToken> body) =>
                Answers.Created(http, await use.CreateJoinToken(http.Caller(), body.Value, Inputs.IdempotencyKey(http), http.RequestAborted), t => $"{ApiRegistration.Root}/agents/join-tokens/{t.Token.Id}"))
            .Needs(Permissions.AgentJoin).Describe<JoinCommandView>("Make a join token", "Answers with the command to paste on the new host, once.", StatusCodes.Status201Created);

        tokens.MapDelete("/{token}", async (HttpContext http, string token, IAgents use) =>
                Answers.NoContent(await use.RevokeJoinToken(http.Caller(), Inputs.Id<JoinTokenId>(token, "token"), http.RequestAborted)))
            .Needs(Permissions.AgentJoin).Describe("Revoke a join token", "");
    }
}
