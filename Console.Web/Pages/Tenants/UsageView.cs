using System.Globalization;
using Plinth.Core.Primitives;
using Plinth.Core.Quotas;
using Plinth.Web.Application;
using Plinth.Web.Components.Live;
using Plinth.Web.Live;
using Plinth.Web.Pages.Machines;

namespace Plinth.Web.Pages.Tenants;

/// <summary>What a project has and may have, with forms for whoever sets that.</summary>
public sealed class UsageView : LiveView
{
    private readonly IQuotas _quotas;
    private readonly IQuotaRequests _requests;
    private readonly IStorageClasses _classes;
    private readonly string _project;
    private QuotaRequestId _acted;
    private IReadOnlyList<Refusal> _actAnswer = [];

    // One key for one form: pressing twice asks once.
    private string _key = Guid.NewGuid().ToString();

    public UsageView(IQuotas quotas, IQuotaRequests requests, IStorageClasses classes, IChangeFeed feed, Caller caller, string project) : base(caller)
    {
        (_quotas, _requests, _classes, _project) = (quotas, requests, classes, project);
        Listen(feed, change => change.ConcernsRightsOf(caller.Principal) || change.Kind is "vm" or "volume" or "network" or "project" or "organization" or "storage-class" or "quota-request", _ => Load());
    }

    public ProjectQuotaView? Quota { get; private set; }

    /// <summary>Those that the caller sets: the project's, its organization's.</summary>
    public LimitsForm? ProjectLimits { get; private set; }
    public LimitsForm? OrganizationLimits { get; private set; }

    /// <summary>For whoever may ask and does not set the limits; there is something to ask for where there are limits.</summary>
    public LimitsForm? Asked { get; private set; }
    public string Reason { get; set; } = "";
    public IReadOnlyList<QuotaRequestView> Requests { get; private set; } = [];

    public IReadOnlyList<string> ReasonErrors => [.. (Asked?.Answer ?? []).Where(r => r.Field == "reason").Select(r => r.Message)];

    public AskForQuota Request => new(Asked!.Request.Limits, Reason.Trim() is { Length: > 0 } reason ? reason : null);

    public async Task Ask()
    {
        var asked = await _requests.Ask(Caller, _project, Request, _key, Stop);
        Asked!.Answer = asked.Refusals;
        if (asked.Succeeded) (Reason, _key, Asked) = ("", Guid.NewGuid().ToString(), null);
        await Load();
    }

    /// <summary>What is typed as an answer to a request.</summary>
    public Dictionary<QuotaRequestId, string> Answers { get; } = [];

    /// <summary>What is wrong with the last act on this request.</summary>
    public IReadOnlyList<string> ErrorsOf(QuotaRequestView request) => request.Id == _acted ? [.. _actAnswer.Select(r => r.Message)] : [];

    public Task Grant(QuotaRequestView request) => Act(request, _requests.Grant(Caller, _project, request.Id, AnswerTo(request), Stop));
    public Task Refuse(QuotaRequestView request) => Act(request, _requests.Refuse(Caller, _project, request.Id, AnswerTo(request), Stop));
    public Task Withdraw(QuotaRequestView request) => Act(request, _requests.Withdraw(Caller, _project, request.Id, Stop));

    public Task SetProject() => Save(ProjectLimits!, async form => (await _quotas.SetProject(Caller, _project, form.Request, form.Version, Stop)).Refusals);

    public Task SetOrganization() => Save(OrganizationLimits!, async form => (await _quotas.SetOrganization(Caller, Quota!.Organization.Id.ToString(), form.Request, form.Version, Stop)).Refusals);

