using Microsoft.EntityFrameworkCore;
using Plinth.Core.Identity;
using Plinth.Core.Primitives;
using Plinth.Web.Application.Identity;
using Plinth.Web.Persistence;
using Plinth.Web.Persistence.Rows;

namespace Plinth.Web.Application;

/// <summary>One mutation under way: where it writes, and what its audit entry will say.</summary>
internal sealed class Mutation(WriteScope scope, Caller caller, string target)
{
    public WriteScope Scope => scope;
    public ConsoleDb Db => scope.Db;
    public DateTimeOffset Now => scope.Now;
    public Caller Caller => caller;
    public string By => caller.Principal.Name;

    /// <summary>Kind and id of the thing, as soon as it is known.</summary>
    public string Target { get; set; } = target;
    public ProjectId? Project { get; set; }
    public string Detail { get; set; } = "";
}

/// <summary>
/// The one way to change anything: permission, idempotency, the change and its audit entry, in one transaction. A refusal
/// leaves nothing behind but its own audit entry.
/// </summary>
internal sealed class Mutations(IConsoleStore store, AccessControl access)
{
    /// <summary>Changes what belongs to the platform, or to the caller alone.</summary>
    /// <param name="action">"vm.create": what the audit entry says was done or tried.</param>
    /// <param name="change">Gives the id of what was made or changed.</param>
    public Task<Result<Guid>> Run(
        Caller caller, string permission, string action, string target, Result<Idempotency?> idempotency, Func<Mutation, Task<Result<Guid>>> change, CancellationToken stop) =>
        Apply(caller, permission, action, target, async m => await access.Check(m.Db, caller, permission, stop) is { } no ? [no] : [], idempotency, change, stop);

    public Task<Result<Guid>> Run(Caller caller, string permission, string action, string target, Func<Mutation, Task<Result<Guid>>> change, CancellationToken stop) =>
        Run(caller, permission, action, target, Result<Idempotency?>.Ok(null), change, stop);

    /// <summary>Changes what belongs to a project.</summary>
    /// <param name="project">Its name or id.</param>
    public Task<Result<Guid>> In(
        Caller caller, string permission, string project, string action, string target, Result<Idempotency?> idempotency, Func<Mutation, ProjectRow, Task<Result<Guid>>> change, CancellationToken stop)
    {
        ProjectRow? owner = null;
        return Apply(caller, permission, action, target, async m =>
        {
            var found = await access.Project(m.Db, caller, permission, project, stop);
            if (!found.Succeeded) return found.Refusals;
            (owner, m.Project) = (found.Value, found.Value.Id);
            return [];
        }, idempotency, m => change(m, owner!), stop);
    }

    public Task<Result<Guid>> In(Caller caller, string permission, string project, string action, string target, Func<Mutation, ProjectRow, Task<Result<Guid>>> change, CancellationToken stop) =>
        In(caller, permission, project, action, target, Result<Idempotency?>.Ok(null), change, stop);

    /// <summary>Changes what belongs to an organization.</summary>
    /// <param name="organization">Its name or id.</param>
    public Task<Result<Guid>> On(
        Caller caller, string permission, string organization, string action, string target, Result<Idempotency?> idempotency, Func<Mutation, OrganizationRow, Task<Result<Guid>>> change, CancellationToken stop)
    {
        OrganizationRow? on = null;
        return Apply(caller, permission, action, target, async m =>
        {
            var found = await access.Organization(m.Db, caller, permission, organization, stop);
            if (!found.Succeeded) return found.Refusals;
            on = found.Value;
            return [];
        }, idempotency, m => change(m, on!), stop);
    }

    private async Task<Result<Guid>> Apply(
        Caller caller, string permission, string action, string target, Func<Mutation, Task<IReadOnlyList<Refusal>>> forbids, Result<Idempotency?> idempotency,
        Func<Mutation, Task<Result<Guid>>> change, CancellationToken stop)
    {
        // What strangers try is counted at the door, not written one by one.
        if (caller.Principal.Kind == PrincipalKind.Anonymous) return new Rights(caller.Principal, [], default).Check(permission)!;
        return await store.Write(async scope =>
        {
            var mutation = new Mutation(scope, caller, target);
            if (await forbids(mutation) is { Count: > 0 } forbidden) return Refused(mutation, action, forbidden);
            if (!idempotency.Succeeded) return Refused(mutation, action, idempotency.Refusals);
            var key = idempotency.Value;
            if (key is not null && await scope.Db.IdempotencyKeys.SingleOrDefaultAsync(k => k.Principal == key.Principal && k.Key == key.Key, stop) is { } earlier)
            {
                var answer = key.Answer(earlier);
                return answer.Succeeded ? answer : Refused(mutation, action, answer.Refusals);
            }
            var result = await change(mutation);
            if (!result.Succeeded)
            {
                scope.Discard();
                Refused(mutation, action, result.Refusals);
                // The ledger says it all; the caller hears what is theirs to know.
                var veil = await access.Veil(scope.Db, caller, stop);
                return Result<Guid>.No([.. result.Refusals.Select(veil.Of)]);
            }
            if (key is not null) scope.Db.IdempotencyKeys.Add(key.Row(result.Value, scope.Now));
            scope.Audit(caller.Principal, caller.RemoteAddress, action, mutation.Target, mutation.Project, AuditOutcomes.Done, mutation.Detail);
            return result;
        }, stop);
    }

    private static Result<Guid> Refused(Mutation mutation, string action, params IReadOnlyList<Refusal> refusals)
    {
        var detail = string.Join(' ', refusals.Select(r => r.Field is null ? r.Message : $"{r.Field}: {r.Message}"));
        mutation.Scope.Audit(mutation.Caller.Principal, mutation.Caller.RemoteAddress, action, mutation.Target, mutation.Project, AuditOutcomes.Refused, detail.Length > 2000 ? detail[..2000] : detail);
        return Result<Guid>.No(refusals);
    }
}
