using Microsoft.EntityFrameworkCore;
using Plinth.Core.Identity;
using Plinth.Core.Primitives;
using Plinth.Web.Persistence;
using Plinth.Web.Persistence.Rows;

namespace Plinth.Web.Application.Identity;

/// <summary>Beginning and ending of sessions, inside a change.</summary>
internal static class Sessions
{
    /// <summary>A session of the person in this browser; the one that was there before is over.</summary>
    public static async Task<Principal> Begin(WriteScope scope, UserRow user, string method, Visitor visitor)
    {
        var row = new SessionRow
        {
            Id = SessionId.New(scope.Now), User = user.Id, Kind = SessionKind.Browser, Name = BrowserNames.Of(visitor.Browser), Method = method, Address = visitor.Address,
            CreatedAt = scope.Now, LastSeenAt = scope.Now, ExpiresAt = scope.Now + SessionLife.Longest,
        };
        scope.Db.Sessions.Add(row);
        if (visitor.Leaves is { } before && await scope.Db.Sessions.AsTracking().SingleOrDefaultAsync(s => s.Id == before && s.EndedAt == null) is { } left) left.EndedAt = scope.Now;
        user.LastSignInAt = scope.Now;
        var person = Person(user, row);
        scope.Audit(person, visitor.Address, "sign-in", $"user/{user.Id}", null, AuditOutcomes.Done, $"{method}, {row.Name}");
        return person;
    }

    public static Principal Person(UserRow user, SessionRow session) => new(PrincipalKind.User, user.Id.ToString(), user.Name) { Session = session.Id };

    /// <summary>Ends what is open of the person; how many that were.</summary>
    /// <param name="but">Stays; null: none does.</param>
    /// <param name="kind">Only these; null: browsers and tokens.</param>
    public static async Task<int> EndAll(WriteScope scope, UserId user, SessionId? but, SessionKind? kind)
    {
        var open = await scope.Db.Sessions.AsTracking().Where(s => s.User == user && s.EndedAt == null && s.ExpiresAt > scope.Now).ToListAsync();
        var ended = open.Where(s => s.Id != but && (kind is null || s.Kind == kind)).ToList();
        foreach (var session in ended) session.EndedAt = scope.Now;
        return ended.Count;
    }
}

/// <summary>How a browser is called in a list of sessions.</summary>
internal static class BrowserNames
{
    // The more particular first: Edge and Opera also call themselves Chrome, and Chrome calls itself Safari.
    private static readonly (string Sign, string Name)[] Browsers = [("Edg", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("HeadlessChrome/", "Chrome"), ("Chrome/", "Chrome"), ("Safari/", "Safari"), ("curl/", "curl")];

    private static readonly (string Sign, string Name)[] Systems = [("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows"), ("Mac OS X", "macOS"), ("CrOS", "ChromeOS"), ("Linux", "Linux")];

    /// <param name="agent">The User-Agent that was sent.</param>
    public static string Of(string? agent)
    {
        var browser = Browsers.FirstOrDefault(b => agent?.Contains(b.Sign, StringComparison.Ordinal) == true).Name ?? "Another program";
        return Systems.FirstOrDefault(s => agent?.Contains(s.Sign, StringComparison.Ordinal) == true).Name is { } system ? $"{browser} on {system}" : browser;
    }
}
