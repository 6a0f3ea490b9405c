using Microsoft.EntityFrameworkCore;
using Plinth.Core.Identity;
using Plinth.Core.Inventory;
using Plinth.Core.Machines;
using Plinth.Core.Network;
using Plinth.Core.Operations;
using Plinth.Core.Placement;
using Plinth.Core.Primitives;
using Plinth.Core.Protocol;
using Plinth.Web.Application.Hosts;
using Plinth.Web.Application.Networks;
using Plinth.Web.Application.Volumes;
using Plinth.Web.Persistence;
using Plinth.Web.Persistence.Capacity;
using Plinth.Web.Persistence.Rows;

namespace Plinth.Web.Application.Machines;

/// <summary>
/// Writes what an act of a person or a reading of a report changes: VM, operation, the host's desired generation, the ledger.
/// Always inside a write of the store, so that all of it stands or none.
/// </summary>
internal sealed class MachineWriter(Lazy<IAgentGateway> gateway, LiveHosts live, NetworkWriter networks, ICapacityWriter capacity, ApplicationSettings settings, Signals signals)
{
    /// <summary>Start, stop, reboot, pause or resume.</summary>
    public async Task<Result<OperationRow>> Ask(WriteScope scope, VmRow vm, OperationKind kind, int stopDeadlineSeconds, string by, bool force = false)
    {
        var context = await Context.Load(scope, vm);
        return await Begin(scope, vm, context, MachineActs.Ask(context.Machine, context.Current, kind, stopDeadlineSeconds, by, context.NextGeneration, scope.Now), by, force);
    }

    /// <summary>Restorable for a while, or at once: the operation's kind says which.</summary>
    public async Task<Result<OperationRow>> Delete(WriteScope scope, VmRow vm, bool atOnce, string by)
    {
        var context = await Context.Load(scope, vm);
        return await Begin(scope, vm, context, MachineActs.Delete(context.Machine, context.Current, atOnce, settings.RestoreWindow, by, context.NextGeneration, scope.Now), by);
    }

    /// <summary>Takes back a deletion, and with it the room that was given away meanwhile.</summary>
    public async Task<Result<OperationRow>> Restore(WriteScope scope, VmRow vm, string by)
    {
        var context = await Context.Load(scope, vm);
        var act = MachineActs.Restore(context.Machine, context.Current, by, context.NextGeneration, scope.Now);
        if (act.Succeeded && await capacity.Retake(scope, vm.Id, vm.Spec.Held(), PlacementPolicy.Default) is { } full) return full;
        var operation = await Begin(scope, vm, context, act, by);
        // One that was stopped waits for nothing.
        if (operation.Succeeded) await Advance(scope, vm);
        return operation;
    }

    /// <summary>The time to restore it has run out: its disk is removed now. False where that is not so, or not any more.</summary>
    public async Task<bool> RemoveWhatIsOver(WriteScope scope, VmRow vm)
    {
        var context = await Context.Load(scope, vm);
        if (!MachineActs.IsOver(context.Machine, scope.Now)) return false;
        var until = vm.RestorableUntil;
        if (!(await Delete(scope, vm, atOnce: true, Principal.System.Name)).Succeeded) return false;
        scope.Audit(Principal.System, null, "vm.remove", $"vm/{vm.Id}", vm.Project, AuditOutcomes.Done, $"{vm.Name} could be restored until {until:u}; its disk is being removed.");
        return true;
    }

    /// <summary>A fresh root disk, from an image and with guest settings that were found good. The former disk is kept until the host has the new one.</summary>
    public async Task<Result<OperationRow>> Rebuild(WriteScope scope, VmRow vm, ImageId image, string userName, IReadOnlyList<string> keys, string userData, int stopDeadlineSeconds, string by)
    {
        var context = await Context.Load(scope, vm);
        var act = MachineActs.Rebuild(context.Machine, context.Current, stopDeadlineSeconds, by, context.NextGeneration, scope.Now);
        if (act.Succeeded && RebuildActs.Unsettled(vm.Spec, context.Host!.Name) is { } unsettled) return unsettled;
        var operation = await Begin(scope, vm, context, act, by);
        if (operation.Succeeded) vm.SetSpec(vm.Spec with { Rebuild = new RebuildWish(vm.PowerGeneration, image, vm.Name, userName, keys, userData) });
        return operation;
    }

