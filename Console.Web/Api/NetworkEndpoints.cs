using Plinth.Core.Identity;
using Plinth.Core.Primitives;
using Plinth.Web.Application;
using Plinth.Web.Security;

namespace Plinth.Web.Api;

/// <summary>The networks of a project, and the rules of single interfaces.</summary>
internal static class NetworkEndpoints
{
    public static void Map(RouteGroupBuilder api)
    {
        var networks = api.MapGroup("/projects/{project}/networks").WithTags("Networks");

        networks.MapGet("", async (HttpContext http, string project, INetworks use) => Answers.Whole(await use.List(http.Caller(), Inputs.Project(project), http.RequestAborted)))
            .Needs(Permissions.NetworkRead).Describe<Page<NetworkView>>("List the networks of a project", "Each with the hosts that should have it, and whether they have it as wanted.");

        networks.MapPost("", async (HttpContext http, string project, INetworks use, JsonBody<CreateNetwork> body) =>
                Answers.Created(http, await use.Create(http.Caller(), Inputs.Project(project), body.Value, Inputs.IdempotencyKey(http), http.RequestAborted),
                    n => $"{ApiRegistration.Root}/projects/{project}/networks/{n.Id}", n => n.Version))
            .Needs(Permissions.NetworkManage).Describe<NetworkView>("Create a network", "A private IPv4 range on a VXLAN segment of its own, over all hosts.", StatusCodes.Status201Created);

        networks.MapGet("/{network}", async (HttpContext http, string project, string network, INetworks use) =>
                Answers.Resource(http, await use.Get(http.Caller(), Inputs.Project(project), Network(network), http.RequestAborted), n => n.Version))
            .Needs(Permissions.NetworkRead).Describe<NetworkView>("Get a network", "");

        networks.MapGet("/{network}/members", async (HttpContext http, string project, string network, INetworks use) =>
                Answers.Whole(await use.Members(http.Caller(), Inputs.Project(project), Network(network), http.RequestAborted)))
            .Needs(Permissions.NetworkRead).Describe<Page<NetworkMemberView>>("List who is on a network", "");

        networks.MapPatch("/{network}", async (HttpContext http, string project, string network, INetworks use, JsonBody<UpdateNetwork> body) =>
                Answers.Resource(http, await use.Update(http.Caller(), Inputs.Project(project), Network(network), body.Value, Inputs.ExpectedVersion(http), http.RequestAborted), n => n.Version))
            .Needs(Permissions.NetworkManage).Describe<NetworkView>("Change description or port rules", "What is absent stays; rules are replaced as a whole. A rule lets traffic in from outside the network: {\"protocol\": \"tcp\", \"ports\": \"443\", \"source\": \"0.0.0.0/0\"}.");

        networks.MapDelete("/{network}", async (HttpContext http, string project, string network, INetworks use) =>
                Answers.NoContent(await use.Delete(http.Caller(), Inputs.Project(project), Network(network), http.RequestAborted)))
            .Needs(Permissions.NetworkManage).Describe("Delete a network", "Refused while VMs are on it.");

        api.MapPut("/projects/{project}/vms/{vm}/interfaces/{mac}/rules", async (HttpContext http, string project, string vm, string mac, INetworks use, JsonBody<SetInterfaceRules> body) =>
                Answers.NoContent(await use.SetInterfaceRules(http.Caller(), Inputs.Project(project), Inputs.Id<VmId>(vm, "vm"), mac, body.Value, Inputs.ExpectedVersion(http), http.RequestAborted)))
            .WithTags("Networks").Needs(Permissions.NetworkManage).Describe("Set the port rules of one interface", "They replace those it has, and count beside the rules of its network. If-Match carries the VM's version.");
    }

    private static NetworkId Network(string text) => Inputs.Id<NetworkId>(text, "network");
}
