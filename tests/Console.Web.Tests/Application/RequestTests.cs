using Microsoft.EntityFrameworkCore;
using Plinth.Core.Identity;
using Plinth.Core.Inventory;
using Plinth.Core.Machines;
using Plinth.Core.Primitives;
using Plinth.Core.Protocol;
using Plinth.Web.Application;
using Plinth.Web.Persistence;
using Plinth.Web.Persistence.Rows;
using Plinth.Web.Tests.Persistence;

namespace Plinth.Web.Tests.Application;

/// <summary>What callers send: hostile, repeated, stale, of other projects, many at once.</summary>
public class RequestTests : Stage
{
    [Fact]
    public async Task Everything_wrong_with_a_request_is_told_at_once_and_nothing_is_created()
    {
        await Image();
        var request = new CreateVm(
            "Bad Name<script>", "nope", Flavor: "tiny", Vcpus: -1, MemoryMib: long.MaxValue, DiskGib: 0, Description: "a\0b",
            Labels: new Dictionary<string, string?> { ["team"] = "$(id)" }, StorageClass: "../etc", Networks: ["default", "default", "x"], UserName: "Root!", Keys: ["ssh-rsa AAAA", null],
            UserData: new string('x', 20_000), Host: "'; drop table");
        var refused = await Vms.Create(Ana, Project, request, null, Stop);
        Assert.Equal(
            ["description", "flavor", "host", "image", "keys[0]", "keys[1]", "labels.team", "name", "networks[1]", "networks[2]", "storageClass", "userData", "userName"],
            refused.Refusals.Select(r => r.Field).Order(StringComparer.Ordinal));
        Assert.All(refused.Refusals, r => Assert.Equal(RefusalKind.Invalid, r.Kind));
        Assert.Equal(refused.Refusals, (await Vms.Fit(Ana, Project, request, Stop)).Refusals);
        await using var db = Store.Read();
        Assert.Equal((0, 0), (await db.Vms.CountAsync(), await db.Operations.CountAsync()));
        Assert.Single(await Audit(), a => a is { Action: "vm.create", Outcome: "refused" });
    }

    [Fact]
    public async Task Sizes_are_given_whole_or_by_flavor()
    {
        await Image();
        Assert.Equal(["memoryMib", "diskGib"], (await Vms.Create(Ana, Project, new CreateVm("a", "mini", Vcpus: 1), null, Stop)).Refusals.Select(r => r.Field));
        Assert.Equal("flavor", No(await Vms.Create(Ana, Project, new CreateVm("a", "mini"), null, Stop)).Field);
        Assert.Equal("unknown_flavor", No(await Vms.Create(Ana, Project, new CreateVm("a", "mini", "huge"), null, Stop)).Code);
        var ready = Ok(await Catalogue.CreateImage(Ana, new CreateImage("big", null, "raw", "sha256:" + new string('0', 64), 5, 30, 1024, true, null), null, Stop));
        Assert.Equal("image_not_ready", No(await Vms.Create(Ana, Project, new CreateVm("a", ready.Name, "small"), null, Stop)).Code);
        Ok(await Vms.Create(Ana, Project, new CreateVm("a", "mini", Vcpus: 2, MemoryMib: 100, DiskGib: 3), null, Stop));
    }