    // What the report shows is what the machine has; its snapshots went with the former disk.
    private void SettleRebuild(WriteScope scope, VmRow vm, HostRow? host)
    {
        if (vm.Spec.Rebuild is not { } rebuild || vm.Observed is not { } seen || host is null) return;
        var settled = RebuildActs.Settle(vm.Spec, seen, seen.Generation >= vm.Generation);
        if (settled == vm.Spec) return;
        var done = settled.DiskGeneration == rebuild.Generation;
        vm.SetSpec(settled);
        if (!done) return;
        vm.Snapshots = [];
        vm.UpdatedAt = scope.Now;
        // Given up, and done all the same: what is wished follows what is.
        if (!rebuild.Wanted) Wish(scope, vm, host);
        scope.Audit(Principal.System, null, "vm.rebuilt", $"vm/{vm.Id}", vm.Project, AuditOutcomes.Done, $"{host.Name} reports {vm.Name} on its new disk; the former one is gone.");
    }

    private void GiveUpRebuild(WriteScope scope, VmRow vm, HostRow host)
    {
        if (vm.Spec.Rebuild is not { Wanted: true } rebuild) return;
        vm.SetSpec(vm.Spec with { Rebuild = rebuild with { Wanted = false } });
        Wish(scope, vm, host);
        scope.Audit(Principal.System, null, "vm.rebuild-undone", $"vm/{vm.Id}", vm.Project, AuditOutcomes.Done, $"{vm.Name} keeps its disk.");
    }

    /// <summary>A snapshot of the machine as it is, under a name that was found good.</summary>
    /// <param name="memory">Whether its memory is kept; null: if it has any.</param>
    public async Task<Result<OperationRow>> TakeSnapshot(WriteScope scope, VmRow vm, string name, bool? memory, string by)
    {
        if (Changing(vm) is { } changing) return changing;
        if (SnapshotActs.WhyNotTake(vm.State, vm.Snapshots.Count, await VolumesOf(scope, vm), vm.Spec.Firmware ?? GuestFirmware.Default) is { } no) return no;
        if (memory == true && !SnapshotActs.HasMemory(vm.State)) return Refusal.Invalid("memory", "no_memory", $"The VM is {VmLifecycle.Word(vm.State)} and has no memory to keep: leave memory out, or start it first.");
        var withMemory = memory ?? SnapshotActs.HasMemory(vm.State);
        var size = (withMemory ? vm.Observed?.Running : null) ?? new MachineSize(vm.Spec.Size.Vcpus, vm.Spec.Size.MemoryMib);
        var snapshot = new VmSnapshot(SnapshotId.New(scope.Now), name, withMemory, size.Vcpus, size.MemoryMib, SnapshotState.Taking, "", scope.Now, by, Interfaces: Macs(vm));
        return await OfSnapshot(scope, vm, OperationKind.TakeSnapshot, snapshot, new SnapshotMachine(vm.Id, snapshot.Id, withMemory), by);
    }

    public async Task<Result<OperationRow>> RevertSnapshot(WriteScope scope, VmRow vm, VmSnapshot snapshot, string by) =>
        (Changing(vm) ?? SnapshotActs.WhyNotRevert(snapshot, vm.State, new MachineSize(vm.Spec.Size.Vcpus, vm.Spec.Size.MemoryMib), await VolumesOf(scope, vm), Macs(vm))) is { } no
            ? no
            : await OfSnapshot(scope, vm, OperationKind.RevertSnapshot, snapshot with { State = SnapshotState.Reverting, Reason = "" }, new RevertMachine(vm.Id, snapshot.Id), by);

    public async Task<Result<OperationRow>> RemoveSnapshot(WriteScope scope, VmRow vm, VmSnapshot snapshot, string by) =>
        SnapshotActs.WhyNotRemove(snapshot, vm.State) is { } no
            ? no
            : await OfSnapshot(scope, vm, OperationKind.RemoveSnapshot, snapshot with { State = SnapshotState.Removing, Reason = "" }, new RemoveSnapshot(vm.Id, snapshot.Id), by);

