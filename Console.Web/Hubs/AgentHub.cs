using Microsoft.AspNetCore.SignalR;
using Plinth.Core.Protocol;
using Plinth.Web.Security.Agents;

namespace Plinth.Web.Hubs;

/// <summary>The door of the agents: SignalR over mutual TLS, one method in each direction.</summary>
public sealed class AgentHub(AgentSessions sessions, IHubContext<AgentHub> hub, ILogger<AgentHub> log) : Hub
{
    private const string Connection = "connection";

    public override Task OnConnectedAsync()
    {
        var connection = new AgentConnection(Context.User!.Host(), Context, hub.Clients.Client(Context.ConnectionId), log);
        Context.Items[Connection] = connection;
        sessions.Open(connection);
        return Task.CompletedTask;
    }

    /// <summary>One piece of one message; see <see cref="FrameCutter"/>.</summary>
    [HubMethodName(HubNames.Frame)]
    public Task Take(Frame frame) => sessions.Receive((AgentConnection)Context.Items[Connection]!, frame);

    public override Task OnDisconnectedAsync(Exception? exception) =>
        Context.Items.TryGetValue(Connection, out var connection) ? sessions.Close((AgentConnection)connection!) : Task.CompletedTask;
}