    [Fact]
    public async Task Firmware_is_asked_for_reaches_the_host_and_leaves_out_hosts_that_lack_it()
    {
        await Image();
        Assert.Equal(("firmware", "unknown_firmware"), No(await Vms.Create(Ana, Project, Request("a") with { Firmware = "efi" }, null, Stop)) is var f ? (f.Field, f.Code) : default);
        Assert.Equal(("secureBoot", "needs_uefi"), No(await Vms.Create(Ana, Project, Request("a") with { SecureBoot = true }, null, Stop)) is var s ? (s.Field, s.Code) : default);
        Assert.Equal(("memoryMib", "too_little_memory"), No(await Vms.Create(Ana, Project, new CreateVm("a", "mini", Vcpus: 1, MemoryMib: 256, DiskGib: 1, Firmware: "uefi"), null, Stop)) is var m ? (m.Field, m.Code) : default);
        var old = await Host("kvm-1");
        old.Firmware = FirmwareSupport.None;
        await old.Report();
        var trusted = Request("a") with { Firmware = "uefi", SecureBoot = true, Tpm = true };
        var none = Ok(await Vms.Fit(Ana, Project, trusted, Stop));
        Assert.Equal(0, none.Hosts);
        Assert.Contains("needs UEFI, Secure Boot, TPM 2.0; the host lacks UEFI (package ovmf) and Secure Boot (package ovmf) and a TPM (packages swtpm and swtpm-tools)", none.Sentence);

        var able = await Host("kvm-2");
        var vm = await Vm(Ok(await Vms.Create(Ana, Project, trusted, null, Stop)));
        await Place();
        await able.Reconcile();
        var wanted = new GuestFirmware(FirmwareKind.Uefi, SecureBoot: true, Tpm: true);
        Assert.Equal(wanted, Assert.Single(able.Desired!.Machines).Firmware);
        Assert.Equal(("kvm-2", wanted), Ok(await Vms.Get(Ana, Project, vm.Id, Stop)) is var seen ? (seen.HostName, seen.Firmware) : default);
        // It could not boot any more.
        Assert.Equal(("memoryMib", "too_little_memory"), No(await Vms.Resize(Ana, Project, vm.Id, new ResizeVm(MemoryMib: 256), null, Stop)) is var small ? (small.Field, small.Code) : default);
    }

    [Fact]
    public async Task Fit_counts_hosts_and_says_why_not()
    {
        await Image();
        await Host("kvm-1", vcpus: 4, memoryMib: 4096);
        await Host("kvm-2", vcpus: 1, memoryMib: 600);
        var fit = Ok(await Vms.Fit(Ana, Project, Request("a"), Stop));
        Assert.Equal((1, 2, "Fits on 1 of 2 hosts."), (fit.Hosts, fit.OfHosts, fit.Sentence));
        var none = Ok(await Vms.Fit(Ana, Project, new CreateVm("a", "mini", Vcpus: 200, MemoryMib: 64, DiskGib: 1), Stop));
        Assert.Equal(0, none.Hosts);
        Assert.Contains("needs 200 vCPUs", none.Sentence);
        Assert.Equal(1, Ok(await Vms.Fit(Ana, Project, Request("a") with { Host = "kvm-1" }, Stop)).Hosts);
    }

