using System.Security.Claims;
using Microsoft.AspNetCore.Components.Authorization;
using Plinth.Core.Identity;
using Plinth.Web.Application;

namespace Plinth.Web.Components.Live;

/// <summary>Who looks at the page, as the use cases want to know it.</summary>
public sealed class CallerSource(AuthenticationStateProvider authentication)
{
    public async Task<Caller> Current()
    {
        var user = (await authentication.GetAuthenticationStateAsync()).User;
        return new Caller(PrincipalOf(user), null);
    }

    private static Principal PrincipalOf(ClaimsPrincipal user)
    {
        if (user.Identity is not { IsAuthenticated: true }) return Principal.Anonymous;
        var id = user.FindFirstValue(ClaimTypes.NameIdentifier) ?? user.FindFirstValue("sub") ?? "";
        return new Principal(PrincipalKind.User, id, user.Identity.Name ?? id);
    }
}