    private async Task<Result<OperationRow>> OfSnapshot(WriteScope scope, VmRow vm, OperationKind kind, VmSnapshot snapshot, CommandBody body, string by)
    {
        var context = await Context.Load(scope, vm);
        var operation = await Begin(scope, vm, context, MachineActs.Ask(context.Machine, context.Current, kind, 0, by, context.NextGeneration, scope.Now), by, body: body);
        if (operation.Succeeded) vm.Snapshots = [.. vm.Snapshots.Where(s => s.Id != snapshot.Id), snapshot];
        return operation;
    }

    public static IReadOnlyList<string> Macs(VmRow vm) => [.. vm.Nics.Select(n => n.Mac)];

    // An interface whose operation was superseded may still be on its way.
    private static Refusal? Changing(VmRow vm) => vm.Nics.FirstOrDefault(n => n.State != InterfaceState.Present) is { } nic
        ? Refusal.Conflict("interface_changing", $"The interface {nic.Mac} on the network {nic.Name} is being {(nic.State == InterfaceState.Adding ? "added" : "removed")}; wait until that has ended.")
        : null;

    private static Task<int> VolumesOf(WriteScope scope, VmRow vm) => scope.Db.Volumes.CountAsync(v => v.Vm == vm.Id && v.DeletedAt == null);

    // One operation at a time works on a VM, so the snapshot that is busy is its own.
    private void EndSnapshot(WriteScope scope, VmRow vm, HostRow host, OperationRecord operation, CommandOutcome? command)
    {
        if (!OperationSteps.IsOfSnapshot(operation.Kind) || vm.Snapshots.FirstOrDefault(SnapshotActs.IsBusy) is not { } busy) return;
        vm.Snapshots = [.. vm.Snapshots.Select(s => s.Id == busy.Id ? SnapshotActs.Ended(s, operation, command) : s).OfType<VmSnapshot>().OrderBy(s => s.TakenAt)];
        if (operation is not { Kind: OperationKind.RevertSnapshot, State: OperationState.Succeeded } || !busy.WithMemory) return;
        // It goes on from there, by what was asked: the wish follows, so that nobody takes it for a start behind the owner's back.
        vm.Power = DesiredPower.Running;
        vm.PowerGeneration++;
        if (VmLifecycle.Next(vm.State, VmEvent.StartAsked) is { Succeeded: true, Value: var starting }) (vm.State, vm.StateReason) = (starting, VmLifecycle.Sentence(starting));
        Wish(scope, vm, host);
    }

    private async Task<Result<OperationRow>> Begin(WriteScope scope, VmRow vm, Context context, Result<MachineAct> act, string by, bool force = false, CommandBody? body = null)
    {
        if (!act.Succeeded) return Result<OperationRow>.No(act.Refusals);
        var kind = act.Value.Operation.Kind;
        if (CloneActs.Disturbs(kind) && await CloneOf(scope, vm) is { } clone) return CloneActs.BeingCloned(clone);
        if (act.Value.Superseded is { } superseded)
        {
            MachineRows.Take(context.Operation!, superseded, vm.StopDeadlineSeconds);
            await ExpireCommand(scope, context.Operation!, superseded.Reason);
        }
        MachineRows.Take(vm, act.Value.Vm, scope.Now);
        var operation = MachineRows.Row(act.Value.Operation, OperationId.New(scope.Now), vm, by, vm.StopDeadlineSeconds);
        scope.Db.Operations.Add(operation);
        vm.Operation = operation.Id;
        if (vm.Host is { } on) scope.AfterCommit(() => live.Forget(on, vm.Id));
        if (OperationSteps.IsCommand(kind)) Command(scope, vm, operation, force, body);
        else if (context.Host is not null) Wish(scope, vm, context.Host);
        if (kind == OperationKind.DeleteVm) await Remove(scope, vm);
        return operation;
    }

