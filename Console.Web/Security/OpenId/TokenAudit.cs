using Microsoft.AspNetCore;
using OpenIddict.Abstractions;
using OpenIddict.Server;
using OpenIddict.Server.AspNetCore;
using Plinth.Core.Identity;
using Plinth.Web.Application;
using Plinth.Web.Application.Identity;

namespace Plinth.Web.Security.OpenId;

/// <summary>Every answer of the token endpoint becomes an audit entry: who asked, by which grant, and the refusal if it was one.</summary>
public sealed class TokenAudit(ISignIn audit, RefusalBundler bundler) : IOpenIddictServerHandler<OpenIddictServerEvents.ApplyTokenResponseContext>
{
    // Client ids of strangers are shortened: they are text that anybody may send.
    private const int MaxShownId = 100;

    public async ValueTask HandleAsync(OpenIddictServerEvents.ApplyTokenResponseContext context)
    {
        var http = context.Transaction.GetHttpRequest()?.HttpContext;
        var address = http?.Connection.RemoteIpAddress?.ToString();
        var client = context.Request?.ClientId is { Length: > 0 } id ? id[..Math.Min(id.Length, MaxShownId)] : "(none)";
        var grant = context.Request?.GrantType is { } g && g.Length <= MaxShownId ? g : "(none)";
        if (context.Response.Error is null)
        {
            await audit.Record(new Principal(PrincipalKind.Client, client, client), "token.issue", true, $"grant {grant}", address, CancellationToken.None);
            return;
        }
        // Anonymous refusals are aggregated: a stranger must not be able to fill the ledger.
        if (bundler.Count($"{address}|{context.Response.Error}") is { } times)
            await audit.Record(Principal.Anonymous, "token.issue", false, $"client {client}, grant {grant}: {context.Response.Error}" + (times > 1 ? $"; {times} refusals of this kind since the last entry" : ""), address, CancellationToken.None);
    }
}
