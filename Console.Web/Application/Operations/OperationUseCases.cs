using Microsoft.EntityFrameworkCore;
using Plinth.Core.Identity;
using Plinth.Core.Machines;
using Plinth.Core.Primitives;
using Plinth.Web.Application.Identity;
using Plinth.Web.Application.Machines;
using Plinth.Web.Persistence;
using Plinth.Web.Persistence.Rows;

namespace Plinth.Web.Application.Operations;

/// <inheritdoc cref="IOperations"/>
internal sealed class OperationUseCases(IConsoleStore store, AccessControl access, Mutations mutations, MachineWriter writer) : IOperations
{
    public async Task<Result<Page<OperationView>>> List(Caller caller, OperationQuery query, Window window, CancellationToken stop)
    {
        var refusals = new RefusalList();
        Lists.Check(refusals, window);
        var states = Lists.States<OperationState>(refusals, "state", query.State);
        var kinds = Lists.States<OperationKind>(refusals, "kind", query.Kind);
        VmId? vm = null;
        if (!string.IsNullOrEmpty(query.Vm))
        {
            if (Guid.TryParse(query.Vm, out var id)) vm = new VmId(id);
            else refusals.Invalid("vm", "bad_filter", "The filter vm takes the id of a VM.");
        }
        VolumeId? volume = null;
        if (!string.IsNullOrEmpty(query.Volume))
        {
            if (Guid.TryParse(query.Volume, out var id)) volume = new VolumeId(id);
            else refusals.Invalid("volume", "bad_filter", "The filter volume takes the id of a volume.");
        }
        var cursor = Cursor.Read(window, "-created");
        if (!cursor.Succeeded) refusals.Add(cursor.Refusals[0]);
        if (refusals.Any) return Result<Page<OperationView>>.No(refusals.All);

        await using var db = store.Read();
        var mine = await access.Projects(db, caller, Permissions.OperationRead, stop);
        if (!mine.Succeeded) return Result<Page<OperationView>>.No(mine.Refusals);
        var rows = mine.Value.Of(db.Operations);
        if (states is not null) rows = rows.Where(o => states.Contains(o.State));
        if (kinds is not null) rows = rows.Where(o => kinds.Contains(o.Kind));
        if (vm is not null) rows = rows.Where(o => o.Vm == vm);
        if (volume is not null) rows = rows.Where(o => o.Volume == volume);
        var total = await rows.LongCountAsync(stop);
        if (window.Offset is null && cursor.Value is { } after)
        {
            // Several may begin in one millisecond: those of the page before that share it are named.
            var at = DateTimeOffset.FromUnixTimeMilliseconds(Math.Clamp(after.Number(), 0, 253402300799999));
            var seen = after.Name.Split(',').Where(t => Guid.TryParse(t, out _)).Select(t => new OperationId(Guid.Parse(t))).ToArray();
            rows = rows.Where(o => o.CreatedAt < at || (o.CreatedAt == at && !seen.Contains(o.Id)));
        }
        rows = rows.OrderByDescending(o => o.CreatedAt).ThenByDescending(o => o.Id);
        if (window.Offset is { } offset) rows = rows.Skip(offset);
        var page = await rows.Take(window.Limit + 1).ToListAsync(stop);
        string? next = null;
        if (page.Count > window.Limit)
        {
            page.RemoveAt(page.Count - 1);
            var last = page[^1].CreatedAt;
            var shared = page.Where(o => o.CreatedAt == last).Select(o => o.Id.ToString()).ToList();
            if (cursor.Value is { } before && before.Number() == last.ToUnixTimeMilliseconds()) shared.AddRange(before.Name.Split(','));
            next = new Cursor("-created", last.ToUnixTimeMilliseconds().ToString(), string.Join(',', shared)).Text();
        }
        var veil = await access.Veil(db, caller, stop);
        return new Page<OperationView>([.. page.Select(OperationViews.View).Select(veil.Of)], total, next);
    }

    public async Task<Result<OperationView>> Get(Caller caller, OperationId operation, CancellationToken stop)
    {
        await using var db = store.Read();
        var mine = await access.Projects(db, caller, Permissions.OperationRead, stop);
        if (!mine.Succeeded) return Result<OperationView>.No(mine.Refusals);
        return await mine.Value.Of(db.Operations).SingleOrDefaultAsync(o => o.Id == operation, stop) is { } row ? (await access.Veil(db, caller, stop)).Of(OperationViews.View(row)) : NotFound(operation);
    }

    public async Task<Result<OperationView>> Cancel(Caller caller, OperationId operation, CancellationToken stop)
    {
        // Whoever does not see it is told that it is not there; whoever does, what they lack.
        if (await Get(caller, operation, stop) is { Succeeded: false } unseen) return unseen;
        ProjectId? project;
        await using (var db = store.Read()) project = await db.Operations.Where(o => o.Id == operation).Select(o => o.Project).SingleAsync(stop);
        var cancelled = project is { } owner
            ? await mutations.In(caller, Permissions.OperationCancel, owner.ToString(), Permissions.OperationCancel, $"operation/{operation}", (m, _) => Cancel(m), stop)
            : await mutations.Run(caller, Permissions.OperationCancel, Permissions.OperationCancel, $"operation/{operation}", Cancel, stop);
        return cancelled.Succeeded ? await Get(caller, operation, stop) : Result<OperationView>.No(cancelled.Refusals);

        async Task<Result<Guid>> Cancel(Mutation m)
        {
            var row = await m.Db.Operations.SingleAsync(o => o.Id == operation, stop);
            m.Detail = $"{OperationSteps.Title(row.Kind)} of {row.Target}";
            var result = await writer.Cancel(m.Scope, row, m.By);
            return result.Succeeded ? operation.Value : Result<Guid>.No(result.Refusals);
        }
    }

    private static Refusal NotFound(OperationId operation) => Refusal.NotFound("operation_not_found", $"There is no operation {operation}.");
}
