using Microsoft.EntityFrameworkCore;
using Plinth.Core.Identity;
using Plinth.Core.Machines;
using Plinth.Core.Primitives;
using Plinth.Web.Application.Identity;
using Plinth.Web.Persistence;
using Plinth.Web.Persistence.Rows;

namespace Plinth.Web.Application.Personal;

/// <inheritdoc cref="IPersonal"/>
internal sealed class PersonalUseCases(IConsoleStore store, AccessControl access, Mutations mutations) : IPersonal
{
    public const int MaxViews = 100, MaxQueryLength = 2000, MaxNameLength = 60;

    /// <summary>Every choice there is; the first value is what holds without one.</summary>
    private static readonly IReadOnlyDictionary<string, IReadOnlyList<string>> Choices = new Dictionary<string, IReadOnlyList<string>>
    {
        ["theme"] = ["system", "light", "dark"],
        ["contrast"] = ["system", "high"],
        ["density"] = ["comfortable", "compact"],
        ["zone"] = ["local", "utc"],
        ["keys"] = ["on", "off"],
    };

    private static readonly string[] ListNames = ["vms", "hosts", "operations"];

    public async Task<Result<IReadOnlyDictionary<string, string>>> Preferences(Caller caller, CancellationToken stop)
    {
        if (await access.Check(caller, Permissions.Personal, stop) is { } no) return no;
        var owner = Idempotency.Owner(caller.Principal);
        await using var db = store.Read();
        var chosen = await db.Preferences.Where(p => p.Principal == owner).ToDictionaryAsync(p => p.Key, p => p.Value, stop);
        return Result<IReadOnlyDictionary<string, string>>.Ok(Choices.ToDictionary(c => c.Key, c => chosen.GetValueOrDefault(c.Key, c.Value[0])));
    }

    public async Task<Result<IReadOnlyDictionary<string, string>>> Prefer(Caller caller, string key, string? value, CancellationToken stop)
    {
        var preferred = await mutations.Run(caller, Permissions.Personal, "preference.set", "preference", async m =>
        {
            if (!Choices.TryGetValue(key, out var values)) return Refusal.NotFound("preference_not_found", $"There is no preference {RefusalList.Quote(key)}; there are {string.Join(", ", Choices.Keys)}.");
            if (value is null || !values.Contains(value)) return Refusal.Invalid("value", "bad_value", $"{RefusalList.Quote(value ?? "")} is no value of {key}; it is one of {string.Join(", ", values)}.");
            var owner = Idempotency.Owner(caller.Principal);
            var row = await m.Db.Preferences.SingleOrDefaultAsync(p => p.Principal == owner && p.Key == key, stop) ?? m.Db.Add(new PreferenceRow { Principal = owner, Key = key, Value = value }).Entity;
            row.Value = value;
            (m.Target, m.Detail) = ($"preference/{key}", value);
            return Guid.Empty;
        }, stop);
        return preferred.Succeeded ? await Preferences(caller, stop) : Result<IReadOnlyDictionary<string, string>>.No(preferred.Refusals);
    }

    public async Task<Result<IReadOnlyList<SavedViewView>>> Views(Caller caller, string? list, CancellationToken stop)
    {
        if (await access.Check(caller, Permissions.Personal, stop) is { } no) return no;
        var owner = Idempotency.Owner(caller.Principal);
        await using var db = store.Read();
        var rows = await db.SavedViews.Where(v => v.Principal == owner && (list == null || v.List == list)).OrderBy(v => v.List).ThenBy(v => v.Name).ToListAsync(stop);
        return Result<IReadOnlyList<SavedViewView>>.Ok([.. rows.Select(View)]);
    }

    public async Task<Result<SavedViewView>> SaveView(Caller caller, SaveView request, CancellationToken stop)
    {
        SavedViewRow? saved = null;
        var done = await mutations.Run(caller, Permissions.Personal, "view.save", "view", async m =>
        {
            var refusals = new RefusalList();
            var name = request.Name?.Trim() ?? "";
            if (name.Length == 0) refusals.Invalid("name", "required", "A view needs a name, by which you find it again.");
            else if (name.Length > MaxNameLength || !TextRules.IsPrintable(name)) refusals.Invalid("name", "bad_name", $"The name of a view has 1 to {MaxNameLength} printable characters.");
            if (request.List is not { } list || !ListNames.Contains(list)) refusals.Invalid("list", "bad_list", $"{RefusalList.Quote(request.List ?? "")} is no list; it is one of {string.Join(", ", ListNames)}.");
            var query = (request.Query ?? "").TrimStart('?');
            if (query.Length > MaxQueryLength || query.Any(c => c is <= ' ' or > '~' or '#')) refusals.Invalid("query", "bad_query", $"The query is what stands behind the question mark of the list's URL, at most {MaxQueryLength} characters.");
            if (refusals.Any) return Result<Guid>.No(refusals.All);

            var owner = Idempotency.Owner(caller.Principal);
            saved = await m.Db.SavedViews.SingleOrDefaultAsync(v => v.Principal == owner && v.List == request.List && v.Name == name, stop);
            if (saved is null)
            {
                if (await m.Db.SavedViews.CountAsync(v => v.Principal == owner, stop) >= MaxViews) return Refusal.Conflict("too_many_views", $"You have {MaxViews} saved views, which is the most; delete one first.");
                saved = m.Db.Add(new SavedViewRow { Id = SavedViewId.New(m.Now), Principal = owner, List = request.List!, Name = name, Query = query, CreatedAt = m.Now }).Entity;
            }
            saved.Query = query;
            (m.Target, m.Detail) = ($"view/{saved.Id}", $"{saved.List}: {name}");
            return saved.Id.Value;
        }, stop);
        return done.Succeeded ? View(saved!) : Result<SavedViewView>.No(done.Refusals);
    }

    public async Task<Result<Done>> DeleteView(Caller caller, SavedViewId view, CancellationToken stop)
    {
        var done = await mutations.Run(caller, Permissions.Personal, "view.delete", $"view/{view}", async m =>
        {
            var owner = Idempotency.Owner(caller.Principal);
            if (await m.Db.SavedViews.SingleOrDefaultAsync(v => v.Id == view && v.Principal == owner, stop) is not { } row) return Refusal.NotFound("view_not_found", $"You have no saved view {view}.");
            m.Db.Remove(row);
            m.Detail = $"{row.List}: {row.Name}";
            return view.Value;
        }, stop);
        return done.Succeeded ? Done.Value : Result<Done>.No(done.Refusals);
    }

    private static SavedViewView View(SavedViewRow row) => new(row.Id, row.List, row.Name, row.Query, row.CreatedAt);
}
