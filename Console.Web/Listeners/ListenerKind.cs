namespace Plinth.Web.Listeners;

/// <summary>The three doors of the console. What is served at one is not reachable at another.</summary>
public enum ListenerKind
{
    /// <summary>People and API clients.</summary>
    Portal,
    /// <summary>Joining agents: TLS, no client certificate.</summary>
    Enrolment,
    /// <summary>Enrolled agents, and other servers for images: mutual TLS.</summary>
    AgentHub,
}

/// <summary>On every connection: the door it came through.</summary>
public sealed record ListenerFeature(ListenerKind Kind);

/// <summary>On an endpoint: the door it is served at. Endpoints without it belong to the portal.</summary>
public sealed record ServedOn(ListenerKind Kind);
