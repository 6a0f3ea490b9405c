using Microsoft.EntityFrameworkCore;
using Plinth.Core.Identity;
using Plinth.Core.Machines;
using Plinth.Core.Operations;
using Plinth.Core.Placement;
using Plinth.Core.Primitives;
using Plinth.Web.Application.Identity;
using Plinth.Web.Application.Networks;
using Plinth.Web.Application.Operations;
using Plinth.Web.Application.Placement;
using Plinth.Web.Application.Quotas;
using Plinth.Web.Application.Servers;
using Plinth.Web.Persistence;
using Plinth.Web.Persistence.Capacity;
using Plinth.Web.Persistence.Rows;

namespace Plinth.Web.Application.Machines;

/// <inheritdoc cref="IVirtualMachines"/>
internal sealed class VirtualMachines(IConsoleStore store, AccessControl access, FleetCache fleet, Mutations mutations, OperationAnswers answers, MachineWriter writer, NetworkWriter networks, VmViews views, MetricReader metrics, IConsoleBroker consoles, ILeadership leadership, Signals signals, TimeProvider time) : IVirtualMachines
{
    public Task<Result<Page<VmView>>> List(Caller caller, string project, VmQuery query, Window window, CancellationToken stop) =>
        InProject<Page<VmView>>(caller, Permissions.VmRead, project, async (db, owner) =>
        {
            var veil = await access.Veil(db, caller, stop);
            if (veil.Forbids(query) is { } notYours) return notYours;
            var page = await VmList.Read(db, owner, query, window, stop);
            if (!page.Succeeded) return Result<Page<VmView>>.No(page.Refusals);
            return new Page<VmView>([.. (await views.Many(db, page.Value.Rows, owner, stop)).Select(veil.Of)], page.Value.Total, page.Value.Next);
        }, stop);

    public Task<Result<VmView>> Get(Caller caller, string project, VmId vm, CancellationToken stop) =>
        OneVm<VmView>(caller, Permissions.VmRead, project, vm, async (db, owner, row) => (await access.Veil(db, caller, stop)).Of(await views.One(db, row, owner, stop)), stop);

    public Task<Result<FitView>> Fit(Caller caller, string project, CreateVm request, CancellationToken stop) =>
        InProject<FitView>(caller, Permissions.VmCreate, project, async (db, owner) =>
        {
            if (await access.Names(db, caller, request.Host, stop) is { } notYours) return notYours;
            var judged = await NewVm.Judge(db, owner, request, stop);
            if (!judged.Succeeded) return Result<FitView>.No(judged.Refusals);
            var asked = new PlacementRequest(new VmId(Guid.Empty), owner.Id, judged.Value.Spec.Size, GuestArchitecture.OfImages, judged.Value.Spec.OnlyHost, judged.Value.Storage, judged.Value.Spec.Firmware);
            var decision = PlacementEngine.Decide(asked, await fleet.Newest(stop), PlacementPolicy.Default, time.GetUtcNow(), seed: 0);
            var over = await QuotaUse.Check(db, owner, QuotaUse.OfVm(judged.Value.Spec, judged.Value.Networks), stop);
            return (await access.Veil(db, caller, stop)).Of(new FitView(decision.Fitting, decision.Hosts, Sentence(decision), decision.Reasons, [.. over.Select(r => r.Message)]));
        }, stop);

