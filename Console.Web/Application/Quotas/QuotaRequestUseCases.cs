using Microsoft.EntityFrameworkCore;
using Plinth.Core.Identity;
using Plinth.Core.Machines;
using Plinth.Core.Primitives;
using Plinth.Core.Quotas;
using Plinth.Web.Application.Identity;
using Plinth.Web.Persistence;
using Plinth.Web.Persistence.Rows;

namespace Plinth.Web.Application.Quotas;

/// <inheritdoc cref="IQuotaRequests"/>
internal sealed class QuotaRequestUseCases(IConsoleStore store, AccessControl access, Mutations mutations) : IQuotaRequests
{
    /// <summary>More open ones of one project say nothing that these do not.</summary>
    private const int MostOpen = 10;
    private const int MostShown = 50;

    public async Task<Result<IReadOnlyList<QuotaRequestView>>> OfProject(Caller caller, string project, CancellationToken stop)
    {
        await using var db = store.Read();
        var found = await access.Project(db, caller, Permissions.ProjectRead, project, stop);
        if (!found.Succeeded) return Result<IReadOnlyList<QuotaRequestView>>.No(found.Refusals);
        return Result<IReadOnlyList<QuotaRequestView>>.Ok(await Views(db, db.QuotaRequests.Where(r => r.Project == found.Value.Id).OrderByDescending(r => r.CreatedAt).ThenByDescending(r => r.Id).Take(MostShown), stop));
    }

    public async Task<Result<IReadOnlyList<QuotaRequestView>>> Waiting(Caller caller, CancellationToken stop)
    {
        await using var db = store.Read();
        var rights = await access.Of(db, caller.Principal, stop);
        var reach = rights.ReachOf(Permissions.QuotaManage);
        if (reach.IsEmpty) return rights.Check(Permissions.QuotaManage)!;
        // Limits come from above: what one has in single projects decides nothing.
        var organizations = reach.Organizations.ToArray();
        var open = db.QuotaRequests.Where(r => r.State == QuotaRequestState.Open && db.Projects.Any(p => p.Id == r.Project && p.DeletedAt == null));
        if (!reach.Everything) open = open.Where(r => db.Projects.Any(p => p.Id == r.Project && organizations.Contains(p.Organization)));
        return Result<IReadOnlyList<QuotaRequestView>>.Ok(await Views(db, open.OrderBy(r => r.CreatedAt).ThenBy(r => r.Id).Take(MostShown), stop));
    }

    public async Task<Result<QuotaRequestView>> Ask(Caller caller, string project, AskForQuota request, string? idempotencyKey, CancellationToken stop)
    {
        var asked = await mutations.In(caller, Permissions.VmCreate, project, "quota-request.ask", "quota-request", Idempotency.Of(caller, idempotencyKey, "quota-request.ask", project, request), async (m, owner) =>
        {
            var refusals = new RefusalList();
            CheckText(refusals, "reason", request.Reason, "Say what it is for: whoever decides reads it.");
            var wanted = await QuotaUseCases.Judge(m.Db, request.Limits, stop);
            foreach (var no in wanted.Refusals) refusals.Add(no);
            if (wanted.Succeeded)
                foreach (var no in Quota.CheckRequest("limits", wanted.Value, owner.Quota, $"project {owner.Name}", "an admin of the platform")) refusals.Add(no);
            if (refusals.Any) return Result<Guid>.No(refusals.All);
            if (await m.Db.QuotaRequests.CountAsync(r => r.Project == owner.Id && r.State == QuotaRequestState.Open, stop) >= MostOpen)
                return Refusal.Conflict("too_many", $"{MostOpen} requests of the project {owner.Name} are open already; withdraw one, or wait for an answer.");
            var row = new QuotaRequestRow { Id = QuotaRequestId.New(m.Now), Project = owner.Id, Wanted = wanted.Value!, Reason = request.Reason!.Trim(), RequestedBy = m.By, CreatedAt = m.Now };
            m.Db.QuotaRequests.Add(row);
            (m.Target, m.Detail) = ($"quota-request/{row.Id}", $"{owner.Name}: {QuotaUseCases.Said(row.Wanted)}; {row.Reason}");
            return row.Id.Value;
        }, stop);
        return await Answer(asked, stop);
    }

    public Task<Result<QuotaRequestView>> Grant(Caller caller, string project, QuotaRequestId request, AnswerQuota answer, CancellationToken stop) =>
        Decide(caller, project, request, QuotaRequestState.Granted, "quota-request.grant", answer, stop);