    /// <summary>The name of a VM that this one's disk is being copied into; null where there is none. Few clones are under way at a time.</summary>
    public static async Task<string?> CloneOf(WriteScope scope, VmRow vm)
    {
        var clones = await scope.Db.Operations.Where(o => o.Kind == OperationKind.CloneVm && (o.State == OperationState.Pending || o.State == OperationState.Running)).ToListAsync();
        var ids = clones.Where(o => CloneActs.NeedsSource(MachineRows.Record(o))).Select(o => o.Vm!.Value).ToArray();
        return ids.Length == 0 ? null : (await scope.Db.Vms.Where(v => ids.Contains(v.Id)).ToListAsync()).FirstOrDefault(v => v.Spec.Source?.Vm == vm.Id)?.Name;
    }

    /// <summary>Another size. The ledger holds the larger of the two until the machine has wholly taken the new one.</summary>
    public async Task<Result<OperationRow>> Resize(WriteScope scope, VmRow vm, Resources size, string by)
    {
        var context = await Context.Load(scope, vm);
        var act = MachineActs.Resize(context.Machine, context.Current, by, context.NextGeneration, scope.Now);
        if (!act.Succeeded) return Result<OperationRow>.No(act.Refusals);
        var former = vm.Spec.FormerSize ?? vm.Spec.Size;
        if (await capacity.Resize(scope, vm.Id, former.OrMore(size), PlacementPolicy.Default) is { } full) return full;
        vm.SetSpec(vm.Spec with { Size = size, FormerSize = former, Flavor = null });
        vm.UpdatedAt = scope.Now;
        var operation = MachineRows.Row(act.Value.Operation, OperationId.New(scope.Now), vm, by, vm.StopDeadlineSeconds);
        scope.Db.Operations.Add(operation);
        vm.Operation = operation.Id;
        scope.AfterCommit(() => live.Forget(vm.Host!.Value, vm.Id));
        Wish(scope, vm, context.Host!);
        return operation;
    }

    /// <summary>One more interface, on a network and with an address that were judged good.</summary>
    public async Task<Result<OperationRow>> AddInterface(WriteScope scope, VmRow vm, NetworkRow network, string? address, IReadOnlyList<PortRule> rules, string by)
    {
        var context = await Context.Load(scope, vm);
        var act = InterfaceActs.Ask(context.Machine, context.Current, OperationKind.AddInterface, null, by, context.NextGeneration, scope.Now);
        if (!act.Succeeded) return Result<OperationRow>.No(act.Refusals);
        KnowInterfaces(vm);
        var nic = (await networks.Take(scope, vm.Id, network, address, vm.Nics)) with { Rules = rules.Count > 0 ? rules : null, State = InterfaceState.Adding };
        SetNics(vm, [.. vm.Nics, nic], scope.Now);
        var operation = await Begin(scope, vm, context, act, by);
        if (!operation.Succeeded) return operation;
        Set(vm, nic.Mac, nic with { Operation = operation.Value.Id }, scope.Now);
        await networks.Joined(scope, vm, network.Id);
        return operation;
    }

    public async Task<Result<OperationRow>> RemoveInterface(WriteScope scope, VmRow vm, VmNic nic, string by)
    {
        var context = await Context.Load(scope, vm);
        var act = InterfaceActs.Ask(context.Machine, context.Current, OperationKind.RemoveInterface, MachineRows.Interface(nic), by, context.NextGeneration, scope.Now);
        var operation = await Begin(scope, vm, context, act, by);
        if (!operation.Succeeded) return operation;
        KnowInterfaces(vm);
        Set(vm, nic.Mac, nic with { State = InterfaceState.Removing, Operation = operation.Value.Id }, scope.Now);
        return operation;
    }

    // Until now its interfaces were those that it had when its snapshots were taken.
    private static void KnowInterfaces(VmRow vm)
    {
        if (vm.Snapshots.Any(s => s.Interfaces is null)) vm.Snapshots = [.. vm.Snapshots.Select(s => s.Interfaces is null ? s with { Interfaces = Macs(vm) } : s)];
    }

    private static void Set(VmRow vm, string mac, VmNic? nic, DateTimeOffset now) => SetNics(vm, [.. vm.Nics.Select(n => n.Mac == mac ? nic : n).OfType<VmNic>()], now);

    private static void SetNics(VmRow vm, IReadOnlyList<VmNic> nics, DateTimeOffset now)
    {
        vm.Nics = nics;
        if (!nics.Select(n => n.Name).SequenceEqual(vm.Spec.Networks)) vm.SetSpec(vm.Spec with { Networks = [.. nics.Select(n => n.Name)] });
        vm.UpdatedAt = now;
    }