    public async Task<Result<OperationView>> Create(Caller caller, string project, CreateVm request, string? idempotencyKey, CancellationToken stop)
    {
        var operation = await mutations.In(caller, Permissions.VmCreate, project, Permissions.VmCreate, $"vm/{Naming.Printable(request.Name)}", Idempotency.Of(caller, idempotencyKey, "vm.create", project, request), async (m, owner) =>
        {
            if (await access.Names(m.Db, caller, request.Host, stop) is { } notYours) return notYours;
            var judged = await NewVm.Judge(m.Db, owner, request, stop);
            if (!judged.Succeeded) return Result<Guid>.No(judged.Refusals);
            if (await QuotaUse.Check(m.Db, owner, QuotaUse.OfVm(judged.Value.Spec, judged.Value.Networks), stop) is { Count: > 0 } over) return Result<Guid>.No(over);
            var id = VmId.New(m.Now);
            var vm = new VmRow
            {
                Id = id, Project = owner.Id, State = VmState.Requested, StateReason = VmLifecycle.Sentence(VmState.Requested), Power = DesiredPower.Running, PowerGeneration = 1,
                CreatedBy = m.By, CreatedAt = m.Now, UpdatedAt = m.Now,
            }.SetSpec(judged.Value.Spec);
            vm.Nics = await networks.Take(m.Scope, id, judged.Value.Networks);
            var record = OperationProgress.Begin(OperationKind.CreateVm, m.By, Generation.None, vm.PowerGeneration, m.Now);
            var row = MachineRows.Row(record, OperationId.New(m.Now), vm, m.By, vm.StopDeadlineSeconds);
            vm.Operation = row.Id;
            m.Db.Vms.Add(vm);
            m.Db.Operations.Add(row);
            m.Target = $"vm/{id}";
            m.Detail = $"{vm.Name}: {vm.Spec.Size.Vcpus} vCPU, {vm.Spec.Size.MemoryMib} MiB, {vm.Spec.Size.DiskGib} GiB, image {judged.Value.Image.Name}";
            m.Scope.AfterCommit(signals.Placement.Ring);
            return row.Id.Value;
        }, stop);
        return await answers.Of(caller, operation, stop);
    }

    public async Task<Result<VmView>> Update(Caller caller, string project, VmId vm, UpdateVm request, long? expectedVersion, CancellationToken stop)
    {
        var changed = await mutations.In(caller, Permissions.VmUpdate, project, Permissions.VmUpdate, $"vm/{vm}", async (m, owner) =>
        {
            var row = await Naming.Vm(m.Db, owner, vm, stop);
            if (!row.Succeeded) return Result<Guid>.No(row.Refusals);
            if (Stale(row.Value, expectedVersion) is { } stale) return stale;
            var refusals = new RefusalList();
            NameRules.CheckDescription(refusals, "description", request.Description);
            LabelRules.Check(refusals, "labels", request.Labels);
            var spec = row.Value.Spec;
            var renamed = request.Name is not null && request.Name != spec.Name;
            if (renamed) await NewVm.CheckName(m.Db, refusals, row.Value.Project, request.Name, stop);
            if (refusals.Any) return Result<Guid>.No(refusals.All);
            if (request.Protected == true && row.Value.State == VmState.Restorable) return Refusal.Conflict("vm_restorable", "The VM is deleted; restore it first, then protect it.") with { Field = "protected" };
            row.Value.SetSpec(spec with
            {
                Name = request.Name ?? spec.Name,
                // What the seed has told the guest stays so.
                Hostname = spec.Hostname ?? (renamed ? spec.Name : null),
                Protected = request.Protected ?? spec.Protected,
                Description = request.Description ?? spec.Description,
                Labels = request.Labels?.ToDictionary(l => l.Key, l => l.Value!) ?? spec.Labels,
            });
            row.Value.UpdatedAt = m.Now;
            if (renamed && row.Value.Host is { } host && row.Value.DeletedAt is null)
            {
                writer.Wish(m.Scope, row.Value, await m.Db.Hosts.SingleAsync(h => h.Id == host, stop));
                await networks.Joined(m.Scope, row.Value);
            }
            string?[] told =
            [
                renamed ? $"name {spec.Name} -> {request.Name}" : null,
                request.Protected is { } kept && kept != spec.Protected ? kept ? "protected against deletion" : "protection lifted" : null,
                request.Description is null ? null : "description",
                request.Labels is null ? null : $"labels ({request.Labels.Count})",
            ];
            m.Detail = string.Join(", ", told.OfType<string>());
            return vm.Value;
        }, stop);
        return changed.Succeeded ? await Get(caller, project, vm, stop) : Result<VmView>.No(changed.Refusals);
    }