    protected override async Task Read()
    {
        Quota = Take(await _quotas.OfProject(Caller, _project, Stop));
        if (Quota is null) return;
        var classes = (await _classes.List(Caller, Stop)) is { Succeeded: true } known ? known.Value!.Select(c => c.Name).ToList() : [];
        Requests = Take(await _requests.OfProject(Caller, _project, Stop)) ?? [];
        Asked = Quota is { MayAsk: true, MaySet: false } && Quota.Project.Lines.Any(l => l.Limit is not null) ? LimitsForm.Asking(Asked, Quota.Project) : null;
        ProjectLimits = Quota.MaySet ? LimitsForm.Setting(ProjectLimits, Quota.Project, classes) : null;
        OrganizationLimits = Quota.MaySetOrganization ? LimitsForm.Setting(OrganizationLimits, Quota.Organization, classes) : null;
    }

    private AnswerQuota AnswerTo(QuotaRequestView request) => new(Answers.GetValueOrDefault(request.Id)?.Trim() is { Length: > 0 } answer ? answer : null);

    private async Task Act(QuotaRequestView request, Task<Result<QuotaRequestView>> act)
    {
        (_acted, _actAnswer) = (request.Id, (await act).Refusals);
        await Load();
    }

    private async Task Save(LimitsForm form, Func<LimitsForm, Task<IReadOnlyList<Refusal>>> set)
    {
        form.Answer = await set(form);
        await Load();
    }
}

/// <summary>Limits being edited: a text by resource, empty for none.</summary>
public sealed class LimitsForm
{
    private Dictionary<string, string> _read = [];

    private LimitsForm()
    {
    }

    /// <summary>What it was read from last: saved only if that is still the newest.</summary>
    public long Version { get; private init; }
    public Dictionary<string, string> Text { get; private init; } = [];
    public IReadOnlyList<Refusal> Answer { get; set; } = [];

    public IReadOnlyList<string> ErrorsOf(string resource) => [.. Answer.Where(r => r.Field == $"limits.{resource}").Select(r => r.Message)];

    public IReadOnlyList<Refusal> OtherRefusals => [.. Answer.Where(r => r.Field != "reason" && !Text.Keys.Any(t => r.Field == $"limits.{t}"))];

    /// <summary>A text that is no number is sent as one that is refused.</summary>
    public SetQuota Request => new(Text.Where(t => t.Value.Trim().Length > 0).ToDictionary(t => t.Key, t => (long?)(long.TryParse(t.Value.Trim(), CultureInfo.InvariantCulture, out var limit) ? limit : -1)));

    /// <summary>"Memory (MiB)".</summary>
    public static string Label(string resource) => QuotaResources.Unit(resource) is { } unit ? $"{QuotaResources.Title(resource)} ({unit})" : QuotaResources.Title(resource);

    /// <summary>For limits that are set: every resource, also disk of each storage class.</summary>
    internal static LimitsForm Setting(LimitsForm? open, QuotaView quota, IEnumerable<string> storageClasses)
    {
        var limits = quota.Lines.ToDictionary(l => l.Resource, l => l.Limit);
        var shown = QuotaResources.All.Concat(storageClasses.Select(QuotaResources.DiskOf).Union(limits.Keys.Where(r => QuotaResources.StorageClassOf(r) is not null)).Order(StringComparer.Ordinal));
        return Of(open, quota.Version, shown.ToDictionary(r => r, r => limits.GetValueOrDefault(r)?.ToString(CultureInfo.InvariantCulture) ?? ""));
    }

    /// <summary>For limits that are asked for: an empty field for each that there is.</summary>
    internal static LimitsForm Asking(LimitsForm? open, QuotaView quota) => Of(open, quota.Version, quota.Lines.Where(l => l.Limit is not null).ToDictionary(l => l.Resource, _ => ""));

    // What was typed stays, whatever changes beneath it; all else is as it is now.
    private static LimitsForm Of(LimitsForm? open, long version, Dictionary<string, string> read) => new()
    {
        Version = version,
        _read = read,
        Text = read.ToDictionary(r => r.Key, r => open is not null && open.Text.TryGetValue(r.Key, out var typed) && typed != open._read[r.Key] ? typed : r.Value),
        Answer = open?.Answer ?? [],
    };
}
