using Microsoft.AspNetCore.Components.Authorization;
using Plinth.Web.Application;
using Plinth.Web.Security;

namespace Plinth.Web.Components.Live;

/// <summary>Who looks at the page, as the use cases want to know it.</summary>
public sealed class CallerSource(AuthenticationStateProvider authentication)
{
    public async Task<Caller> Current()
    {
        var state = await authentication.GetAuthenticationStateAsync();
        return new Caller(state.User.ToPrincipal(), null);
    }
}
