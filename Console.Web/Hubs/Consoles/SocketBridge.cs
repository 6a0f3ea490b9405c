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

    /// <param name="over">Completes with a sentence when the viewer may not look any longer.</param>
    public static async Task Run(WebSocket browser, WebSocket agent, Task<string> over, CancellationToken stop)
    {
        // Not linked to stop: a cancelled receive aborts its socket, and the reason could not be told any more.
        using var either = new CancellationTokenSource();
        var stopped = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registration = stop.Register(() => stopped.TrySetResult());
        var toAgent = Copy(browser, agent, either.Token);
        var toBrowser = Copy(agent, browser, either.Token);
        var first = await Task.WhenAny(toAgent, toBrowser, stopped.Task, over);
        var reason = first == over ? await over
            : stop.IsCancellationRequested ? "Plinth is being stopped; open the console again in a moment."
            : first == toAgent ? "The viewer has left." : await toBrowser ?? "The host has closed the console: the machine was switched off or the agent restarted.";
        await Task.WhenAll(Say(browser, reason), Say(agent, reason));
        // The copying goes on until both ends have answered the close: cut off before, the reason would be lost on the way.
        var both = Task.WhenAll(toAgent, toBrowser);
        await Task.WhenAny(both, Task.Delay(CloseTimeout, CancellationToken.None));
        await either.CancelAsync();
        await both;
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

    /// <summary>Closes a socket that nothing was copied from, and waits a little for the other end's answer.</summary>
    public static async Task Close(WebSocket socket, string reason)
    {
        await Say(socket, reason);
        using var limit = new CancellationTokenSource(CloseTimeout);
        var buffer = new byte[BufferBytes];
        try
        {
            while (socket.State is WebSocketState.CloseSent && (await socket.ReceiveAsync(buffer.AsMemory(), limit.Token)).MessageType != WebSocketMessageType.Close)
            {
            }
        }
        catch (Exception e) when (e is WebSocketException or OperationCanceledException or IOException or ObjectDisposedException)
        {
            // It left without a word.
        }
    }

    private static async Task Say(WebSocket socket, string reason)
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
