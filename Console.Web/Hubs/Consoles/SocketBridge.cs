using System.Net.WebSockets;
using System.Text;

namespace Plinth.Web.Hubs.Consoles;

/// <summary>Copies bytes between two WebSockets until one ends, then closes the other and says why.</summary>
public static class SocketBridge
{
    /// <summary>One read of each direction; a slow reader slows its writer down, nothing is stored.</summary>
    private const int BufferBytes = 16 * 1024;
    private const int MaxReasonBytes = 123;     // RFC 6455 §5.5
    private static readonly TimeSpan CloseTimeout = TimeSpan.FromSeconds(2);

    public static async Task Run(WebSocket browser, WebSocket agent, CancellationToken stop)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var toAgent = Copy(browser, agent, either.Token);
        var toBrowser = Copy(agent, browser, either.Token);
        var first = await Task.WhenAny(toAgent, toBrowser);
        var reason = stop.IsCancellationRequested
            ? "Plinth is being stopped; open the console again in a moment."
            : first == toAgent ? "The viewer has left." : await toBrowser ?? "The host has closed the console: the machine was switched off or the agent restarted.";
        await Task.WhenAll(Close(browser, reason), Close(agent, reason));
        await either.CancelAsync();
        await Task.WhenAll(toAgent, toBrowser);
    }

    /// <summary>The close reason that the sender gave, if it closed with one.</summary>
    private static async Task<string?> Copy(WebSocket from, WebSocket to, CancellationToken stop)
    {
        var buffer = new byte[BufferBytes];
        try
        {
            while (true)
            {
                var received = await from.ReceiveAsync(buffer.AsMemory(), stop);
                if (received.MessageType == WebSocketMessageType.Close) return string.IsNullOrEmpty(from.CloseStatusDescription) ? null : from.CloseStatusDescription;
                // Terminals send what is typed as text; a serial line knows bytes only.
                await to.SendAsync(buffer.AsMemory(0, received.Count), WebSocketMessageType.Binary, true, stop);
            }
        }
        catch (Exception e) when (e is WebSocketException or OperationCanceledException or IOException or ObjectDisposedException or InvalidOperationException)
        {
            // A connection that breaks ends the console; which of the two broke is in the reason that the caller gives.
            return null;
        }
    }

    public static async Task Close(WebSocket socket, string reason)
    {
        if (socket.State is not (WebSocketState.Open or WebSocketState.CloseReceived)) return;
        using var limit = new CancellationTokenSource(CloseTimeout);
        try
        {
            await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, Short(reason), limit.Token);
        }
        catch (Exception e) when (e is WebSocketException or OperationCanceledException or IOException or ObjectDisposedException)
        {
            socket.Abort();
        }
    }

    private static string Short(string reason)
    {
        while (Encoding.UTF8.GetByteCount(reason) > MaxReasonBytes) reason = reason[..^Math.Max(1, (reason.Length - MaxReasonBytes + 1) / 2)];
        return reason;
    }
}
