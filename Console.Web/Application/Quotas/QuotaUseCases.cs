using Microsoft.EntityFrameworkCore;
using Plinth.Core.Identity;
using Plinth.Core.Machines;
using Plinth.Core.Primitives;
using Plinth.Core.Quotas;
using Plinth.Web.Application.Identity;
using Plinth.Web.Persistence;
using Plinth.Web.Persistence.Rows;

namespace Plinth.Web.Application.Quotas;

/// <inheritdoc cref="IQuotas"/>
internal sealed class QuotaUseCases(IConsoleStore store, AccessControl access, Mutations mutations) : IQuotas
{
    public async Task<Result<ProjectQuotaView>> OfProject(Caller caller, string project, CancellationToken stop)
    {
        await using var db = store.Read();
        var found = await access.Project(db, caller, Permissions.ProjectRead, project, stop);
        if (!found.Succeeded) return Result<ProjectQuotaView>.No(found.Refusals);
        var organization = await db.Organizations.SingleAsync(o => o.Id == found.Value.Organization, stop);
        var rights = await access.Of(db, caller.Principal, stop);
        return new ProjectQuotaView(
            new QuotaView(found.Value.Id.Value, found.Value.Name, Lines(found.Value.Quota, await QuotaUse.Of(db, QuotaUse.Only(db, found.Value), Shown(found.Value.Quota), stop)), found.Value.Version),
            await View(db, rights, organization, stop),
            rights.Has(Permissions.VmCreate, AccessControl.ScopeOf(found.Value)), rights.Has(Permissions.QuotaManage, Scope.Of(organization.Id)), rights.Has(Permissions.OrganizationManage, Scope.Platform));
    }

    public async Task<Result<QuotaView>> OfOrganization(Caller caller, string organization, CancellationToken stop)
    {
        await using var db = store.Read();
        var rights = await access.Of(db, caller.Principal, stop);
        var found = await access.OrganizationOrPart(db, rights, Permissions.ProjectRead, organization, stop);
        return found.Succeeded ? await View(db, rights, found.Value, stop) : Result<QuotaView>.No(found.Refusals);
    }

    public async Task<Result<ProjectQuotaView>> SetProject(Caller caller, string project, SetQuota request, long? expectedVersion, CancellationToken stop)
    {
        var changed = await mutations.In(caller, Permissions.QuotaManage, project, "project.quota", $"project/{Naming.Printable(project)}", async (m, row) =>
        {
            if (await WhyNotAbove(m, access, row, stop) is { } no) return no;
            if (expectedVersion is { } seen && seen != row.Version) return Refusal.Stale($"The project has changed since version {seen}; its version is {row.Version}. Read it again.");
            var limits = await Judge(m.Db, request.Limits, stop);
            if (!limits.Succeeded) return Result<Guid>.No(limits.Refusals);
            (m.Target, m.Detail) = ($"project/{row.Id}", $"{row.Name}: {Said(limits.Value)}, formerly {Said(row.Quota)}");
            row.Quota = limits.Value;
            return row.Id.Value;
        }, stop);
        return changed.Succeeded ? await OfProject(caller, changed.Value.ToString(), stop) : Result<ProjectQuotaView>.No(changed.Refusals);
    }

    public async Task<Result<QuotaView>> SetOrganization(Caller caller, string organization, SetQuota request, long? expectedVersion, CancellationToken stop)
    {
        var changed = await mutations.On(caller, Permissions.OrganizationManage, organization, "organization.quota", $"organization/{Naming.Printable(organization)}", Result<Idempotency?>.Ok(null), async (m, row) =>
        {
            if (expectedVersion is { } seen && seen != row.Version) return Refusal.Stale($"The organization has changed since version {seen}; its version is {row.Version}. Read it again.");
            var limits = await Judge(m.Db, request.Limits, stop);
            if (!limits.Succeeded) return Result<Guid>.No(limits.Refusals);
            (m.Target, m.Detail) = ($"organization/{row.Id}", $"{row.Name}: {Said(limits.Value)}, formerly {Said(row.Quota)}");
            row.Quota = limits.Value;
            return row.Id.Value;
        }, stop);
        return changed.Succeeded ? await OfOrganization(caller, changed.Value.ToString(), stop) : Result<QuotaView>.No(changed.Refusals);
    }

    /// <summary>Limits come from above: whoever has everything in one project only does not set its own.</summary>
    public static async Task<Refusal?> WhyNotAbove(Mutation m, AccessControl access, ProjectRow project, CancellationToken stop)
    {
        var organization = await m.Db.Organizations.AsNoTracking().SingleAsync(o => o.Id == project.Organization, stop);
        return (await access.Of(m.Db, m.Caller.Principal, stop)).Check(Permissions.QuotaManage, Scope.Of(organization.Id), $"organization {organization.Name}");
    }

    /// <summary>The limits as they can be stored: what is null is left out.</summary>
    public static async Task<Result<IReadOnlyDictionary<string, long>>> Judge(ConsoleDb db, IReadOnlyDictionary<string, long?>? given, CancellationToken stop)
    {
        if (given is null) return Refusal.Invalid("limits", "required", "Limits are needed, by resource; {} for none.");
        var refusals = Quota.CheckLimits("limits", given, await db.StorageClasses.Select(s => s.Name).ToHashSetAsync(stop));
        return refusals.Count > 0
            ? Result<IReadOnlyDictionary<string, long>>.No(refusals)
            : Result<IReadOnlyDictionary<string, long>>.Ok(given.Where(l => l.Value is not null).OrderBy(l => l.Key, StringComparer.Ordinal).ToDictionary(l => l.Key, l => l.Value!.Value));
    }

    // What the organization has without a limit is no matter of one project.
    private static async Task<QuotaView> View(ConsoleDb db, Rights rights, OrganizationRow row, CancellationToken stop)
    {
        var lines = Lines(row.Quota, await QuotaUse.Of(db, QuotaUse.All(db, row.Id), Shown(row.Quota), stop));
        return new QuotaView(row.Id.Value, row.Name, rights.Has(Permissions.ProjectRead, Scope.Of(row.Id)) ? lines : [.. lines.Where(l => l.Limit is not null)], row.Version);
    }

    private static IReadOnlyCollection<string> Shown(IReadOnlyDictionary<string, long> limits) => [.. QuotaResources.All, .. limits.Keys];

    // A class of disk that nothing limits and nothing uses says nothing.
    private static IReadOnlyList<QuotaLineView> Lines(IReadOnlyDictionary<string, long> limits, IReadOnlyDictionary<string, long> used) =>
    [
        .. QuotaResources.All.Concat(used.Keys.Concat(limits.Keys).Where(r => QuotaResources.StorageClassOf(r) is not null).Distinct().Order(StringComparer.Ordinal))
            .Select(r => Line(r, used.GetValueOrDefault(r), limits.TryGetValue(r, out var limit) ? limit : null)),
    ];

    private static QuotaLineView Line(string resource, long used, long? limit) => new(
        resource, QuotaResources.Title(resource), used, limit,
        limit is { } most ? $"{QuotaResources.Quantity(resource, used)} of {QuotaResources.Quantity(resource, most)}{(used > most ? $", {QuotaResources.Quantity(resource, used - most)} over" : "")}" : $"{QuotaResources.Quantity(resource, used)}, no limit");

    /// <summary>"8 vCPU, 4 GiB of memory".</summary>
    public static string Said(IReadOnlyDictionary<string, long> limits) => limits.Count == 0 ? "no limits" : string.Join(", ", limits.Select(l => QuotaResources.Amount(l.Key, l.Value)));
}