    // What was wished of interfaces and has come, or was given up.
    private async Task SettleInterfaces(WriteScope scope, VmRow vm, HostRow host, OperationId? of, OperationRecord? operation)
    {
        foreach (var nic in vm.Nics.Where(n => n.State != InterfaceState.Present || n.Operation is not null).ToList())
        {
            var its = of is { } id && nic.Operation == id ? operation : null;
            // One that was superseded has ended as well.
            var over = its is { IsFinished: true } || nic.Operation != vm.Operation;
            var next = InterfaceProgress.Next(MachineRows.Interface(nic), its, vm.Observed, vm.Generation);
            if (next == nic.State && !(over && nic.Operation is not null)) continue;
            Set(vm, nic.Mac, next is { } state ? nic with { State = state, Operation = over ? null : nic.Operation } : null, scope.Now);
            if (next == nic.State || (nic.State == InterfaceState.Adding && next == InterfaceState.Present)) continue;
            // Another wish, or one interface less to be told of.
            Wish(scope, vm, host);
            if (next is null) await networks.Release(scope, vm, nic);
            var (action, what) = next switch
            {
                null => ("vm.interface-removed", $"{host.Name} reports the interface {nic.Mac} gone{(nic.Address is null ? "" : $"; {nic.Address} on {nic.Name} is free")}."),
                InterfaceState.Removing => ("vm.interface-add-undone", $"{nic.Mac} on {nic.Name} could not be added and is taken back."),
                _ => ("vm.interface-remove-undone", $"{vm.Name} keeps {nic.Mac} on {nic.Name}."),
            };
            scope.Audit(Principal.System, null, action, $"vm/{vm.Id}", vm.Project, AuditOutcomes.Done, what);
        }
    }

    /// <summary>Begins to undo an operation.</summary>
    public async Task<Result<Done>> Cancel(WriteScope scope, OperationRow operation, string by)
    {
        if (OperationSteps.IsRoll(operation.Kind))
        {
            var asked = OperationProgress.Cancel(MachineRows.Record(operation), by);
            if (!asked.Succeeded) return Result<Done>.No(asked.Refusals);
            MachineRows.Take(operation, asked.Value, 0);
            scope.AfterCommit(signals.Agents.Ring);
            return Done.Value;
        }
        if (operation.Volume is not null) return Result<Done>.No(OperationProgress.Cancel(MachineRows.Record(operation), by).Refusals);
        var vm = operation.Vm is { } id ? await scope.Db.Vms.SingleOrDefaultAsync(v => v.Id == id) : null;
        if (vm is null) return Refusal.Conflict("no_undo", "The operation has no VM any more; there is nothing to undo.");
        var context = await Context.Load(scope, vm);
        var act = MachineActs.Cancel(context.Machine, MachineRows.Record(operation), by, context.NextGeneration);
        if (!act.Succeeded) return Result<Done>.No(act.Refusals);
        if (operation.State == OperationState.Cancelling) return Done.Value;
        MachineRows.Take(operation, act.Value.Operation, vm.StopDeadlineSeconds);
        MachineRows.Take(vm, act.Value.Vm, scope.Now);
        if (operation.Kind == OperationKind.RebuildVm) GiveUpRebuild(scope, vm, context.Host!);
        else if (context.Host is not null) Wish(scope, vm, context.Host);
        if (vm.Host is { } on) scope.AfterCommit(() => live.Forget(on, vm.Id));
        if (OperationSteps.Creates(operation.Kind)) await Remove(scope, vm);
        return Done.Value;
    }