    public Task<Result<OperationView>> Start(Caller caller, string project, VmId vm, string? idempotencyKey, CancellationToken stop) =>
        Operate(caller, Permissions.VmOperate, "vm.start", project, vm, OperationKind.StartVm, null, null, false, idempotencyKey, stop);

    public Task<Result<OperationView>> Stop(Caller caller, string project, VmId vm, StopVm request, string? idempotencyKey, CancellationToken stop)
    {
        var refusals = new RefusalList();
        var deadline = request.DeadlineSeconds ?? MachineActs.DefaultStopDeadlineSeconds;
        SizeRules.Within(refusals, "deadlineSeconds", "seconds", deadline, 0, MachineActs.MaxStopDeadlineSeconds);
        return Operate(caller, Permissions.VmOperate, "vm.stop", project, vm, OperationKind.StopVm, refusals.Any ? refusals.All[0] : null, deadline, false, idempotencyKey, stop);
    }

    public Task<Result<OperationView>> Reboot(Caller caller, string project, VmId vm, RebootVm request, string? idempotencyKey, CancellationToken stop) =>
        Operate(caller, Permissions.VmOperate, "vm.reboot", project, vm, OperationKind.RebootVm, null, null, request.Force ?? false, idempotencyKey, stop);

    public Task<Result<OperationView>> Pause(Caller caller, string project, VmId vm, string? idempotencyKey, CancellationToken stop) =>
        Operate(caller, Permissions.VmOperate, "vm.pause", project, vm, OperationKind.PauseVm, null, null, false, idempotencyKey, stop);

    public Task<Result<OperationView>> Resume(Caller caller, string project, VmId vm, string? idempotencyKey, CancellationToken stop) =>
        Operate(caller, Permissions.VmOperate, "vm.resume", project, vm, OperationKind.ResumeVm, null, null, false, idempotencyKey, stop);

    public async Task<Result<OperationView>> Resize(Caller caller, string project, VmId vm, ResizeVm request, string? idempotencyKey, CancellationToken stop)
    {
        var operation = await mutations.In(caller, Permissions.VmOperate, project, "vm.resize", $"vm/{vm}", Idempotency.Of(caller, idempotencyKey, "vm.resize", $"{project}/{vm}", request), async (m, owner) =>
        {
            var row = await Naming.Vm(m.Db, owner, vm, stop);
            if (!row.Succeeded) return Result<Guid>.No(row.Refusals);
            var (now, refusals) = (row.Value.Spec.Size, new RefusalList());
            if (request is { Vcpus: null, MemoryMib: null }) return Refusal.Invalid("vcpus", "required", "Nothing is to be changed: give vcpus, memoryMib or both.");
            var size = SizeRules.Check(refusals, request.Vcpus ?? now.Vcpus, request.MemoryMib ?? now.MemoryMib, now.DiskGib);
            if (size is { } wanted && await m.Db.Images.SingleOrDefaultAsync(i => i.Id == row.Value.Image, stop) is { } image) SizeRules.CheckAgainst(refusals, MachineRows.Image(image), wanted, "diskGib", "memoryMib");
            if (size is { } s && row.Value.Spec.Firmware?.TooLittle(s.MemoryMib) is { } tooLittle) refusals.Invalid("memoryMib", "too_little_memory", tooLittle);
            if (refusals.Any) return Result<Guid>.No(refusals.All);
            if (size == now) return Refusal.Conflict("same_size", $"The VM has {now.Vcpus} vCPU and {now.MemoryMib} MiB already.");
            // While it is under way it counts as whichever is more, as on its host.
            var held = row.Value.Spec.Held();
            if (await QuotaUse.Check(m.Db, owner, QuotaUse.OfResize(held.OrMore(size!.Value) - held), stop) is { Count: > 0 } over) return Result<Guid>.No(over);
            var asked = await writer.Resize(m.Scope, row.Value, size.Value, m.By);
            if (!asked.Succeeded) return Result<Guid>.No(asked.Refusals);
            m.Detail = $"{row.Value.Name}: {now.Vcpus} vCPU, {now.MemoryMib} MiB -> {size.Value.Vcpus} vCPU, {size.Value.MemoryMib} MiB";
            return asked.Value.Id.Value;
        }, stop);
        return await answers.Of(caller, operation, stop);
    }

