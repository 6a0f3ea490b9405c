using System.Net.WebSockets;
using Plinth.Agents.Machines;
using Plinth.Agents.Session;
using Plinth.Core.Machines;
using Plinth.Core.Primitives;
using Plinth.Core.Protocol;

namespace Plinth.Agents.Consoles;

/// <summary>Joins consoles of VMs to sockets that the agent dials to the console, one socket per viewer.</summary>
internal sealed class ConsoleBridges(IHypervisor hypervisor, IdentityKeeper keeper, AgentLog log)
{
    // One read per direction; a slow viewer slows its own bridge down and nobody else.
    private const int BufferBytes = 16 * 1024;

    /// <summary>People look at a handful of consoles; more is a defect or an attack.</summary>
    public const int MaxOpen = 64;

    private static readonly TimeSpan DialTimeout = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan CloseTimeout = TimeSpan.FromSeconds(2);

    private int _open;

    /// <summary>Returns once the bridge stands; it then lives until either end goes, or <paramref name="stop"/>.</summary>
    /// <exception cref="HypervisorException">The VM is off, or the console could not be dialled.</exception>
    public async Task Open(VmId vm, ConsoleKind kind, string consoleId, CancellationToken stop)
    {
        if (Interlocked.Increment(ref _open) > MaxOpen)
        {
            Interlocked.Decrement(ref _open);
            throw new HypervisorException("too_many_consoles", $"{MaxOpen} consoles are open on this host; close one and try again.");
        }
        try
        {
            var machine = kind == ConsoleKind.Vnc ? await hypervisor.OpenVnc(vm, stop) : await hypervisor.OpenSerial(vm, stop);
            try
            {
                var socket = await Dial(consoleId, stop);
                _ = Task.Run(() => Run(vm, machine, socket, stop), CancellationToken.None);
            }
            catch
            {
                await machine.DisposeAsync();
                throw;
            }
        }
        catch
        {
            Interlocked.Decrement(ref _open);
            throw;
        }
    }

    private async Task<ClientWebSocket> Dial(string consoleId, CancellationToken stop)
    {
        var identity = keeper.Current;
        var pinned = new PinnedAuthority(identity.OpenAuthority());
        var socket = new ClientWebSocket();
        socket.Options.Proxy = null;
        socket.Options.ClientCertificates.Add(identity.OpenCertificate());
        socket.Options.RemoteCertificateValidationCallback = (_, certificate, _, errors) => pinned.Accepts(certificate, errors);
        // The viewer waits at the server that asked.
        var hub = keeper.Hub;
        var address = new UriBuilder(hub) { Scheme = "wss", Path = HubNames.ConsoleRoute + Uri.EscapeDataString(consoleId) }.Uri;
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
        limit.CancelAfter(DialTimeout);
        try
        {
            await socket.ConnectAsync(address, limit.Token);
            return socket;
        }
        catch (Exception e) when (e is WebSocketException or HttpRequestException || e is OperationCanceledException && !stop.IsCancellationRequested)
        {
            socket.Dispose();
            throw new HypervisorException("console_dial", $"The console's socket could not be dialled: {ConsoleHttp.Cause(e)}. The viewer may have left; open it again.", cause: e);
        }
    }

    private async Task Run(VmId vm, Stream machine, ClientWebSocket socket, CancellationToken stop)
    {
        try
        {
            using var over = CancellationTokenSource.CreateLinkedTokenSource(stop);
            await using (machine)
            using (socket)
            {
                var output = Output(machine, socket, over.Token);
                var input = Input(socket, machine, over.Token);
                var first = await Task.WhenAny(output, input);
                var reason = stop.IsCancellationRequested ? "The agent is being stopped." : first == output ? "The machine was switched off, or its console closed." : "The viewer has left.";
                await Close(socket, reason);
                await over.CancelAsync();
                await Task.WhenAll(output, input);
            }
        }
        catch (Exception e)
        {
            log.Fault($"console of VM {vm}", e);
        }
        finally
        {
            Interlocked.Decrement(ref _open);
        }
    }

    private static async Task Output(Stream machine, ClientWebSocket socket, CancellationToken stop)
    {
        var buffer = new byte[BufferBytes];
        try
        {
            int read;
            while ((read = await machine.ReadAsync(buffer, stop)) > 0)
                await socket.SendAsync(buffer.AsMemory(0, read), WebSocketMessageType.Binary, endOfMessage: true, stop);
        }
        catch (Exception e) when (Ends(e))
        {
        }
    }

    private static async Task Input(ClientWebSocket socket, Stream machine, CancellationToken stop)
    {
        var buffer = new byte[BufferBytes];
        try
        {
            while (true)
            {
                var received = await socket.ReceiveAsync(buffer.AsMemory(), stop);
                if (received.MessageType == WebSocketMessageType.Close) return;
                await machine.WriteAsync(buffer.AsMemory(0, received.Count), stop);
                await machine.FlushAsync(stop);
            }
        }
        catch (Exception e) when (Ends(e))
        {
        }
    }

    private static async Task Close(ClientWebSocket socket, string reason)
    {
        if (socket.State is not (WebSocketState.Open or WebSocketState.CloseReceived)) return;
        using var limit = new CancellationTokenSource(CloseTimeout);
        try
        {
            await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, reason, limit.Token);
        }
        catch (Exception e) when (Ends(e))
        {
        }
    }

    // A broken connection on either side is an ordinary end of a console.
    private static bool Ends(Exception e) => e is WebSocketException or OperationCanceledException or IOException or ObjectDisposedException or InvalidOperationException or HypervisorException;
}