    /// <summary>Reads the newest report (or the clock alone) into VM and operation.</summary>
    public async Task Advance(WriteScope scope, VmRow vm)
    {
        SettleRebuild(scope, vm, await Context.HostOf(scope, vm));
        var context = await Context.Load(scope, vm);
        var operation = context.Operation;
        var command = operation?.Command is { } id ? await scope.Db.Commands.SingleOrDefaultAsync(c => c.Id == id) : null;
        var outcome = command is { State: not CommandState.Pending } ? new CommandOutcome(command.State == CommandState.Succeeded, command.Result, command.EndedAt ?? scope.Now) : null;
        var advance = MachineProgress.Advance(context.Machine, operation is null ? null : MachineRows.Record(operation), vm.Observed, outcome, scope.Now);
        MachineRows.Take(vm, context.Machine with { State = advance.State, Reason = advance.Reason }, scope.Now);
        if (operation is not null)
        {
            MachineRows.Take(operation, advance.Operation!, vm.StopDeadlineSeconds);
            if (advance.Operation!.IsFinished)
            {
                vm.Operation = null;
                EndSnapshot(scope, vm, context.Host!, advance.Operation, outcome);
                if (advance.Operation.State == OperationState.Failed) await ExpireCommand(scope, operation, advance.Operation.Reason);
                if (advance.Operation is { State: OperationState.Failed, Kind: OperationKind.ResizeVm }) TakeSizeBack(scope, vm, context.Host!);
                if (RebuildActs.IsGivenUp(advance.Operation)) GiveUpRebuild(scope, vm, context.Host!);
            }
        }
        await SettleSize(scope, vm);
        if (context.Host is { } on) await SettleInterfaces(scope, vm, on, operation?.Id, advance.Operation);
        await SettleDeleted(scope, vm);
        if (advance.State == VmState.Deleted) await Free(scope, vm, context.Host);
        else await Follow(scope, vm, context.Host, advance.Wish);
    }

    /// <summary>Marks the VM's part of the desired state as changed: the next generation carries it, and its agent is told at once.</summary>
    public void Wish(WriteScope scope, VmRow vm, HostRow host)
    {
        host.Generation = host.Generation.Next();
        vm.Generation = host.Generation;
        scope.AfterCommit(() => gateway.Value.Wake(host.Id));
    }

    private void TakeSizeBack(WriteScope scope, VmRow vm, HostRow host)
    {
        if (vm.Spec.FormerSize is not { } former) return;
        vm.SetSpec(vm.Spec with { Size = former });
        Wish(scope, vm, host);
        scope.Audit(Principal.System, null, "vm.resize-undone", $"vm/{vm.Id}", vm.Project, AuditOutcomes.Done, $"{vm.Name} keeps {former.Vcpus} vCPU and {former.MemoryMib} MiB.");
    }

    // Only a report that answers the newest wish shows that the machine needs no more than it should have.
    private async Task SettleSize(WriteScope scope, VmRow vm)
    {
        if (vm.Spec.FormerSize is null || vm.Observed is not { } seen || seen.Generation < vm.Generation) return;
        var size = new MachineSize(vm.Spec.Size.Vcpus, vm.Spec.Size.MemoryMib);
        if (seen.Defined != size || (seen.Running is { } running && running != size)) return;
        await capacity.Settle(scope, vm.Id, vm.Spec.Size);
        vm.SetSpec(vm.Spec with { FormerSize = null });
        scope.AfterCommit(signals.Placement.Ring);
    }

    // Once it is off, a machine that waits to be removed needs its disk's room only.
    private async Task SettleDeleted(WriteScope scope, VmRow vm)
    {
        if (vm.State != VmState.Restorable || vm.Observed is not { Domain: DomainState.Off or DomainState.Absent } seen || seen.Generation < vm.Generation) return;
        await capacity.Settle(scope, vm.Id, vm.Spec.Size with { Vcpus = 0, MemoryMib = 0 });
        scope.AfterCommit(signals.Placement.Ring);
    }

    private async Task Follow(WriteScope scope, VmRow vm, HostRow? host, PowerWish wish)
    {
        if (host is null || wish == PowerWish.Keep) return;
        if (wish == PowerWish.StayOff)
        {
            vm.Power = DesiredPower.Stopped;
            Wish(scope, vm, host);
            return;
        }
        var started = await Ask(scope, vm, OperationKind.StartVm, 0, Principal.System.Name);
        if (started.Succeeded) scope.Audit(Principal.System, null, "vm.start", $"vm/{vm.Id}", vm.Project, AuditOutcomes.Done, $"{host.Name} restarted while the VM was to run.");
    }