    public async Task<Result<OperationView>> Delete(Caller caller, string project, VmId vm, bool atOnce, long? expectedVersion, string? idempotencyKey, CancellationToken stop)
    {
        var operation = await mutations.In(caller, Permissions.VmDelete, project, Permissions.VmDelete, $"vm/{vm}", Idempotency.Of(caller, idempotencyKey, "vm.delete", project, vm, expectedVersion, atOnce), async (m, owner) =>
        {
            var row = await Naming.Vm(m.Db, owner, vm, stop);
            if (!row.Succeeded) return Result<Guid>.No(row.Refusals);
            if (Stale(row.Value, expectedVersion) is { } stale) return stale;
            var asked = await writer.Delete(m.Scope, row.Value, atOnce, m.By);
            if (!asked.Succeeded) return Result<Guid>.No(asked.Refusals);
            m.Detail = row.Value.RestorableUntil is { } until ? $"{row.Value.Name}; it can be restored until {until:u}" : $"{row.Value.Name}, at once";
            return asked.Value.Id.Value;
        }, stop);
        return await answers.Of(caller, operation, stop);
    }

    public async Task<Result<OperationView>> Restore(Caller caller, string project, VmId vm, string? idempotencyKey, CancellationToken stop)
    {
        var operation = await mutations.In(caller, Permissions.VmDelete, project, "vm.restore", $"vm/{vm}", Idempotency.Of(caller, idempotencyKey, "vm.restore", project, vm), async (m, owner) =>
        {
            var row = await Naming.Vm(m.Db, owner, vm, stop);
            if (!row.Succeeded) return Result<Guid>.No(row.Refusals);
            var asked = await writer.Restore(m.Scope, row.Value, m.By);
            if (!asked.Succeeded) return Result<Guid>.No(asked.Refusals);
            m.Detail = $"{row.Value.Name}, {VmLifecycle.Word(row.Value.State)}";
            return asked.Value.Id.Value;
        }, stop);
        return await answers.Of(caller, operation, stop);
    }

    public Task<Result<DecisionView>> Decision(Caller caller, string project, VmId vm, CancellationToken stop) =>
        OneVm<DecisionView>(caller, Permissions.VmRead, project, vm, async (db, _, _) =>
            await db.Decisions.Where(d => d.Vm == vm).OrderByDescending(d => d.Id).FirstOrDefaultAsync(stop) is { } row
                ? (await access.Veil(db, caller, stop)).Of(new DecisionView(row.Id, row.Vm, row.At, row.Decision))
                : Refusal.NotFound("no_decision", "No decision about the VM's place was made yet."), stop);

    public async Task<Refusal?> WhyNoConsole(Caller caller, VmId vm, CancellationToken stop)
    {
        await using var db = store.Read();
        if (await db.Projects.SingleOrDefaultAsync(p => db.Vms.Any(v => v.Id == vm && v.Project == p.Id), stop) is not { } owner) return Naming.NoVm(vm);
        return (await access.Of(db, caller.Principal, stop)).Check(Permissions.VmConsole, AccessControl.ScopeOf(owner), $"project {owner.Name}");
    }

