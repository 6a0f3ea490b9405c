using Microsoft.EntityFrameworkCore;
using Plinth.Core.Identity;
using Plinth.Core.Machines;
using Plinth.Core.Operations;
using Plinth.Core.Primitives;
using Plinth.Web.Application.Operations;
using Plinth.Web.Persistence;
using Plinth.Web.Persistence.Rows;

namespace Plinth.Web.Application.Machines;

/// <inheritdoc cref="IRootDisks"/>
internal sealed class RootDiskUseCases(IConsoleStore store, Mutations mutations, MachineWriter writer) : IRootDisks
{
    // What is on the disk is lost, as by a deletion.
    public async Task<Result<OperationView>> Rebuild(Caller caller, string project, VmId vm, RebuildVm request, long? expectedVersion, string? idempotencyKey, CancellationToken stop)
    {
        var operation = await mutations.Run(caller, Permissions.VmDelete, "vm.rebuild", $"vm/{vm}", Idempotency.Of(caller, idempotencyKey, "vm.rebuild", project, vm, expectedVersion, request), async m =>
        {
            var row = await VirtualMachines.Mine(m, project, vm, stop);
            if (!row.Succeeded) return Result<Guid>.No(row.Refusals);
            if (VirtualMachines.Stale(row.Value, expectedVersion) is { } stale) return stale;
            var spec = row.Value.Spec;
            var refusals = new RefusalList();
            var deadline = request.DeadlineSeconds ?? MachineActs.DefaultStopDeadlineSeconds;
            SizeRules.Within(refusals, "deadlineSeconds", "seconds", deadline, 0, MachineActs.MaxStopDeadlineSeconds);
            GuestRules.CheckUserName(refusals, "userName", request.UserName);
            GuestRules.CheckUserData(refusals, "userData", request.UserData);
            GuestRules.CheckKeys(refusals, "keys", request.Keys);
            var former = await m.Db.Images.SingleAsync(i => i.Id == spec.Image, stop);
            var image = request.Image is null ? former : await NewVm.FindImage(m.Db, refusals, request.Image, stop);
            if (image is not null) RebuildActs.CheckImage(refusals, MachineRows.Image(image), spec.Size);
            if (refusals.Any) return Result<Guid>.No(refusals.All);
            var user = request.UserName ?? (spec.UserName == former.DefaultUser ? image!.DefaultUser : spec.UserName);
            var keys = request.Keys is null ? spec.SshKeys : [.. request.Keys.Select(k => SshPublicKey.Parse(k).Value!.ToString())];
            var asked = await writer.Rebuild(m.Scope, row.Value, image!.Id, user, keys, request.UserData ?? spec.UserData, (int)deadline, m.By);
            if (!asked.Succeeded) return Result<Guid>.No(asked.Refusals);
            m.Detail = image.Id == former.Id ? $"{row.Value.Name}: anew from {image.Name}" : $"{row.Value.Name}: {former.Name} -> {image.Name}";
            return asked.Value.Id.Value;
        }, stop);
        return await View(operation, stop);
    }

    private async Task<Result<OperationView>> View(Result<Guid> operation, CancellationToken stop)
    {
        if (!operation.Succeeded) return Result<OperationView>.No(operation.Refusals);
        await using var db = store.Read();
        var id = new OperationId(operation.Value);
        return OperationViews.View(await db.Operations.SingleAsync(o => o.Id == id, stop));
    }
}