    [Fact]
    public async Task An_idempotency_key_gives_the_same_answer_once_per_principal_and_request()
    {
        await Image();
        var first = Ok(await Vms.Create(Ana, Project, Request("web-1"), "key-1", Stop));
        await Restart();
        Assert.Equal(first.Id, Ok(await Vms.Create(Ana, Project, Request("web-1"), "key-1", Stop)).Id);
        var other = No(await Vms.Create(Ana, Project, Request("web-2"), "key-1", Stop));
        Assert.Equal((RefusalKind.Conflict, "idempotency_key_reused"), (other.Kind, other.Code));
        Assert.Equal("name_taken", No(await Vms.Create(Bot, Project, Request("web-1"), "key-1", Stop)).Code);
        Ok(await Vms.Create(Bot, Project, Request("web-2"), "key-1", Stop));
        Assert.Equal("bad_idempotency_key", No(await Vms.Create(Ana, Project, Request("web-3"), "a b", Stop)).Code);
        await using (var db = Store.Read()) Assert.Equal(2, await db.Vms.CountAsync());

        var same = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => Vms.Create(Ana, Project, Request("web-9"), "key-9", Stop)));
        Assert.Single(same.Select(r => Ok(r).Id).Distinct());

        Time.Advance(TimeSpan.FromHours(25));
        await The<Plinth.Web.Workers.Retention>().Pass(Stop);
        await using (var db = Store.Read()) Assert.Equal(0, await db.IdempotencyKeys.CountAsync());
    }

    [Fact]
    public async Task Fifty_creates_at_once_never_overbook_a_host()
    {
        await Image();
        var agents = new[] { await Host("kvm-1", vcpus: 64, memoryMib: 512 + (10 * 512), diskGib: 500), await Host("kvm-2", vcpus: 64, memoryMib: 512 + (7 * 512), diskGib: 500) };
        await Task.WhenAll(Enumerable.Range(0, 50).Select(async i =>
        {
            Ok(await Vms.Create(Ana, Project, Request($"vm-{i}"), null, Stop));
            await Place();
        }));
        await Place();
        await using var db = Store.Read();
        var taken = await db.Allocations.GroupBy(a => a.Host).Select(g => new { g.Key, Memory = g.Sum(a => a.MemoryMib) }).ToDictionaryAsync(g => g.Key, g => g.Memory);
        Assert.Equal((10 * 512, 7 * 512), (taken[agents[0].Host], taken[agents[1].Host]));
        Assert.Equal((17, 33), (await db.Vms.CountAsync(v => v.State == VmState.Creating), await db.Vms.CountAsync(v => v.State == VmState.Waiting)));
        foreach (var agent in agents)
        {
            await agent.Reconcile();
            Assert.Equal(taken[agent.Host] / 512, agent.Desired!.Machines.Count);
        }
    }

    [Fact]
    public async Task Another_project_cannot_be_told_from_none()
    {
        var (_, vm) = await Running();
        var theirs = new ProjectId(Guid.NewGuid());
        await Store.Write(scope =>
        {
            scope.Db.Projects.Add(new ProjectRow { Id = theirs, Organization = WellKnown.DefaultOrganization, Name = "theirs", CreatedAt = scope.Now });
            return Task.FromResult(0);
        });
        var no = No(await Vms.Get(Ana, "theirs", vm.Id, Stop));
        Assert.Equal((RefusalKind.NotFound, "vm_not_found"), (no.Kind, no.Code));
        Assert.Equal(no with { Message = "" }, No(await Vms.Get(Ana, "theirs", VmId.New(Time.GetUtcNow()), Stop)) with { Message = "" });
        var unknown = VmId.New(Time.GetUtcNow());
        Func<string, VmId, Task<Refusal>>[] all =
        [
            async (p, id) => No(await Vms.Get(Ana, p, id, Stop)),
            async (p, id) => No(await Vms.Update(Ana, p, id, new UpdateVm("x"), null, Stop)),
            async (p, id) => No(await Vms.Start(Ana, p, id, null, Stop)),
            async (p, id) => No(await Vms.Stop(Ana, p, id, new StopVm(), null, Stop)),
            async (p, id) => No(await Vms.Reboot(Ana, p, id, new RebootVm(), null, Stop)),
            async (p, id) => No(await Vms.Delete(Ana, p, id, true, null, null, Stop)),
            async (p, id) => No(await Vms.Decision(Ana, p, id, Stop)),
            async (p, id) => No(await Vms.OpenConsole(Ana, p, id, new OpenVmConsole(), Stop)),
            async (p, id) => No(await Vms.Metrics(Ana, p, id, TimeSpan.FromHours(1), Stop)),
        ];
        foreach (var act in all)
        {
            Assert.Equal("vm_not_found", (await act(theirs.ToString(), vm.Id)).Code);
            Assert.Equal("vm_not_found", (await act(Project, unknown)).Code);
            Assert.Equal("project_not_found", (await act("nowhere", vm.Id)).Code);
            Assert.Equal("project_not_found", (await act("../default", vm.Id)).Code);
        }
        Assert.Equal("unknown_network", No(await Vms.Create(Ana, "theirs", Request("a") with { Networks = [WellKnown.DefaultNetwork.ToString()] }, null, Stop)).Code);
        Assert.Equal(VmState.Running, Ok(await Vms.Get(Ana, WellKnown.DefaultProject.ToString(), vm.Id, Stop)).State);
    }

    [Fact]
    public async Task Strangers_and_agents_are_refused_everywhere()
    {
        await Image();
        foreach (var who in new[] { new Caller(Principal.Anonymous, null), new Caller(new Principal(PrincipalKind.Agent, "h", "kvm-1"), null) })
        {
            Assert.Equal(RefusalKind.Forbidden, No(await Vms.Create(who, Project, Request("a"), null, Stop)).Kind);
            Assert.Equal(RefusalKind.Forbidden, No(await Vms.List(who, Project, new VmQuery(), new Window(), Stop)).Kind);
            Assert.Equal(RefusalKind.Forbidden, No(await Hosts.List(who, new HostQuery(), new Window(), Stop)).Kind);
            Assert.Equal(RefusalKind.Forbidden, No(await Catalogue.CreateFlavor(who, new CreateFlavor("f", null, 1, 64, 1), null, Stop)).Kind);
            Assert.Equal(RefusalKind.Forbidden, No(await Operations.List(who, new OperationQuery(), new Window(), Stop)).Kind);
            Assert.Equal(RefusalKind.Forbidden, No(await The<IOverview>().Get(who, Stop)).Kind);
        }
        await using var db = Store.Read();
        Assert.Equal(0, await db.Vms.CountAsync());
    }

    [Fact]
    public async Task Changes_respect_the_version_that_the_caller_saw()
    {
        var (_, vm) = await Running();
        var changed = Ok(await Vms.Update(Ana, Project, vm.Id, new UpdateVm("front end", new Dictionary<string, string?> { ["tier"] = "web" }), vm.Version, Stop));
        Assert.Equal(("front end", "web"), (changed.Description, changed.Labels["tier"]));
        Assert.True(changed.Version > vm.Version);
        Assert.Equal(RefusalKind.Stale, No(await Vms.Update(Ana, Project, vm.Id, new UpdateVm("x"), vm.Version, Stop)).Kind);
        Assert.Equal(RefusalKind.Stale, No(await Vms.Delete(Ana, Project, vm.Id, true, vm.Version, null, Stop)).Kind);
        Assert.Equal("description", No(await Vms.Update(Ana, Project, vm.Id, new UpdateVm("\u0007"), null, Stop)).Field);
        Assert.Equal("web", Ok(await Vms.Update(Ana, Project, vm.Id, new UpdateVm("only this"), null, Stop)).Labels["tier"]);
        Ok(await Vms.Delete(Ana, Project, vm.Id, true, null, null, Stop));
    }

    [Theory]
    [InlineData("name")]
    [InlineData("-name")]
    [InlineData("created")]
    [InlineData("-created")]
    [InlineData("state")]
    [InlineData("-state")]
    [InlineData("host")]
    [InlineData("-host")]
    public async Task Windows_of_a_list_tile_it_whatever_the_sort(string sort)
    {
        await Image();
        await Host("kvm-1", memoryMib: 512 + (3 * 512));
        for (var i = 0; i < 7; i++)
        {
            Ok(await Vms.Create(Ana, Project, Request($"vm-{6 - i}") with { Labels = new Dictionary<string, string?> { ["odd"] = (i % 2).ToString() } }, null, Stop));
            if (i % 2 == 0) Time.Advance(TimeSpan.FromSeconds(1));
        }
        await Place();
        var whole = Ok(await Vms.List(Ana, Project, new VmQuery(Sort: sort), new Window(100), Stop));
        Assert.Equal((7, 7L, null), (whole.Items.Count, whole.Total, whole.Next));
        var tiled = new List<VmId>();
        string? cursor = null;
        do
        {
            var page = Ok(await Vms.List(Ana, Project, new VmQuery(Sort: sort), new Window(2, cursor), Stop));
            Assert.Equal(7, page.Total);
            tiled.AddRange(page.Items.Select(v => v.Id));
            cursor = page.Next;
        }
        while (cursor is not null);
        Assert.Equal(whole.Items.Select(v => v.Id), tiled);
        Assert.Equal(whole.Items.Skip(3).Take(2).Select(v => v.Id), Ok(await Vms.List(Ana, Project, new VmQuery(Sort: sort), new Window(2, Offset: 3), Stop)).Items.Select(v => v.Id));
    }

    [Fact]
    public async Task Lists_filter_and_refuse_what_they_do_not_know()
    {
        await Image();
        await Host("kvm-1", memoryMib: 512 + 512);
        Ok(await Vms.Create(Ana, Project, Request("alpha") with { Labels = new Dictionary<string, string?> { ["tier"] = "web" }, Description = "Front End" }, null, Stop));
        Time.Advance(TimeSpan.FromMilliseconds(1));
        Ok(await Vms.Create(Ana, Project, Request("beta") with { Labels = new Dictionary<string, string?> { ["tier"] = "web2" } }, null, Stop));
        await Place();
        Assert.Equal(["alpha"], await Names(new VmQuery(Q: "front e")));
        Assert.Equal(["alpha"], await Names(new VmQuery(Label: "tier=web")));
        Assert.Equal(["alpha", "beta"], await Names(new VmQuery(Label: "tier")));
        Assert.Equal(["alpha"], await Names(new VmQuery(Host: "kvm-1")));
        Assert.Equal(["beta"], await Names(new VmQuery(State: "waiting,failed")));
        Assert.Empty(await Names(new VmQuery(Q: "%")));
        Assert.Empty(await Names(new VmQuery(Q: "_")));
        Assert.Empty(await Names(new VmQuery(Host: "nowhere")));
        Assert.Equal("state", No(await Vms.List(Ana, Project, new VmQuery(State: "happy"), new Window(), Stop)).Field);
        Assert.Equal("sort", No(await Vms.List(Ana, Project, new VmQuery(Sort: "id"), new Window(), Stop)).Field);
        Assert.Equal("limit", No(await Vms.List(Ana, Project, new VmQuery(), new Window(501), Stop)).Field);
        Assert.Equal("limit", No(await Vms.List(Ana, Project, new VmQuery(), new Window(0), Stop)).Field);
        Assert.Equal("offset", No(await Vms.List(Ana, Project, new VmQuery(), new Window(Offset: -1), Stop)).Field);
        foreach (var bad in new[] { "x", "eyJ9", new string('a', 5000), "e30" }) Assert.Equal("cursor", No(await Vms.List(Ana, Project, new VmQuery(), new Window(Cursor: bad), Stop)).Field);

        async Task<IEnumerable<string>> Names(VmQuery query) => Ok(await Vms.List(Ana, Project, query, new Window(), Stop)).Items.Select(v => v.Name);
    }

    [Fact]
    public async Task Operations_of_one_millisecond_tile_too()
    {
        await Image();
        for (var i = 0; i < 7; i++) await Create($"vm-{i}");
        var seen = new List<OperationId>();
        string? cursor = null;
        do
        {
            var page = Ok(await Operations.List(Ana, new OperationQuery(Kind: "create-vm", State: "pending"), new Window(3, cursor), Stop));
            Assert.Equal(7, page.Total);
            seen.AddRange(page.Items.Select(o => o.Id));
            cursor = page.Next;
        }
        while (cursor is not null);
        Assert.Equal((7, 7), (seen.Count, seen.Distinct().Count()));
        Assert.Equal("vm", No(await Operations.List(Ana, new OperationQuery(Vm: "x"), new Window(), Stop)).Field);
    }

    [Fact]
    public async Task Stop_deadlines_are_bounded()
    {
        var (_, vm) = await Running();
        foreach (var bad in new long[] { -1, 3601, long.MaxValue })
            Assert.Equal("deadlineSeconds", No(await Vms.Stop(Ana, Project, vm.Id, new StopVm(bad), null, Stop)).Field);
        Assert.Equal(VmState.Running, Ok(await Vms.Get(Ana, Project, vm.Id, Stop)).State);
    }
}

/// <summary>The same on the other engine: filters, sorts and cursors are its own SQL.</summary>
[Collection(PostgresCollection.Name)]
public sealed class PostgresRequestTests(PostgresServer server) : RequestTests
{
    protected override async Task<DatabaseSettings> NewDatabase() => DatabaseSettings.Postgres(await server.NewDatabase());
}
