using Plinth.Core.Identity;
using Plinth.Core.Primitives;
using Plinth.Web.Application;
using Plinth.Web.Security;

namespace Plinth.Web.Api;

/// <summary>The network interfaces of a VM.</summary>
internal static class InterfaceEndpoints
{
    public static void Map(RouteGroupBuilder api)
    {
        var interfaces = api.MapGroup("/projects/{project}/vms/{vm}/interfaces").WithTags("Networks");

        interfaces.MapGet("", async (HttpContext http, string project, string vm, IInterfaces use) =>
                Answers.Whole(await use.List(http.Caller(), Inputs.Project(project), Vm(vm), http.RequestAborted)))
            .Needs(Permissions.VmRead).Describe<Page<VmNetworkView>>("List the interfaces of a virtual machine", "seenAddresses is what the guest has by its agent's last word, as old as the VM's observedAt.");

        interfaces.MapPost("", async (HttpContext http, string project, string vm, IInterfaces use, JsonBody<AddInterface> body) =>
                Answers.Accepted(http, await use.Add(http.Caller(), Inputs.Project(project), Vm(vm), body.Value, Inputs.ExpectedVersion(http), Inputs.IdempotencyKey(http), http.RequestAborted)))
            .Needs(Permissions.VmOperate).Describe<OperationView>("Add an interface", "A running guest sees it at once, a stopped one from its next start. It is held to its own addresses before it is there. If-Match carries the VM's version.", StatusCodes.Status202Accepted);

        interfaces.MapDelete("/{mac}", async (HttpContext http, string project, string vm, string mac, IInterfaces use) =>
                Answers.Accepted(http, await use.Remove(http.Caller(), Inputs.Project(project), Vm(vm), mac, Inputs.ExpectedVersion(http), Inputs.IdempotencyKey(http), http.RequestAborted)))
            .Needs(Permissions.VmOperate).Describe<OperationView>("Remove an interface", "A running guest is asked to release it; at the deadline it stays and the operation fails. Its address is free once it is gone. If-Match carries the VM's version.", StatusCodes.Status202Accepted);
    }

    private static VmId Vm(string text) => Inputs.Id<VmId>(text, "vm");
}
