using Plinth.Core.Protocol;
using Plinth.Web.Application;
using Plinth.Web.Application.Servers;
using Plinth.Web.Listeners;
using Plinth.Web.Live;
using Plinth.Web.Security;
using Plinth.Web.Security.Agents;

namespace Plinth.Web.Hubs.Consoles;

/// <summary>The two ends of a console: the viewer's socket at the portal, the agent's at its own listener.</summary>
public static class ConsoleEndpoints
{
    /// <summary>How long the agent may take to dial back.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    /// <summary>How often it is asked whether the viewer may still look, beside every change of rights.</summary>
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(15);

    public static void MapConsoles(this WebApplication app)
    {
        app.Map("/consoles/{ticket}", View).RequireAuthorization(ApiAuthorization.Policy).ExcludeFromDescription();
        app.Map(HubNames.ConsoleRoute + "{id}", Serve).RequireAuthorization(AgentAuthentication.Policy).ServedOn(ListenerKind.AgentHub).ExcludeFromDescription();
    }

    private static async Task<IResult> View(HttpContext context, string ticket, ConsoleSockets consoles, IAgentGateway agents, ILeadership leadership, IVirtualMachines machines, IChangeFeed feed, TimeProvider clock, IHostApplicationLifetime lifetime, ILogger<ConsoleSockets> log)
    {
        if (!context.WebSockets.IsWebSocketRequest) return Results.Problem("A console is a WebSocket.", statusCode: StatusCodes.Status426UpgradeRequired);
        if (!SameOrigin.Holds(context.Request)) return Results.Problem("A page of another origin cannot open a console.", statusCode: StatusCodes.Status403Forbidden);
        if (consoles.Use(ticket, context.User.ToPrincipal()) is not { } used) return Results.Problem("The ticket is unknown, used or older than 30 s; ask for a new one.", statusCode: StatusCodes.Status404NotFound);

        using var browser = await context.WebSockets.AcceptWebSocketAsync();
        if (!agents.IsConnected(used.Host))
        {
            await SocketBridge.Close(browser, leadership.Elsewhere is { } leader ? $"Consoles go through the server that leads: open the VM at {leader.PortalUrl}." : "The agent of the host is not connected.");
            return Results.Empty;
        }
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, lifetime.ApplicationStopping);
        var meeting = consoles.Arrange(used, Patience);
        try
        {
            await agents.Send(used.Host, meeting.Command, ended.Token);
            using var agent = await meeting.Agent.Task.WaitAsync(Patience, ended.Token);
            var (caller, over) = (context.Caller(), new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously));
            using var changes = feed.Subscribe(c => c.ConcernsRightsOf(caller.Principal), _ => Look());
            // A role may end by itself, which changes nothing that would be told.
            await using var nowAndThen = clock.CreateTimer(_ => _ = Look(), null, LookEvery, LookEvery);
            await SocketBridge.Run(browser, agent, over.Task, ended.Token);

            async Task Look()
            {
                try
                {
                    if (await machines.WhyNoConsole(caller, used.Vm, ended.Token) is { } no) over.TrySetResult(no.Message);
                }
                catch (Exception e) when (!ended.IsCancellationRequested)
                {
                    log.LogWarning("Whether {Viewer} may still see the console of VM {Vm} cannot be read for now: {Reason}. It is looked at again within {Seconds} s.", caller.Principal.Name, used.Vm, e.Message, LookEvery.TotalSeconds);
                }
                catch (Exception)
                {
                    // The console has ended meanwhile.
                }
            }
        }
        catch (ConsoleRefusedException e)
        {
            await SocketBridge.Close(browser, e.Message);
        }
        catch (TimeoutException)
        {
            log.LogWarning("Host {Host} did not open the console of VM {Vm} within {Seconds} s.", used.Host, used.Vm, Patience.TotalSeconds);
            await SocketBridge.Close(browser, $"The agent did not open the console within {Patience.TotalSeconds:0} s.");
        }
        catch (OperationCanceledException)
        {
            await SocketBridge.Close(browser, "Plinth is being stopped; open the console again in a moment.");
        }
        finally
        {
            consoles.Dissolve(meeting);
        }
        return Results.Empty;
    }

    private static async Task<IResult> Serve(HttpContext context, string id, ConsoleSockets consoles)
    {
        if (!context.WebSockets.IsWebSocketRequest) return Results.Problem("A console is a WebSocket.", statusCode: StatusCodes.Status426UpgradeRequired);
        if (consoles.Join(id, context.User.Host()) is not { } meeting) return Results.Problem("No viewer waits for this console.", statusCode: StatusCodes.Status404NotFound);
        using var socket = await context.WebSockets.AcceptWebSocketAsync();
        if (!meeting.Agent.TrySetResult(socket)) await SocketBridge.Close(socket, "The viewer has left.");
        else await meeting.Over.Task;
        return Results.Empty;
    }
}
