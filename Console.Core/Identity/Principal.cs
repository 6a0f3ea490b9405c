using Plinth.Core.Primitives;

namespace Plinth.Core.Identity;

public enum PrincipalKind { User, Client, Agent, System, Anonymous }

/// <summary>Who acts. <paramref name="Name"/> is what audit entries and pages show.</summary>
public sealed record Principal(PrincipalKind Kind, string Id, string Name)
{
    /// <summary>How a person came in: a session of a browser, or a token. What it allows ends with it. Null for everybody else.</summary>
    public SessionId? Session { get; init; }

    /// <summary>The id of a person; that of nobody for everybody else.</summary>
    public UserId Person => Kind == PrincipalKind.User && Guid.TryParse(Id, out var id) ? new UserId(id) : default;

    /// <summary>The console itself: workers and start-up.</summary>
    public static Principal System { get; } = new(PrincipalKind.System, "console", "Plinth");
    public static Principal Anonymous { get; } = new(PrincipalKind.Anonymous, "anonymous", "anonymous");
}
