using Microsoft.EntityFrameworkCore;
using Plinth.Core.Identity;
using Plinth.Core.Inventory;
using Plinth.Core.Machines;
using Plinth.Core.Network;
using Plinth.Core.Operations;
using Plinth.Core.Placement;
using Plinth.Core.Primitives;
using Plinth.Core.Storage;
using Plinth.Web.Application.Networks;
using Plinth.Web.Application.Operations;
using Plinth.Web.Application.Placement;
using Plinth.Web.Application.Quotas;
using Plinth.Web.Persistence;
using Plinth.Web.Persistence.Capacity;
using Plinth.Web.Persistence.Rows;

namespace Plinth.Web.Application.Machines;

/// <inheritdoc cref="IRootDisks"/>
internal sealed class RootDiskUseCases(Mutations mutations, OperationAnswers answers, MachineWriter writer, NetworkWriter networks, Signals signals) : IRootDisks
{
    // What is on the disk is lost, as by a deletion.
    public async Task<Result<OperationView>> Rebuild(Caller caller, string project, VmId vm, RebuildVm request, long? expectedVersion, string? idempotencyKey, CancellationToken stop)
    {
        var operation = await mutations.In(caller, Permissions.VmDelete, project, "vm.rebuild", $"vm/{vm}", Idempotency.Of(caller, idempotencyKey, "vm.rebuild", project, vm, expectedVersion, request), async (m, owner) =>
        {
            var row = await Naming.Vm(m.Db, owner, vm, stop);
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
        return await answers.Of(caller, operation, stop);
    }

    public async Task<Result<OperationView>> Clone(Caller caller, string project, VmId vm, CloneVm request, long? expectedVersion, string? idempotencyKey, CancellationToken stop)
    {
        var operation = await mutations.In(caller, Permissions.VmCreate, project, "vm.clone", $"vm/{vm}", Idempotency.Of(caller, idempotencyKey, "vm.clone", project, vm, expectedVersion, request), async (m, owner) =>
        {
            var row = await Naming.Vm(m.Db, owner, vm, stop);
            if (!row.Succeeded) return Result<Guid>.No(row.Refusals);
            var source = row.Value;
            if (VirtualMachines.Stale(source, expectedVersion) is { } stale) return stale;
            var judged = await NewVm.Judge(m.Db, owner, AsCreate(source, request), stop);
            var small = request.DiskGib < source.Spec.Size.DiskGib
                ? Refusal.Invalid("diskGib", "disk_too_small", $"The disk of {source.Name} has {source.Spec.Size.DiskGib} GiB, and a copy of it needs as much; {request.DiskGib} GiB were asked for. Choose {source.Spec.Size.DiskGib} GiB or more.")
                : null;
            if (!judged.Succeeded) return Result<Guid>.No(small is null ? judged.Refusals : [.. judged.Refusals, small]);
            if (small is not null) return small;
            var host = source.Host is { } on ? await m.Db.Hosts.SingleAsync(h => h.Id == on, stop) : null;
            if (CloneActs.WhyNot(source.State, host?.Name) is { } no) return no;
            if (source.Operation is not null) return Refusal.Conflict("operation_under_way", "Something is under way on this VM; wait until it has ended.");
            var spec = judged.Value.Spec with { Source = new CloneSource(source.Id, source.Name, host!.Id, host.Name, source.Spec.DiskGeneration) };
            if (await QuotaUse.Check(m.Db, owner, QuotaUse.OfVm(spec, judged.Value.Networks), stop) is { Count: > 0 } over) return Result<Guid>.No(over);
            if (await NoRoom(m, spec, judged.Value.Storage, host.Id, stop) is { } full) return full;

            var id = VmId.New(m.Now);
            var clone = new VmRow
            {
                Id = id, Project = source.Project, State = VmState.Requested, StateReason = VmLifecycle.Sentence(VmState.Requested), Power = DesiredPower.Running, PowerGeneration = 1,
                CreatedBy = m.By, CreatedAt = m.Now, UpdatedAt = m.Now,
            }.SetSpec(spec);
            clone.Nics = await networks.Take(m.Scope, id, judged.Value.Networks);
            var operationRow = MachineRows.Row(OperationProgress.Begin(OperationKind.CloneVm, m.By, Generation.None, clone.PowerGeneration, m.Now), OperationId.New(m.Now), clone, m.By, clone.StopDeadlineSeconds);
            clone.Operation = operationRow.Id;
            m.Db.Vms.Add(clone);
            m.Db.Operations.Add(operationRow);
            m.Target = $"vm/{id}";
            m.Detail = $"{clone.Name}: a copy of {source.Name}, {spec.Size.Vcpus} vCPU, {spec.Size.MemoryMib} MiB, {spec.Size.DiskGib} GiB";
            m.Scope.AfterCommit(signals.Placement.Ring);
            return operationRow.Id.Value;
        }, stop);
        return await answers.Of(caller, operation, stop);
    }

    // What is not asked for is as the source has it. A login of its own was judged when the source was made.
    private static CreateVm AsCreate(VmRow source, CloneVm request)
    {
        var (spec, firmware) = (source.Spec, source.Spec.Firmware ?? GuestFirmware.Default);
        return new CreateVm(
            request.Name, spec.Image.ToString(), null, request.Vcpus ?? spec.Size.Vcpus, request.MemoryMib ?? spec.Size.MemoryMib, request.DiskGib ?? spec.Size.DiskGib,
            request.Description ?? spec.Description, request.Labels ?? spec.Labels.ToDictionary(l => l.Key, l => (string?)l.Value), spec.StorageClass,
            request.Networks ?? [.. source.Nics.Where(n => n.State != InterfaceState.Removing).Select(n => n.Network.ToString())], request.UserName ?? (spec.UserName.Length > 0 ? spec.UserName : null),
            request.Keys ?? [.. spec.SshKeys], request.UserData ?? spec.UserData, null, firmware.Kind == FirmwareKind.Uefi ? "uefi" : null, firmware.SecureBoot ? true : null, firmware.Tpm ? true : null);
    }

    // It goes to its source's host or nowhere: what does not fit there now is not kept waiting, since the source would wait with it.
    private static async Task<Refusal?> NoRoom(Mutation m, VmSpec spec, StorageDemand storage, HostId on, CancellationToken stop)
    {
        var host = await FleetSnapshots.LoadHost(m.Db, on, stop);
        if (host is null) return Refusal.Conflict("no_host", $"The host of {spec.Source!.Name} is retired; its disk cannot be copied.");
        var asked = new PlacementRequest(default, default, spec.Size, GuestArchitecture.OfImages, null, storage, spec.Firmware, Placer.SourceOf(spec));
        var reasons = PlacementEngine.Recheck(asked, host, PlacementPolicy.Default, m.Now);
        return reasons.Count == 0 ? null : Refusal.NoCapacity("no_room", $"The clone has to be on {host.Name}, where the disk of {spec.Source!.Name} is, and {host.Name} cannot take it: {string.Join("; ", reasons.Select(r => r.Message))}. Ask for less, or free room on {host.Name}.");
    }
}
