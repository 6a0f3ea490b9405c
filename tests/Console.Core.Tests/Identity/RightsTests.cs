using Plinth.Core.Identity;
using Plinth.Core.Primitives;
using Xunit;

namespace Plinth.Core.Tests.Identity;

public sealed class RightsTests
{
    private static readonly DateTimeOffset Now = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly OrganizationId Acme = OrganizationId.New(Now), Other = OrganizationId.New(Now);
    private static readonly ProjectId Web = ProjectId.New(Now), Data = ProjectId.New(Now), Theirs = ProjectId.New(Now);
    private static readonly Principal Ana = new(PrincipalKind.User, "ana", "ana");

    private static readonly Scope[] AllScopes = [Scope.Platform, Scope.Of(Acme), Scope.Of(Other), Scope.Of(Acme, Web), Scope.Of(Acme, Data), Scope.Of(Other, Theirs)];

    private static Rights Of(params Grant[] grants) => new(Ana, grants, Now);

    private static Grant On(Role role, Scope scope, DateTimeOffset? until = null) =>
        new(role, scope, scope.Kind switch { ScopeKind.Platform => "the platform", ScopeKind.Organization => "organization acme", _ => "project web" }, until);

    [Fact]
    public void What_holds_at_a_node_holds_below_it_and_nowhere_else()
    {
        var atPlatform = Of(On(Roles.PlatformAdmin, Scope.Platform));
        Assert.All(AllScopes, s => Assert.True(atPlatform.Has(Permissions.VmDelete, s)));
        var atAcme = Of(On(Roles.ProjectMember, Scope.Of(Acme)));
        Assert.Equal([false, true, false, true, true, false], AllScopes.Select(s => atAcme.Has(Permissions.VmDelete, s)));
        var atWeb = Of(On(Roles.ProjectMember, Scope.Of(Acme, Web)));
        Assert.Equal([false, false, false, true, false, false], AllScopes.Select(s => atWeb.Has(Permissions.VmDelete, s)));
    }

    [Fact]
    public void Without_a_role_nobody_may_do_anything_but_keep_their_own()
    {
        foreach (var kind in Enum.GetValues<PrincipalKind>().Where(k => k != PrincipalKind.System))
        {
            var rights = new Rights(new Principal(kind, "x", "x"), [], Now);
            foreach (var permission in Permissions.All)
                Assert.Equal(kind is PrincipalKind.User or PrincipalKind.Client && permission == Permissions.Personal, AllScopes.Any(s => rights.Has(permission, s)));
        }
    }

    [Theory]
    [InlineData(PrincipalKind.Agent)]
    [InlineData(PrincipalKind.Anonymous)]
    public void A_role_does_not_make_an_agent_or_a_stranger_somebody(PrincipalKind kind) =>
        Assert.False(new Rights(new Principal(kind, "x", "x"), [On(Roles.PlatformAdmin, Scope.Platform)], Now).Has(Permissions.VmRead, Scope.Platform));

    [Fact]
    public void The_console_itself_may_do_everything() =>
        Assert.All(Permissions.All, p => Assert.True(new Rights(Principal.System, [], Now).Has(p, Scope.Platform)));

    [Fact]
    public void A_role_whose_time_is_over_counts_for_nothing()
    {
        Assert.True(Of(On(Roles.PlatformAdmin, Scope.Platform, Now.AddSeconds(1))).Has(Permissions.VmDelete, Scope.Platform));
        Assert.False(Of(On(Roles.PlatformAdmin, Scope.Platform, Now)).Has(Permissions.VmDelete, Scope.Platform));
    }

    [Fact]
    public void A_refusal_says_what_is_needed_and_what_one_has()
    {
        Assert.Equal("This needs vm.delete on project web; you have project viewer on project web.", Of(On(Roles.ProjectViewer, Scope.Of(Acme, Web))).Check(Permissions.VmDelete, Scope.Of(Acme, Web), "project web")!.Message);
        Assert.Equal("This needs host.read on the platform; you have no role there.", Of(On(Roles.ProjectViewer, Scope.Of(Acme, Web))).Check(Permissions.HostRead)!.Message);
        Assert.Equal("This needs vm.read; sign in first.", new Rights(Principal.Anonymous, [], Now).Check(Permissions.VmRead)!.Message);
        Assert.Null(Of(On(Roles.ProjectViewer, Scope.Of(Acme, Web))).Check(Permissions.VmRead, Scope.Of(Acme, Web), "project web"));
        Assert.Equal("You have project viewer on project web.", Of(On(Roles.ProjectViewer, Scope.Of(Acme, Web))).Because(Permissions.VmRead, Scope.Of(Acme, Web)));
    }

    [Fact]
    public void The_catalogue_is_everybodys_who_has_a_role_and_nothing_else_is()
    {
        var rights = Of(On(Roles.ProjectViewer, Scope.Of(Acme, Web)));
        Assert.Equal([Permissions.ImageRead, Permissions.StorageRead, Permissions.FlavorRead, Permissions.Personal], Permissions.All.Where(p => rights.Has(p, Scope.Platform)));
    }

