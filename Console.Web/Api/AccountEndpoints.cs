using System.Text.Json;
using Plinth.Core.Identity;
using Plinth.Core.Primitives;
using Plinth.Web.Application;
using Plinth.Web.Security;
using Plinth.Web.Security.SignIn;

namespace Plinth.Web.Api;

/// <summary>How the caller signs in, where they are signed in, and their tokens. People in a browser only: no token may make another.</summary>
internal static class AccountEndpoints
{
    public static void Map(RouteGroupBuilder api)
    {
        var me = api.MapGroup("/me").WithTags("Account");

        me.MapGet("/account", async (HttpContext http, IAccount use) => Answers.Ok(await use.Get(http.Caller(), http.RequestAborted)))
            .Needs(Permissions.Account).Describe<AccountView>("Your account", "How you sign in.");

        me.MapPut("/password", async (HttpContext http, IAccount use, JsonBody<SetPassword> body) => Answers.Ok(await use.SetPassword(http.Caller(), body.Value, http.RequestAborted)))
            .Needs(Permissions.Account).Describe<AccountView>("Set your password", "With the one you have, if there is one. Your other sessions end.");

        me.MapPost("/password/remove", async (HttpContext http, IAccount use, JsonBody<RemovePassword> body) => Answers.Ok(await use.RemovePassword(http.Caller(), body.Value.Current, http.RequestAborted)))
            .Needs(Permissions.Account).Describe<AccountView>("Remove your password", "With the password itself. The authenticator app goes with it.");

        me.MapPost("/authenticator", async (HttpContext http, IAccount use, JsonBody<Nothing> body) => Answers.Ok(await use.BeginAuthenticator(http.Caller(), http.RequestAborted)))
            .Needs(Permissions.Account).Describe<AuthenticatorSetupView>("Begin with an authenticator app", "A key for the app (TOTP). Codes are asked for once one of them has been confirmed.");

        me.MapPost("/authenticator/confirm", async (HttpContext http, IAccount use, JsonBody<ConfirmCode> body) => Answers.Ok(await use.ConfirmAuthenticator(http.Caller(), body.Value.Code, http.RequestAborted)))
            .Needs(Permissions.Account).Describe<RecoveryCodesView>("Confirm the authenticator app", "By a code that it shows. Answers with recovery codes, which are shown this once.");

        me.MapDelete("/authenticator", async (HttpContext http, IAccount use) => Answers.Ok(await use.RemoveAuthenticator(http.Caller(), http.RequestAborted)))
            .Needs(Permissions.Account).Describe<AccountView>("Remove the authenticator app", "No code is asked for any more.");

        me.MapPost("/recovery-codes", async (HttpContext http, IAccount use, JsonBody<Nothing> body) => Answers.Ok(await use.NewRecoveryCodes(http.Caller(), http.RequestAborted)))
            .Needs(Permissions.Account).Describe<RecoveryCodesView>("New recovery codes", "Former ones stop working.");

        me.MapPost("/passkeys/question", async (HttpContext http, IAccount use, PasskeyChecks passkeys, JsonBody<Nothing> body) =>
            {
                var may = await use.MayChange(http.Caller(), http.RequestAborted);
                return may.Succeeded ? Results.Json(await passkeys.AskForNew(http.Caller().Principal, http), Json.Options) : Problems.Result(may.Refusals);
            })
            .Needs(Permissions.Account).Describe<PasskeyQuestion>("Ask for a passkey", "What the browser's navigator.credentials.create is to be given.");

        me.MapPost("/passkeys", async (HttpContext http, IAccount use, PasskeyChecks passkeys, JsonBody<AddPasskey> body) =>
            {
                var caller = http.Caller();
                var may = await use.MayChange(caller, http.RequestAborted);
                if (!may.Succeeded) return Problems.Result(may.Refusals);
                var made = await passkeys.Made(caller.Principal, body.Value.State, body.Value.Credential, http);
                return made.Succeeded ? Answers.Ok(await use.AddPasskey(caller, body.Value.Name, made.Value, http.RequestAborted)) : Problems.Result(made.Refusals);
            })
            .Needs(Permissions.Account).Describe<AccountView>("Add a passkey", "What the browser made, with the state of the question that it answers.");

        me.MapDelete("/passkeys/{passkey}", async (HttpContext http, string passkey, IAccount use) => Answers.Ok(await use.RemovePasskey(http.Caller(), Inputs.Id<PasskeyId>(passkey, "passkey"), http.RequestAborted)))
            .Needs(Permissions.Account).Describe<AccountView>("Remove a passkey", "It signs nobody in any more.");

        me.MapGet("/sessions", async (HttpContext http, IAccount use) => Answers.Whole(await use.Sessions(http.Caller(), http.RequestAborted)))
            .Needs(Permissions.Account).Describe<Page<SessionView>>("Your sessions", "Browsers in which you are signed in; the one that asks first.");

        me.MapDelete("/sessions/{session}", async (HttpContext http, string session, IAccount use) => Answers.NoContent(await use.EndSession(http.Caller(), Inputs.Id<SessionId>(session, "session"), http.RequestAborted)))
            .Needs(Permissions.Account).Describe("End a session", "Its open pages, watches and consoles end at once.");

        me.MapPost("/sessions/end-others", async (HttpContext http, IAccount use, JsonBody<Nothing> body) => Answers.NoContent(await use.EndOtherSessions(http.Caller(), http.RequestAborted)))
            .Needs(Permissions.Account).Describe("End your other sessions", "All but the one that asks. Tokens stay.");

        me.MapGet("/tokens", async (HttpContext http, IAccount use) => Answers.Whole(await use.Tokens(http.Caller(), http.RequestAborted)))
            .Needs(Permissions.Account).Describe<Page<TokenView>>("Your tokens", "That you made for programs, and did not revoke.");

        me.MapPost("/tokens", async (HttpContext http, IAccount use, JsonBody<CreateToken> body) =>
                Answers.Created(http, await use.CreateToken(http.Caller(), body.Value, http.RequestAborted), t => $"{ApiRegistration.Root}/me/tokens"))
            .Needs(Permissions.Account).Describe<NewTokenView>("Make a token", "For a program that acts for you, limited to a role on a project, organization or everywhere, and in time. The secret is shown this once.", StatusCodes.Status201Created);

        me.MapDelete("/tokens/{token}", async (HttpContext http, string token, IAccount use) => Answers.NoContent(await use.EndSession(http.Caller(), Inputs.Id<SessionId>(token, "token"), http.RequestAborted)))
            .Needs(Permissions.Account).Describe("Revoke a token", "It allows nothing from now on.");

        me.MapGet("/programs", async (HttpContext http, IAccount use) => Answers.Whole(await use.Programs(http.Caller(), http.RequestAborted)))
            .Needs(Permissions.Account).Describe<Page<ProgramView>>("Your programs", "That you have allowed to act for you, by the OpenID provider, and that still can.");

        me.MapDelete("/programs/{program}", async (HttpContext http, string program, IAccount use) => Answers.NoContent(await use.RevokeProgram(http.Caller(), Inputs.Uuid(program, "program"), http.RequestAborted)))
            .Needs(Permissions.Account).Describe("Revoke a program", "What it was given opens nothing from now on.");

        var users = api.MapGroup("/users").WithTags("People");

        users.MapGet("/{user}/sessions", async (HttpContext http, string user, IAccount use) => Answers.Whole(await use.SessionsOf(http.Caller(), Inputs.Id<UserId>(user, "user"), http.RequestAborted)))
            .Needs(Permissions.AccessRead).Describe<Page<SessionView>>("Somebody's sessions", "For those who look after the platform.");

        users.MapPost("/{user}/end-sessions", async (HttpContext http, string user, IAccount use, JsonBody<Nothing> body) => Answers.NoContent(await use.EndSessionsOf(http.Caller(), Inputs.Id<UserId>(user, "user"), http.RequestAborted)))
            .Needs(Permissions.AccessManage).Describe("End somebody's sessions", "And revoke their tokens and programs. They may sign in again; shut them out to prevent that.");
    }
}

internal sealed record RemovePassword(string? Current);

internal sealed record ConfirmCode(string? Code);

/// <param name="State">Of the question.</param>
/// <param name="Credential">As <c>PublicKeyCredential.toJSON()</c> gives it.</param>
internal sealed record AddPasskey(string? Name, string? State, JsonElement? Credential);
