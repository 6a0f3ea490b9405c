using System.Net.WebSockets;
using System.Text;

namespace Plinth.EndToEnd.Tests.Lab;

/// <summary>A person at the serial console: what was printed, and typing.</summary>
public sealed class SerialConsole : IAsyncDisposable
{
    private readonly ClientWebSocket _socket = new();
    private readonly StringBuilder _text = new();
    private readonly CancellationTokenSource _stop = new();
    private Task _reader = Task.CompletedTask;

    public string Text
    {
        get { lock (_text) return _text.ToString(); }
    }

    public static async Task<SerialConsole> Open(Fleet fleet, string vm)
    {
        var ticket = await fleet.Console.Post($"projects/default/vms/{vm}/console");
        var console = new SerialConsole();
        console._socket.Options.SetRequestHeader("Authorization", fleet.Console.Http.DefaultRequestHeaders.Authorization!.ToString());
        console._socket.Options.SetRequestHeader("Origin", fleet.Console.Http.BaseAddress!.GetLeftPart(UriPartial.Authority));
        var uri = new UriBuilder(fleet.Console.Http.BaseAddress!) { Scheme = "ws", Path = ticket.GetProperty("path").GetString() }.Uri;
        using var invoker = new HttpMessageInvoker(Netns.Handler(fleet.Host.Netns));
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        await console._socket.ConnectAsync(uri, invoker, deadline.Token);
        console._reader = console.Read();
        return console;
    }

    public async Task Type(string text) =>
        await _socket.SendAsync(Encoding.UTF8.GetBytes(text), WebSocketMessageType.Binary, true, _stop.Token);

    public async Task See(string text, TimeSpan? deadline = null)
    {
        try
        {
            await Wait.Until($"'{text}' on the serial console", () => Task.FromResult(Text.Contains(text, StringComparison.Ordinal)), deadline);
        }
        catch (TimeoutException e)
        {
            throw new TimeoutException($"{e.Message}; it shows:\n{Text}", e);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _reader;
        _socket.Dispose();
        _stop.Dispose();
    }

    private async Task Read()
    {
        var buffer = new byte[16 * 1024];
        try
        {
            while (true)
            {
                var got = await _socket.ReceiveAsync(buffer, _stop.Token);
                if (got.MessageType == WebSocketMessageType.Close) return;
                lock (_text) _text.Append(Encoding.UTF8.GetString(buffer, 0, got.Count));
            }
        }
        catch (Exception e) when (e is OperationCanceledException or WebSocketException)
        {
            // The test is over, or the console went away: what was seen is what is judged.
        }
    }
}