    // With a place, the tombstone stands until the agent reports the VM gone; without one, nothing exists and it is gone now.
    private async Task Remove(WriteScope scope, VmRow vm)
    {
        if (vm.Host is { } host)
        {
            if (!await scope.Db.Tombstones.AnyAsync(t => t.Host == host && t.Vm == vm.Id)) scope.Db.Tombstones.Add(new TombstoneRow { Host = host, Vm = vm.Id, Since = scope.Now });
            return;
        }
        await Advance(scope, vm);
    }

    private async Task Free(WriteScope scope, VmRow vm, HostRow? host)
    {
        vm.DeletedAt = scope.Now;
        vm.Operation = null;
        await AllocationLedger.Release(scope, vm.Id);
        await networks.Release(scope, vm);
        if (host is null) return;
        if (await scope.Db.Tombstones.SingleOrDefaultAsync(t => t.Host == host.Id && t.Vm == vm.Id) is { } tombstone) scope.Db.Tombstones.Remove(tombstone);
        Wish(scope, vm, host);
        await VolumeWriter.MachineGone(scope, vm, host);
        scope.Audit(Principal.System, null, "vm.removed", $"vm/{vm.Id}", vm.Project, AuditOutcomes.Done, $"{host.Name} reports the VM gone; its place is free.");
        scope.AfterCommit(signals.Placement.Ring);
    }

    private void Command(WriteScope scope, VmRow vm, OperationRow operation, bool force, CommandBody? given)
    {
        var deadline = scope.Now + OperationSteps.For(operation.Kind)[1].Deadline;
        var body = given ?? operation.Kind switch
        {
            OperationKind.RebootVm => (CommandBody)new RebootMachine(vm.Id, force),
            OperationKind.PauseVm => new PauseMachine(vm.Id),
            OperationKind.ResumeVm => new ResumeMachine(vm.Id),
            var other => throw new ArgumentOutOfRangeException(nameof(operation), other, "is carried by no command"),
        };
        var command = new CommandRow
        {
            Id = CommandId.New(scope.Now), Host = vm.Host!.Value, Vm = vm.Id, Operation = operation.Id, Body = body, CreatedAt = scope.Now, Deadline = deadline,
        };
        scope.Db.Commands.Add(command);
        operation.Command = command.Id;
        // The hub puts in the epoch of the session that carries it.
        scope.AfterCommit(() => _ = gateway.Value.Send(command.Host, new Command(Epoch.None, command.Id, deadline, command.Body), CancellationToken.None));
    }

    private static async Task ExpireCommand(WriteScope scope, OperationRow operation, string why)
    {
        if (operation.Command is not { } id || await scope.Db.Commands.SingleOrDefaultAsync(c => c.Id == id) is not { State: CommandState.Pending } command) return;
        (command.State, command.Result, command.EndedAt) = (CommandState.Expired, why, scope.Now);
    }

    /// <summary>What a decision about one VM needs to know.</summary>
    private sealed record Context(HostRow? Host, OperationRow? Operation, MachineRecord Machine)
    {
        public OperationRecord? Current => Operation is null ? null : MachineRows.Record(Operation);

        public Generation NextGeneration => Host?.Generation.Next() ?? Generation.None;

        public static async Task<Context> Load(WriteScope scope, VmRow vm)
        {
            var host = await HostOf(scope, vm);
            var image = await Tracked(scope.Db.Images, i => i.Id == vm.Image, () => scope.Db.Images.SingleAsync(i => i.Id == vm.Image));
            var operation = vm.Operation is { } current ? await Tracked(scope.Db.Operations, o => o.Id == current, () => scope.Db.Operations.SingleAsync(o => o.Id == current)) : null;
            return new Context(host, operation, MachineRows.Record(vm, host?.Name, image.HasGuestAgent));
        }

        public static async Task<HostRow?> HostOf(WriteScope scope, VmRow vm) =>
            vm.Host is { } id ? await Tracked(scope.Db.Hosts, h => h.Id == id, () => scope.Db.Hosts.SingleAsync(h => h.Id == id)) : null;

        // A row added or loaded in this write is the newest; the database may not know it yet.
        private static async Task<T> Tracked<T>(DbSet<T> set, Func<T, bool> match, Func<Task<T>> load) where T : class => set.Local.FirstOrDefault(match) ?? await load();
    }
}
