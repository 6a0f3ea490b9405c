using Plinth.Core.Machines;
using Plinth.Web.Application;
using Plinth.Web.Pages.Machines;

namespace Plinth.Web.Tests.Portal;

public sealed class VmCreateViewTests : PortalStage
{
    private async Task<VmCreateView> Open()
    {
        var view = new VmCreateView(Vms, Catalogue, The<INetworks>(), The<IStorageClasses>(), Hosts, Live, Time, Ana, Project);
        await view.Load();
        return view;
    }

    [Fact]
    public async Task The_form_opens_ready_to_be_sent()
    {
        await Image();
        await Host("kvm-1");
        using var view = await Open();

        Assert.Equal((1, 1), (view.Fit!.Hosts, view.Fit.OfHosts));
        Assert.Equal("mini", view.Form.Image);
        Assert.NotEmpty(view.Form.Flavor);
        var operation = await view.Create();
        Assert.Equal(OperationKind.CreateVm, operation!.Kind);
    }

    [Fact]
    public async Task Sent_twice_it_makes_one_vm()
    {
        await Image();
        using var view = await Open();
        var first = await view.Create();
        var second = await view.Create();
        Assert.Equal(first!.Id, second!.Id);
        Assert.Equal(1, Ok(await Vms.List(Ana, Project, new VmQuery(), new Window(), Stop)).Total);
    }

    [Fact]
    public async Task Errors_stand_at_the_fields_that_were_touched()
    {
        await Image();
        using var view = await Open();
        (view.Form.Name, view.Form.Labels) = ("Not Valid!", "=x");

        var asked = view.Edited("name");
        Time.Advance(TimeSpan.FromSeconds(1));
        await asked;

        Assert.Contains("Not Valid!", Assert.Single(view.ErrorsOf("name")));
        Assert.Empty(view.ErrorsOf("labels"));
        Assert.Equal(2, view.WrongFields);
        Assert.Null(view.Fit);
    }

    [Fact]
    public async Task Sent_with_errors_every_field_says_its_own()
    {
        await Image();
        using var view = await Open();
        (view.Form.Flavor, view.Form.Vcpus, view.Form.MemoryMib, view.Form.DiskGib) = ("", "0", "-5", "many");

        Assert.Null(await view.Create());

        Assert.All(["vcpus", "memoryMib", "diskGib"], field => Assert.NotEmpty(view.ErrorsOf(field)));
        Assert.Null(view.Fit);
        Assert.Equal(0, Ok(await Vms.List(Ana, Project, new VmQuery(), new Window(), Stop)).Total);
    }

    [Fact]
    public async Task A_host_that_joins_makes_it_fit()
    {
        await Image();
        using var view = await Open();
        Assert.Equal(0, view.Fit!.Hosts);

        await Host("kvm-1");
        var told = Tell();
        await Until("the fit is asked again", () => { Time.Advance(TimeSpan.FromSeconds(1)); return view.Fit?.Hosts == 1; });
        await told;
    }

    [Fact]
    public void A_form_becomes_the_request_and_nothing_is_judged_in_between()
    {
        var request = new VmForm { Name = " web-1 ", Image = "mini", Vcpus = "abc", Keys = "ssh-ed25519 A me\n\n ssh-ed25519 B you ", Labels = "env=prod\nflag\nurl=a=b", Networks = ["default"] }.ToRequest();

        Assert.Equal("web-1", request.Name);
        Assert.Null(request.Vcpus);
        Assert.Equal(["ssh-ed25519 A me", "ssh-ed25519 B you"], request.Keys!);
        Assert.Equal(new Dictionary<string, string?> { ["env"] = "prod", ["flag"] = "", ["url"] = "a=b" }, request.Labels);
        Assert.Null(request.UserData);
    }
}