    public Task<Result<QuotaRequestView>> Refuse(Caller caller, string project, QuotaRequestId request, AnswerQuota answer, CancellationToken stop) =>
        Decide(caller, project, request, QuotaRequestState.Refused, "quota-request.refuse", answer, stop);

    public async Task<Result<QuotaRequestView>> Withdraw(Caller caller, string project, QuotaRequestId request, CancellationToken stop)
    {
        var done = await mutations.In(caller, Permissions.VmCreate, project, "quota-request.withdraw", $"quota-request/{request}", (m, owner) => Settle(m, owner, request, QuotaRequestState.Withdrawn, "", stop), stop);
        return await Answer(done, stop);
    }

    private async Task<Result<QuotaRequestView>> Decide(Caller caller, string project, QuotaRequestId request, QuotaRequestState to, string action, AnswerQuota answer, CancellationToken stop)
    {
        var done = await mutations.In(caller, Permissions.QuotaManage, project, action, $"quota-request/{request}", async (m, owner) =>
        {
            if (await QuotaUseCases.WhyNotAbove(m, access, owner, stop) is { } no) return no;
            var refusals = new RefusalList();
            CheckText(refusals, "answer", answer.Answer, to == QuotaRequestState.Refused ? "Say why it is refused: whoever asked reads it." : null);
            return refusals.Any ? Result<Guid>.No(refusals.All) : await Settle(m, owner, request, to, answer.Answer?.Trim() ?? "", stop);
        }, stop);
        return await Answer(done, stop);
    }

    private static async Task<Result<Guid>> Settle(Mutation m, ProjectRow owner, QuotaRequestId id, QuotaRequestState to, string answer, CancellationToken stop)
    {
        if (await m.Db.QuotaRequests.SingleOrDefaultAsync(r => r.Id == id && r.Project == owner.Id, stop) is not { } row) return Refusal.NotFound("request_not_found", $"The project {owner.Name} has no such request.");
        if (row.State != QuotaRequestState.Open) return Refusal.Conflict("request_closed", $"The request was {row.State.ToString().ToLowerInvariant()} already{(row.DecidedBy is { } by ? $" by {by}" : "")}.");
        (row.State, row.DecidedBy, row.DecidedAt, row.Answer) = (to, m.By, m.Now, answer);
        if (to == QuotaRequestState.Granted) owner.Quota = Quota.Raised(owner.Quota, row.Wanted);
        m.Detail = $"{owner.Name}: {QuotaUseCases.Said(row.Wanted)}{(answer.Length > 0 ? $"; {answer}" : "")}";
        return row.Id.Value;
    }

    private async Task<Result<QuotaRequestView>> Answer(Result<Guid> of, CancellationToken stop)
    {
        if (!of.Succeeded) return Result<QuotaRequestView>.No(of.Refusals);
        await using var db = store.Read();
        var id = new QuotaRequestId(of.Value);
        return (await Views(db, db.QuotaRequests.Where(r => r.Id == id), stop))[0];
    }

    /// <param name="missing">What is said where it is empty; null where it may be.</param>
    private static void CheckText(RefusalList refusals, string field, string? text, string? missing)
    {
        if (missing is not null && string.IsNullOrWhiteSpace(text)) refusals.Invalid(field, "required", missing);
        else NameRules.CheckLine(refusals, field, text, field);
    }

    private static async Task<IReadOnlyList<QuotaRequestView>> Views(ConsoleDb db, IQueryable<QuotaRequestRow> requests, CancellationToken stop)
    {
        var rows = await requests.ToListAsync(stop);
        var ids = rows.Select(r => r.Project).Distinct().ToArray();
        var projects = await db.Projects.Where(p => ids.Contains(p.Id)).Select(p => new { p.Id, p.Name, Organization = db.Organizations.Where(o => o.Id == p.Organization).Select(o => o.Name).First() }).ToDictionaryAsync(p => p.Id, stop);
        return
        [
            .. rows.Select(r => new QuotaRequestView(
                r.Id, r.Project, projects[r.Project].Name, projects[r.Project].Organization, r.Wanted, QuotaUseCases.Said(r.Wanted), r.Reason, r.State, r.RequestedBy, r.CreatedAt, r.DecidedBy, r.DecidedAt, r.Answer, r.Version)),
        ];
    }
}
