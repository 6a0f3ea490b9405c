using OpenIddict.Abstractions;
using Plinth.Core.Identity;
using Plinth.Core.Primitives;
using Plinth.Web.Application;
using static OpenIddict.Abstractions.OpenIddictConstants;

namespace Plinth.Web.Security.OpenId;

/// <inheritdoc cref="IPrograms"/>
public sealed class Programs(IServiceScopeFactory scopes) : IPrograms
{
    public async Task<IReadOnlyList<ProgramView>> Of(UserId user, CancellationToken stop)
    {
        await using var scope = scopes.CreateAsyncScope();
        var (authorizations, clients, tokens) = (scope.ServiceProvider.GetRequiredService<IOpenIddictAuthorizationManager>(), scope.ServiceProvider.GetRequiredService<IOpenIddictApplicationManager>(), scope.ServiceProvider.GetRequiredService<IOpenIddictTokenManager>());
        var found = new List<ProgramView>();
        await foreach (var authorization in authorizations.FindBySubjectAsync(Subject(user), stop))
        {
            var id = await authorizations.GetIdAsync(authorization, stop);
            if (!await authorizations.HasStatusAsync(authorization, Statuses.Valid, stop) || !Guid.TryParse(id, out var guid)) continue;
            // What has run out of itself opens nothing any more.
            DateTimeOffset? until = null;
            await foreach (var token in tokens.FindByAuthorizationIdAsync(id, stop))
                if (await tokens.HasStatusAsync(token, Statuses.Valid, stop) && await tokens.GetExpirationDateAsync(token, stop) is { } expires && (until is null || expires > until)) until = expires;
            if (until is null || until < DateTimeOffset.UtcNow) continue;
            var client = await authorizations.GetApplicationIdAsync(authorization, stop) is { } application ? await clients.FindByIdAsync(application, stop) : null;
            found.Add(new ProgramView(guid, client is null ? "a program that is no more" : await clients.GetDisplayNameAsync(client, stop) ?? await clients.GetClientIdAsync(client, stop) ?? "", await authorizations.GetCreationDateAsync(authorization, stop), until.Value));
        }
        return [.. found.OrderBy(f => f.AllowedAt)];
    }

    public async Task<bool> Revoke(UserId user, Guid program, CancellationToken stop)
    {
        await using var scope = scopes.CreateAsyncScope();
        var authorizations = scope.ServiceProvider.GetRequiredService<IOpenIddictAuthorizationManager>();
        var authorization = await authorizations.FindByIdAsync(program.ToString(), stop);
        if (authorization is null || await authorizations.GetSubjectAsync(authorization, stop) != Subject(user) || !await authorizations.HasStatusAsync(authorization, Statuses.Valid, stop)) return false;
        return await authorizations.TryRevokeAsync(authorization, stop);
    }

    public async Task RevokeAll(UserId user, CancellationToken stop)
    {
        await using var scope = scopes.CreateAsyncScope();
        await scope.ServiceProvider.GetRequiredService<IOpenIddictAuthorizationManager>().RevokeBySubjectAsync(Subject(user), stop);
        await scope.ServiceProvider.GetRequiredService<IOpenIddictTokenManager>().RevokeBySubjectAsync(Subject(user), stop);
    }

    private static string Subject(UserId user) => OpenIdEndpoints.SubjectOf(new Principal(PrincipalKind.User, user.ToString(), ""));
}