    [Fact]
    public void Reach_names_the_projects_that_a_permission_holds_in()
    {
        var rights = Of(On(Roles.ProjectViewer, Scope.Of(Acme)), On(Roles.ProjectMember, Scope.Of(Other, Theirs)));
        var read = rights.ReachOf(Permissions.VmRead);
        Assert.Equal((false, Acme, Theirs), (read.Everything, Assert.Single(read.Organizations), Assert.Single(read.Projects)));
        var delete = rights.ReachOf(Permissions.VmDelete);
        Assert.Equal((0, Theirs), (delete.Organizations.Count, Assert.Single(delete.Projects)));
        Assert.True(rights.ReachOf(Permissions.HostRead).IsEmpty);
        Assert.True(Of(On(Roles.Auditor, Scope.Platform)).ReachOf(Permissions.VmRead).Everything);
    }

    [Fact]
    public void Reach_and_decision_agree_for_every_role_scope_and_permission()
    {
        foreach (var role in Roles.BuiltIn)
            foreach (var at in AllScopes)
            {
                var rights = Of(On(role, at));
                foreach (var permission in Permissions.All.Where(p => !Permissions.IsOwn(p)))
                {
                    var reach = rights.ReachOf(permission);
                    foreach (var asked in AllScopes.Where(s => s.Kind == ScopeKind.Project))
                        Assert.Equal(rights.Has(permission, asked) || (reach.Everything && Permissions.IsCatalogue(permission)), reach.Everything || reach.Organizations.Contains(asked.Organization!.Value) || reach.Projects.Contains(asked.Project!.Value));
                }
            }
    }

    [Fact]
    public void Nobody_gives_more_than_they_have()
    {
        var admin = Of(On(Roles.OrganizationAdmin, Scope.Of(Acme)));
        Assert.Null(admin.CheckGiving(Roles.ProjectMember, Scope.Of(Acme, Web), "project web"));
        Assert.Null(admin.CheckGiving(Roles.OrganizationAdmin, Scope.Of(Acme), "organization acme"));
        Assert.NotNull(admin.CheckGiving(Roles.ProjectMember, Scope.Of(Other, Theirs), "project theirs"));
        Assert.Contains("nobody gives more than they have", admin.CheckGiving(Roles.PlatformOperator, Scope.Of(Acme), "organization acme")!.Message, StringComparison.Ordinal);
        Assert.Contains("needs access.manage", Of(On(Roles.ProjectMember, Scope.Of(Acme, Web))).CheckGiving(Roles.ProjectViewer, Scope.Of(Acme, Web), "project web")!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Roles_hold_only_permissions_that_there_are_and_only_the_admin_decides_over_the_platform()
    {
        Assert.Equal(Permissions.All.Count, Permissions.All.Distinct().Count());
        foreach (var role in Roles.BuiltIn)
        {
            Assert.Subset(Permissions.All.ToHashSet(), role.Permissions.ToHashSet());
            Assert.DoesNotContain(Permissions.Personal, role.Permissions.AsEnumerable());
        }
        Assert.Equal([Roles.PlatformAdmin, Roles.OrganizationAdmin], Roles.BuiltIn.Where(r => r.Permissions.Contains(Permissions.AccessManage)));
        Assert.Equal([Roles.PlatformAdmin], Roles.BuiltIn.Where(r => r.Permissions.Contains(Permissions.OrganizationManage)));
        Assert.All(Roles.Auditor.Permissions, p => Assert.EndsWith(".read", p));
    }

    /// <summary>Whatever the token is limited to: nothing that its owner may not, and nothing that the limit does not hold.</summary>
    [Fact]
    public void A_token_allows_what_both_its_owner_and_its_limit_allow()
    {
        foreach (var role in Roles.BuiltIn)
            foreach (var at in AllScopes)
                foreach (var most in Roles.BuiltIn)
                    foreach (var within in AllScopes)
                    {
                        var (owner, limit) = (Of(On(role, at)), Of(On(most, within)));
                        var token = new Rights(Ana, [On(role, at)], Now, new TokenLimit("ci", On(most, within)));
                        foreach (var permission in Permissions.All.Where(p => !Permissions.IsOwn(p) && !Permissions.IsCatalogue(p)))
                            foreach (var scope in AllScopes) Assert.Equal(owner.Has(permission, scope) && limit.Has(permission, scope), token.Has(permission, scope));
                    }
    }

    [Fact]
    public void A_token_without_a_limit_is_its_owner_but_for_the_account()
    {
        var owner = new Rights(Ana with { Session = SessionId.New(Now) }, [On(Roles.ProjectMember, Scope.Of(Acme))], Now);
        var token = new Rights(Ana with { Session = SessionId.New(Now) }, [On(Roles.ProjectMember, Scope.Of(Acme))], Now, new TokenLimit("ci", null));
        foreach (var permission in Permissions.All)
            Assert.All(AllScopes, s => Assert.Equal(owner.Has(permission, s) && permission != Permissions.Account, token.Has(permission, s)));
        Assert.True(owner.Has(Permissions.Account, Scope.Platform));
        Assert.Equal("This needs account.manage, which only people have who are signed in in a browser.", token.Check(Permissions.Account)!.Message);
    }

    [Fact]
    public void A_refusal_of_a_token_says_what_it_is_limited_to() =>
        Assert.Equal("This needs vm.delete on project web; you have project member on project web, and the token ci allows no more than project viewer on project web.",
            new Rights(Ana, [On(Roles.ProjectMember, Scope.Of(Acme))], Now, new TokenLimit("ci", On(Roles.ProjectViewer, Scope.Of(Acme, Web)))).Check(Permissions.VmDelete, Scope.Of(Acme, Web), "project web")!.Message);
}
