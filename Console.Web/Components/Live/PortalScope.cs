using Microsoft.AspNetCore.Components;
using Plinth.Core.Identity;
using Plinth.Web.Application;
using Plinth.Web.Live;

namespace Plinth.Web.Components.Live;

/// <summary>
/// What the person in this circuit may reach: where menus lead, and what is offered at all. Read again when roles or projects change. It hides what
/// would be refused; the refusal itself is the use cases'.
/// </summary>
public sealed class PortalScope(CallerSource callers, ITenancy tenancy, IAccess access, IChangeFeed feed, NavigationManager navigation) : IDisposable
{
    private IDisposable? _subscription;
    private HashSet<string> _allowed = [];
    private IReadOnlyList<OwnRoleView>? _roles;
    private Task? _first;

    public event Action? Changed;

    /// <summary>Another one whenever the person's roles have become others: what was drawn before may not be theirs to see.</summary>
    public int Epoch { get; private set; }

    public IReadOnlyList<ProjectView> Projects { get; private set; } = [];

    /// <summary>The permission holds on the platform.</summary>
    public bool May(string permission) => _allowed.Contains(permission);

    /// <summary>They look after the platform, and not only after what is in a project.</summary>
    public bool SeesPlatform => May(Permissions.HostRead);

    /// <summary>The project that the page is about; elsewhere the one named default, or the first there is.</summary>
    public string Project => InUrl ?? ((Projects.FirstOrDefault(p => p.Name == PortalUrls.DefaultProject) ?? Projects.FirstOrDefault()) is { } first ? AddressOf(first) : PortalUrls.DefaultProject);

    /// <summary>The name of that project, also where the URL has its id.</summary>
    public string ProjectName => Projects.FirstOrDefault(p => p.Id.ToString() == Project)?.Name ?? Project;

    /// <summary>Where two of one name are seen, the id leads to the one that is meant.</summary>
    public string AddressOf(ProjectView project) => Projects.Count(p => p.Name == project.Name) <= 1 ? project.Name : project.Id.ToString();

    private string? InUrl => new Uri(navigation.Uri).AbsolutePath.Split('/', StringSplitOptions.RemoveEmptyEntries) is ["projects", var project, _, ..] ? Uri.UnescapeDataString(project) : null;

    /// <summary>Completes once it is known.</summary>
    public Task Known() => _first ??= Begin();

    private async Task Begin()
    {
        await Read();
        var principal = (await callers.Current()).Principal;
        _subscription = feed.Subscribe(c => c.ConcernsRightsOf(principal) || c.Kind is "project" or "organization", _ => Read());
    }

    private async Task Read()
    {
        var caller = await callers.Current();
        if (await tenancy.Projects(caller, CancellationToken.None) is { Succeeded: true } projects) Projects = projects.Value!;
        else Projects = [];
        if (await access.Mine(caller, null, null, CancellationToken.None) is { Succeeded: true } mine) _allowed = [.. mine.Value!.Where(a => a.Allowed).Select(a => a.Permission)];
        else _allowed = [];
        var roles = await access.MyRoles(caller, CancellationToken.None) is { Succeeded: true } own ? own.Value! : [];
        if (_roles is not null && !_roles.SequenceEqual(roles)) Epoch++;
        _roles = roles;
        Changed?.Invoke();
    }

    public void Dispose() => _subscription?.Dispose();
}
