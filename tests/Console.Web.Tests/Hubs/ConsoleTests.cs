using System.Net.WebSockets;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Plinth.Core.Identity;
using Plinth.Core.Machines;
using Plinth.Core.Primitives;
using Plinth.Core.Protocol;
using Plinth.Web.Application;
using Plinth.Web.Persistence;
using Plinth.Web.Tests.Persistence;
using Plinth.Web.Tests.Serving;

namespace Plinth.Web.Tests.Hubs;

[Collection(ServedConsoleCollection.Name)]
public sealed class ConsoleTests(ServedConsole console)
{
    private static readonly Principal Robot = new(PrincipalKind.Client, ServedConsole.ClientId, ServedConsole.ClientId);
    private static readonly CancellationToken Deadline = new CancellationTokenSource(TimeSpan.FromMinutes(2)).Token;

    private ConsoleTicketView Ticket(HostId host, Principal? principal = null, ConsoleKind kind = ConsoleKind.Serial) =>
        console.App.Services.GetRequiredService<IConsoleBroker>().Issue(principal ?? Robot, VmId.New(DateTimeOffset.UtcNow), host, kind);

    [Fact]
    public async Task Bytes_go_both_ways_and_each_end_is_told_why_it_ended()
    {
        await using var agent = await TestAgent.Enrolled(console);
        await agent.Connect();
        await agent.Greet();
        var ticket = Ticket(agent.Host);
        using var viewer = await Viewer(ticket.Path);
        var command = await agent.Receive<Command>();
        using var serial = await Serial(agent, Assert.IsType<OpenConsole>(command.Body).ConsoleId);
        await agent.Send(new CommandResult(agent.Epoch, command.Id, true, ""));

        await serial.SendAsync("login: "u8.ToArray(), WebSocketMessageType.Binary, true, Deadline);
        Assert.Equal("login: ", await Read(viewer));
        await viewer.SendAsync("root\r"u8.ToArray(), WebSocketMessageType.Text, true, Deadline);
        Assert.Equal("root\r", await Read(serial));

        await serial.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, "The machine is off.", Deadline);
        var end = await viewer.ReceiveAsync(new byte[100], Deadline);
        Assert.Equal(WebSocketMessageType.Close, end.MessageType);
        Assert.Equal("The machine is off.", viewer.CloseStatusDescription);
    }

    [Fact]
    public async Task An_agent_that_cannot_says_so_in_the_viewers_close_reason()
    {
        await using var agent = await TestAgent.Enrolled(console);
        await agent.Connect();
        await agent.Greet();
        using var viewer = await Viewer(Ticket(agent.Host).Path);
        var command = await agent.Receive<Command>();
        await agent.Send(new CommandResult(agent.Epoch, command.Id, false, "The machine does not run."));
        await viewer.ReceiveAsync(new byte[100], Deadline);
        Assert.Equal("The machine does not run.", viewer.CloseStatusDescription);
    }

    [Theory]
    [InlineData(ConsoleKind.Serial)]
    [InlineData(ConsoleKind.Vnc)]
    public async Task The_agent_is_asked_for_the_console_that_the_ticket_is_for(ConsoleKind kind)
    {
        await using var agent = await TestAgent.Enrolled(console);
        await agent.Connect();
        await agent.Greet();
        using var viewer = await Viewer(Ticket(agent.Host, kind: kind).Path);
        Assert.Equal(kind, Assert.IsType<OpenConsole>((await agent.Receive<Command>()).Body).Kind);
    }

    [Fact]
    public async Task A_ticket_works_once_for_its_own_caller()
    {
        await using var agent = await TestAgent.Enrolled(console);
        await agent.Connect();
        await agent.Greet();
        var ticket = Ticket(agent.Host);
        using (await Viewer(ticket.Path)) await agent.Receive<Command>();
        await Assert.ThrowsAsync<WebSocketException>(() => Viewer(ticket.Path));
        var others = Ticket(agent.Host, new Principal(PrincipalKind.User, "somebody", "somebody"));
        await Assert.ThrowsAsync<WebSocketException>(() => Viewer(others.Path));
        await Assert.ThrowsAsync<WebSocketException>(() => Viewer("/consoles/made-up"));
    }

    [Fact]
    public async Task A_page_of_another_origin_gets_no_console()
    {
        await using var agent = await TestAgent.Enrolled(console);
        await Assert.ThrowsAsync<WebSocketException>(() => Viewer(Ticket(agent.Host).Path, "https://evil.example"));
    }

    [Fact]
    public async Task Without_a_session_of_the_host_the_viewer_is_told()
    {
        await using var agent = await TestAgent.Enrolled(console);
        using var viewer = await Viewer(Ticket(agent.Host).Path);
        await viewer.ReceiveAsync(new byte[100], Deadline);
        Assert.Contains("not connected", viewer.CloseStatusDescription);
    }

    [Fact]
    public async Task Another_hosts_agent_cannot_join_a_console()
    {
        await using var agent = await TestAgent.Enrolled(console);
        await agent.Connect();
        await agent.Greet();
        await using var other = await TestAgent.Enrolled(console);
        using var viewer = await Viewer(Ticket(agent.Host).Path);
        var command = await agent.Receive<Command>();
        await Assert.ThrowsAsync<WebSocketException>(() => Serial(other, ((OpenConsole)command.Body).ConsoleId));
    }

    [Fact]
    public async Task A_console_closes_with_the_reason_when_the_viewers_role_is_taken_away()
    {
        await using var agent = await TestAgent.Enrolled(console);
        await agent.Connect();
        await agent.Greet();
        var access = console.App.Services.GetRequiredService<IAccess>();
        var invited = (await access.Invite(Caller.System, new InviteUser("looker", "project-member", Project: "default"), Deadline)).Value!;
        var store = console.App.Services.GetRequiredService<IConsoleStore>();
        var vm = await store.Write(scope =>
        {
            var row = Sample.Vm(scope.Now, "looked-at");
            scope.Db.Add(row);
            return Task.FromResult(row.Id);
        });
        var ticket = console.App.Services.GetRequiredService<IConsoleBroker>().Issue(new Principal(PrincipalKind.User, invited.User.Id.ToString(), "looker"), vm, agent.Host, ConsoleKind.Serial);
        var cookies = new System.Net.CookieContainer();
        using (var browser = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, CookieContainer = cookies }) { BaseAddress = console.Portal })
            await browser.PostAsync("/sign-in", new FormUrlEncodedContent([new("link", invited.Path)]));
        using var viewer = await Viewer(ticket.Path, cookies: cookies.GetCookieHeader(console.Portal));
        var command = await agent.Receive<Command>();
        using var serial = await Serial(agent, Assert.IsType<OpenConsole>(command.Body).ConsoleId);
        await agent.Send(new CommandResult(agent.Epoch, command.Id, true, ""));
        await serial.SendAsync("login: "u8.ToArray(), WebSocketMessageType.Binary, true, Deadline);
        Assert.Equal("login: ", await Read(viewer));

        var binding = (await access.Bindings(Caller.System, new BindingQuery(Subject: "looker"), Deadline)).Value!.Single();
        Assert.True((await access.Unbind(Caller.System, binding.Id, Deadline)).Succeeded);
        Assert.Equal(WebSocketMessageType.Close, (await viewer.ReceiveAsync(new byte[100], Deadline)).MessageType);
        Assert.Equal("This needs vm.console on project default; you have no role there.", viewer.CloseStatusDescription);
    }

    private async Task<ClientWebSocket> Viewer(string path, string? origin = null, string? cookies = null)
    {
        using var http = await console.Client();
        var socket = new ClientWebSocket();
        if (cookies is null) socket.Options.SetRequestHeader("Authorization", http.DefaultRequestHeaders.Authorization!.ToString());
        else socket.Options.SetRequestHeader("Cookie", cookies);
        if (origin is not null) socket.Options.SetRequestHeader("Origin", origin);
        await socket.ConnectAsync(new Uri(console.Listeners.PortalUrl.Replace("http://", "ws://", StringComparison.Ordinal) + path), Deadline);
        return socket;
    }

    private async Task<ClientWebSocket> Serial(TestAgent agent, string id)
    {
        var socket = new ClientWebSocket();
        socket.Options.RemoteCertificateValidationCallback = agent.Trusted;
        socket.Options.ClientCertificates = [agent.Certificate];
        await socket.ConnectAsync(new Uri(console.Listeners.HubUrl.Replace("https://", "wss://", StringComparison.Ordinal) + HubNames.ConsoleRoute + id), Deadline);
        return socket;
    }

    private static async Task<string> Read(WebSocket socket)
    {
        var buffer = new byte[1000];
        var received = await socket.ReceiveAsync(buffer, Deadline);
        Assert.Equal(WebSocketMessageType.Binary, received.MessageType);
        return Encoding.UTF8.GetString(buffer, 0, received.Count);
    }
}