    public async Task<Result<ConsoleTicketView>> OpenConsole(Caller caller, string project, VmId vm, OpenVmConsole request, CancellationToken stop)
    {
        HostId host = default;
        ConsoleKind? kind = request.Kind switch { null or "serial" => ConsoleKind.Serial, "vnc" => ConsoleKind.Vnc, _ => null };
        var what = kind == ConsoleKind.Vnc ? "VNC console" : "serial console";
        var opened = await mutations.In(caller, Permissions.VmConsole, project, Permissions.VmConsole, $"vm/{vm}", async (m, owner) =>
        {
            var row = await Naming.Vm(m.Db, owner, vm, stop);
            if (!row.Succeeded) return Result<Guid>.No(row.Refusals);
            if (kind is null) return Refusal.Invalid("kind", "bad_console_kind", $"{RefusalList.Quote(request.Kind!)} is no kind of console: ask for serial or vnc.");
            if (row.Value.Host is not { } on || row.Value.State is not (VmState.Starting or VmState.Running or VmState.Stopping or VmState.Paused))
                return Refusal.Conflict("vm_not_running", $"The VM is {VmLifecycle.Word(row.Value.State)}; its {what} opens while it runs.");
            // The agent dials back to the server that holds its session.
            if (leadership.Elsewhere is { } elsewhere)
                return Refusal.Conflict("not_leader", $"Consoles go through the server that leads, {elsewhere.Name}: the agents are connected to it. Open this VM at {elsewhere.PortalUrl}.");
            host = on;
            m.Detail = what;
            return vm.Value;
        }, stop);
        return opened.Succeeded ? consoles.Issue(caller.Principal, vm, host, kind!.Value) : Result<ConsoleTicketView>.No(opened.Refusals);
    }

    public Task<Result<IReadOnlyList<SeriesView>>> Metrics(Caller caller, string project, VmId vm, TimeSpan range, CancellationToken stop) =>
        OneVm(caller, Permissions.VmRead, project, vm, (_, _, _) => metrics.Vm(vm, range, stop), stop);

    // "number" is the stop deadline of a stop.
    private async Task<Result<OperationView>> Operate(Caller caller, string permission, string action, string project, VmId vm, OperationKind kind, Refusal? invalid, long? number, bool force, string? idempotencyKey, CancellationToken stop)
    {
        var operation = await mutations.In(caller, permission, project, action, $"vm/{vm}", Idempotency.Of(caller, idempotencyKey, action, project, vm, number, force), async (m, owner) =>
        {
            var row = await Naming.Vm(m.Db, owner, vm, stop);
            if (!row.Succeeded) return Result<Guid>.No(row.Refusals);
            if (invalid is not null) return invalid;
            var asked = await writer.Ask(m.Scope, row.Value, kind, kind == OperationKind.StopVm ? (int)number!.Value : MachineActs.DefaultStopDeadlineSeconds, m.By, force);
            if (!asked.Succeeded) return Result<Guid>.No(asked.Refusals);
            m.Detail = row.Value.Name;
            return asked.Value.Id.Value;
        }, stop);
        return await answers.Of(caller, operation, stop);
    }

    /// <summary>Why a change based on what was read then is refused; null where nothing has changed since.</summary>
    internal static Refusal? Stale(VmRow row, long? expected) => expected is null || expected == row.Version
        ? null
        : Refusal.Stale($"The VM was changed since you read it: you saw version {expected}, it is at {row.Version}. Read it again, then decide.");

    private async Task<Result<T>> InProject<T>(Caller caller, string permission, string project, Func<ConsoleDb, ProjectRow, Task<Result<T>>> read, CancellationToken stop)
    {
        await using var db = store.Read();
        var owner = await access.Project(db, caller, permission, project, stop);
        return owner.Succeeded ? await read(db, owner.Value) : Result<T>.No(owner.Refusals);
    }

    private Task<Result<T>> OneVm<T>(Caller caller, string permission, string project, VmId vm, Func<ConsoleDb, ProjectRow, VmRow, Task<Result<T>>> read, CancellationToken stop) =>
        InProject<T>(caller, permission, project, async (db, owner) =>
            await Naming.Vm(db, owner, vm, stop) is { Succeeded: true, Value: { } row } ? await read(db, owner, row) : Naming.NoVm(vm), stop);

    private static string Sentence(PlacementDecision decision) => decision.Fitting > 0
        ? $"Fits on {decision.Fitting} of {decision.Hosts} host{(decision.Hosts == 1 ? "" : "s")}."
        : decision.Sentence;
}
