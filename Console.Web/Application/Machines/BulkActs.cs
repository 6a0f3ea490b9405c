using Plinth.Core.Identity;
using Plinth.Core.Machines;
using Plinth.Core.Primitives;
using Plinth.Web.Application.Identity;
using Plinth.Web.Persistence;

namespace Plinth.Web.Application.Machines;

/// <inheritdoc cref="IBulkActs"/>
/// <remarks>Each machine is asked by itself, as if it were the only one: its own permission, audit entry and answer.</remarks>
internal sealed class BulkActs(IConsoleStore store, AccessControl access, IVirtualMachines machines) : IBulkActs
{
    public const int MaxVms = 500;

    /// <summary>Writes that wait together share a commit; more than these would hold up everybody else's.</summary>
    private const int AtOnce = 16;

    private static readonly string[] Actions = ["start", "stop", "reboot", "delete", "restore", "label"];

    public async Task<Result<Page<BulkItemView>>> Act(Caller caller, string project, BulkAct request, string? idempotencyKey, CancellationToken stop)
    {
        await using (var db = store.Read())
            if (await access.Project(db, caller, Permissions.VmRead, project, stop) is { Succeeded: false } no) return Result<Page<BulkItemView>>.No(no.Refusals);
        var refusals = new RefusalList();
        if (request.Action is not { } action || !Actions.Contains(action)) refusals.Invalid("action", "bad_action", $"{RefusalList.Quote(request.Action ?? "")} is no action; it is one of {string.Join(", ", Actions)}.");
        var vms = Ids(refusals, request.Vms);
        if (request.Labels is { Count: > 0 } labels) LabelRules.Check(refusals, "labels", labels.Where(l => l.Value is not null).ToDictionary());
        else if (request.Action == "label") refusals.Invalid("labels", "required", "Say which labels to set (\"key\": \"value\") or to take away (\"key\": null).");
        if (request.Labels is not null && request.Action != "label") refusals.Invalid("labels", "not_for_action", "Labels go with the action label only.");
        if (request.DeadlineSeconds is not null && request.Action != "stop") refusals.Invalid("deadlineSeconds", "not_for_action", "A deadline goes with the action stop only.");
        if (request.AtOnce is not null && request.Action != "delete") refusals.Invalid("atOnce", "not_for_action", "atOnce goes with the action delete only.");
        if (refusals.Any) return Result<Page<BulkItemView>>.No(refusals.All);

        var items = new BulkItemView[vms.Count];
        await Parallel.ForEachAsync(Enumerable.Range(0, vms.Count), new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = stop }, async (i, _) =>
            items[i] = await One(caller, project, vms[i], request, idempotencyKey is null ? null : $"{idempotencyKey}/{vms[i]}", stop));
        return new Page<BulkItemView>(items, items.Length, null);
    }

    private async Task<BulkItemView> One(Caller caller, string project, VmId vm, BulkAct request, string? key, CancellationToken stop)
    {
        var seen = await machines.Get(caller, project, vm, stop);
        if (!seen.Succeeded) return Refused(vm, "", seen.Refusals);
        var name = seen.Value.Name;
        if (request.Action == "label")
        {
            var labelled = await Label(caller, project, seen.Value, request.Labels!, stop);
            return labelled.Succeeded ? new BulkItemView(vm, name, "done", null, null, null) : Refused(vm, name, labelled.Refusals);
        }
        var asked = await (request.Action switch
        {
            "start" => machines.Start(caller, project, vm, key, stop),
            "stop" => machines.Stop(caller, project, vm, new StopVm(request.DeadlineSeconds), key, stop),
            "reboot" => machines.Reboot(caller, project, vm, new RebootVm(), key, stop),
            "restore" => machines.Restore(caller, project, vm, key, stop),
            _ => machines.Delete(caller, project, vm, request.AtOnce ?? false, null, key, stop),
        });
        return asked.Succeeded ? new BulkItemView(vm, name, "accepted", asked.Value.Id, null, null) : Refused(vm, name, asked.Refusals);
    }

    // What somebody else changes meanwhile is not overwritten: the change is based on what it was made from, and tried once more.
    private async Task<Result<VmView>> Label(Caller caller, string project, VmView vm, IReadOnlyDictionary<string, string?> changes, CancellationToken stop)
    {
        var labelled = await machines.Update(caller, project, vm.Id, new UpdateVm(Labels: Merged(vm.Labels, changes)), vm.Version, stop);
        if (labelled.Succeeded || labelled.Refusals[0].Kind != RefusalKind.Stale) return labelled;
        var newest = await machines.Get(caller, project, vm.Id, stop);
        return newest.Succeeded ? await machines.Update(caller, project, vm.Id, new UpdateVm(Labels: Merged(newest.Value.Labels, changes)), newest.Value.Version, stop) : newest;
    }

    private static Dictionary<string, string?> Merged(IReadOnlyDictionary<string, string> labels, IReadOnlyDictionary<string, string?> changes)
    {
        var merged = labels.ToDictionary(l => l.Key, l => (string?)l.Value);
        foreach (var (key, value) in changes)
        {
            if (value is null) merged.Remove(key);
            else merged[key] = value;
        }
        return merged;
    }

    private static List<VmId> Ids(RefusalList refusals, IReadOnlyList<string?>? texts)
    {
        var ids = new List<VmId>();
        if (texts is null || texts.Count == 0) refusals.Invalid("vms", "required", "Say which VMs in vms: their ids.");
        else if (texts.Count > MaxVms) refusals.Invalid("vms", "too_many", $"vms has {texts.Count} ids; {MaxVms} are allowed at once.");
        else
            for (var i = 0; i < texts.Count; i++)
            {
                if (Guid.TryParseExact(texts[i], "D", out var id)) ids.Add(new VmId(id));
                else refusals.Invalid($"vms[{i}]", "bad_id", $"{RefusalList.Quote(texts[i] ?? "")} is not the id of a VM, a UUID.");
            }
        return [.. ids.Distinct()];
    }

    private static BulkItemView Refused(VmId vm, string name, IReadOnlyList<Refusal> refusals) => new(vm, name, "refused", null, refusals[0].Code, string.Join(' ', refusals.Select(r => r.Message)));
}
