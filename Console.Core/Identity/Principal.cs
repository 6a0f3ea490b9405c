namespace Plinth.Core.Identity;

public enum PrincipalKind { User, Client, Agent, System, Anonymous }

/// <summary>Who acts. <paramref name="Name"/> is what audit entries and pages show.</summary>
public sealed record Principal(PrincipalKind Kind, string Id, string Name)
{
    /// <summary>The console itself: workers and start-up.</summary>
    public static Principal System { get; } = new(PrincipalKind.System, "console", "Plinth");
    public static Principal Anonymous { get; } = new(PrincipalKind.Anonymous, "anonymous", "anonymous");
}
