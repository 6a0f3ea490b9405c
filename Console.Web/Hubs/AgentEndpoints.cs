using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Net.Http.Headers;
using Plinth.Core.Protocol;
using Plinth.Web.Application;
using Plinth.Web.Application.Agents;
using Plinth.Web.Hubs.Consoles;
using Plinth.Web.Hubs.Enrolment;
using Plinth.Web.Listeners;
using Plinth.Web.Security.Agents;
using Plinth.Web.Security.Servers;

namespace Plinth.Web.Hubs;

/// <summary>Everything agents are served; images are served to other servers too.</summary>
public static partial class AgentEndpoints
{
    /// <summary>A frame is 20 KiB before base64; SignalR's own bound is kept.</summary>
    private const long MaxHubMessageBytes = 32 * 1024;

    public static void AddAgentHubs(this IServiceCollection services)
    {
        services.AddSignalR(o => o.MaximumReceiveMessageSize = MaxHubMessageBytes)
            .AddJsonProtocol(o => o.PayloadSerializerOptions.TypeInfoResolverChain.Insert(0, ProtocolJson.Default));
        services.AddSingleton<ConsoleSockets>();
        services.AddSingleton<IConsoleBroker>(s => s.GetRequiredService<ConsoleSockets>());
        services.AddSingleton<AgentSessions>();
        // The application asks for the gateway and the hub for the application: the gateway is resolved late.
        services.AddSingleton<IAgentGateway, LateAgentGateway>();
        services.AddSingleton<EnrolmentThrottle>();
        services.AddSingleton<IPeerImages, PeerImages>();
    }

    public static void MapAgents(this WebApplication app)
    {
        app.MapHub<AgentHub>(HubNames.Route, o => (o.AllowStatefulReconnects, o.CloseOnAuthenticationExpiration) = (false, true))
            .RequireAuthorization(AgentAuthentication.Policy).ServedOn(ListenerKind.AgentHub);
        app.MapGet(HubNames.ImageRoute + "{digest}", Image).RequireAuthorization(PeerAuthentication.ImagePolicy).ServedOn(ListenerKind.AgentHub).ExcludeFromDescription();
        app.MapGet(HubNames.ExecutableRoute + "{digest}", Executable).RequireAuthorization(AgentAuthentication.Policy).ServedOn(ListenerKind.AgentHub).ExcludeFromDescription();
        app.MapEnrolment();
        app.MapConsoles();
    }

    /// <summary>The digest is the entity's tag: what an agent resumes is what it began.</summary>
    private static async Task<IResult> Image(string digest, [FromServices] IImageContent images, CancellationToken stop)
    {
        if (!Digest().IsMatch(digest)) return Results.Problem("A digest is \"sha256:\" and 64 hexadecimal digits.", statusCode: StatusCodes.Status400BadRequest);
        if (await images.PathOf(digest, stop) is { } path) return Results.File(path, "application/octet-stream", enableRangeProcessing: true, entityTag: new EntityTagHeaderValue($"\"{digest}\""));
        // Whoever asks goes on to another server, and comes again.
        return await images.IsAwaited(digest, stop)
            ? Results.Problem($"This server does not have image {digest} yet; it takes it from another one.", statusCode: StatusCodes.Status503ServiceUnavailable)
            : Results.Problem($"No image with digest {digest} is ready.", statusCode: StatusCodes.Status404NotFound);
    }

    /// <summary>By digest: an agent that was told of one gets that one or none, whatever the file has become since.</summary>
    private static async Task<IResult> Executable(string digest, [FromServices] IAgentOffer offer, CancellationToken stop)
    {
        if (!Digest().IsMatch(digest)) return Results.Problem("A digest is \"sha256:\" and 64 hexadecimal digits.", statusCode: StatusCodes.Status400BadRequest);
        var offered = await offer.Read(stop);
        return offered.Succeeded && offered.Value.Digest == digest
            ? Results.File(offered.Value.Path, "application/octet-stream", enableRangeProcessing: true, entityTag: new EntityTagHeaderValue($"\"{digest}\""))
            : Results.Problem($"This server hands out no executable with digest {digest}.", statusCode: StatusCodes.Status404NotFound);
    }

    [GeneratedRegex("^sha256:[0-9a-f]{64}$")]
    private static partial Regex Digest();
}

/// <summary>The gateway as the application sees it.</summary>
internal sealed class LateAgentGateway(IServiceProvider services) : IAgentGateway
{
    private AgentSessions? _sessions;

    private AgentSessions Sessions => _sessions ??= services.GetRequiredService<AgentSessions>();

    public bool IsConnected(Plinth.Core.Primitives.HostId host) => Sessions.IsConnected(host);
    public void Wake(Plinth.Core.Primitives.HostId host) => Sessions.Wake(host);
    public Task Send(Plinth.Core.Primitives.HostId host, Command command, CancellationToken stop) => Sessions.Send(host, command, stop);
}
