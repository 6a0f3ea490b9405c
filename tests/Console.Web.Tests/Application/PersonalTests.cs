using Plinth.Core.Identity;
using Plinth.Core.Primitives;
using Plinth.Web.Application;

namespace Plinth.Web.Tests.Application;

public sealed class PersonalTests : Stage
{
    private static readonly Caller Bea = new(new Principal(PrincipalKind.User, "u-bea", "bea"), null);
    private IPersonal Personal => The<IPersonal>();

    [Fact]
    public async Task A_choice_is_remembered_for_whoever_made_it_across_restarts()
    {
        Ok(await Personal.Prefer(Ana, "theme", "dark", Stop));
        await Restart();
        Assert.Equal("dark", Ok(await Personal.Preferences(Ana, Stop))["theme"]);
        Assert.Equal("system", Ok(await Personal.Preferences(Bea, Stop))["theme"]);
        Assert.Equal("comfortable", Ok(await Personal.Preferences(Ana, Stop))["density"]);
    }

    [Fact]
    public async Task A_choice_that_does_not_exist_is_refused_with_those_that_do()
    {
        var no = No(await Personal.Prefer(Ana, "theme", "pink", Stop));
        Assert.Equal("value", no.Field);
        Assert.Contains("system, light, dark", no.Message);
        Assert.Equal(RefusalKind.NotFound, No(await Personal.Prefer(Ana, "shoe-size", "43", Stop)).Kind);
    }

    [Fact]
    public async Task A_view_is_kept_by_name_and_replaced_by_the_same_name()
    {
        Ok(await Personal.SaveView(Ana, new SaveView("vms", "Broken", "state=failed"), Stop));
        var again = Ok(await Personal.SaveView(Ana, new SaveView("vms", " Broken ", "?state=failed,lost"), Stop));
        var view = Assert.Single(Ok(await Personal.Views(Ana, "vms", Stop)));
        Assert.Equal((again.Id, "Broken", "state=failed,lost"), (view.Id, view.Name, view.Query));
        Assert.Empty(Ok(await Personal.Views(Ana, "hosts", Stop)));
    }

    [Fact]
    public async Task The_views_of_somebody_else_are_not_there()
    {
        var mine = Ok(await Personal.SaveView(Ana, new SaveView("vms", "Broken", "state=failed"), Stop));
        Assert.Empty(Ok(await Personal.Views(Bea, null, Stop)));
        Assert.Equal(RefusalKind.NotFound, No(await Personal.DeleteView(Bea, mine.Id, Stop)).Kind);
        Ok(await Personal.DeleteView(Ana, mine.Id, Stop));
        Assert.Empty(Ok(await Personal.Views(Ana, null, Stop)));
    }

    [Fact]
    public async Task All_that_is_wrong_with_a_view_is_said_at_once()
    {
        var refused = await Personal.SaveView(Ana, new SaveView("shoes", "", "a b"), Stop);
        Assert.Equal(["name", "list", "query"], refused.Refusals.Select(r => r.Field));
    }

    [Fact]
    public async Task Strangers_have_nothing_of_their_own()
    {
        var stranger = new Caller(Principal.Anonymous, null);
        Assert.Equal(RefusalKind.Forbidden, No(await Personal.Preferences(stranger, Stop)).Kind);
        Assert.Equal(RefusalKind.Forbidden, No(await Personal.Prefer(stranger, "theme", "dark", Stop)).Kind);
        Assert.Equal(RefusalKind.Forbidden, No(await Personal.SaveView(stranger, new SaveView("vms", "x", ""), Stop)).Kind);
    }
}
