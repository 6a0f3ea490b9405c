using Plinth.Web.Application;

namespace Plinth.Web.Pages.Tenants;

/// <summary>Places in the tree as a choice holds them: "" for the platform, "o:ID" for an organization, "p:ID" for a project.</summary>
public static class ScopeChoices
{
    /// <summary>Organizations, each with its projects under it, as far as the caller sees them.</summary>
    public static async Task<IReadOnlyList<(string, string)>> Read(ITenancy tenancy, Caller caller, CancellationToken stop)
    {
        var organizations = await tenancy.Organizations(caller, stop) is { Succeeded: true, Value: { } os } ? os : [];
        var projects = await tenancy.Projects(caller, stop) is { Succeeded: true, Value: { } ps } ? ps : [];
        return [.. organizations.SelectMany(o => projects.Where(p => p.OrganizationId == o.Id).Select(p => ($"p:{p.Id}", $"project {p.Name} of {o.Name}")).Prepend(($"o:{o.Id}", $"organization {o.Name}")))];
    }

    public static string? Organization(string scope) => scope.StartsWith("o:", StringComparison.Ordinal) ? scope[2..] : null;

    public static string? Project(string scope) => scope.StartsWith("p:", StringComparison.Ordinal) ? scope[2..] : null;
}
