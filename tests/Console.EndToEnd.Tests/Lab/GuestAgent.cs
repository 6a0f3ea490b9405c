using System.Net.Sockets;
using System.Text;
using System.Text.Json;

namespace Plinth.EndToEnd.Tests.Lab;

/// <summary>The QEMU guest agent of a machine: one JSON object per line in either direction.</summary>
public sealed class GuestAgent : IAsyncDisposable
{
    private static readonly TimeSpan BootDeadline = TimeSpan.FromMinutes(6), AnswerDeadline = TimeSpan.FromMinutes(2);

    private readonly Socket _socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private readonly StreamReader _reader;
    private readonly StreamWriter _writer;

    private GuestAgent(string path)
    {
        _socket.Connect(new UnixDomainSocketEndPoint(path));
        var stream = new NetworkStream(_socket);
        (_reader, _writer) = (new StreamReader(stream), new StreamWriter(stream) { AutoFlush = true, NewLine = "\n" });
    }

    /// <summary>Waits until the machine has booted so far that its agent answers.</summary>
    public static async Task<GuestAgent> Connect(string path)
    {
        await Wait.Until($"the socket {path}", () => Task.FromResult(File.Exists(path)));
        var agent = new GuestAgent(path);
        await agent.Ask("guest-ping", new { }, BootDeadline);
        return agent;
    }

    /// <summary>Exit code, and what was printed on standard output and error.</summary>
    public async Task<(int Code, string Text)> Run(string commands, TimeSpan deadline)
    {
        var started = await Ask("guest-exec", new Dictionary<string, object> { ["path"] = "/bin/sh", ["arg"] = new[] { "-c", $"exec 2>&1; {commands}" }, ["capture-output"] = true });
        var pid = started.GetProperty("pid").GetInt64();
        JsonElement status = default;
        await Wait.Until($"the end of '{commands}'", async () => (status = await Ask("guest-exec-status", new { pid })).GetProperty("exited").GetBoolean(), deadline);
        var text = status.TryGetProperty("out-data", out var output) ? Encoding.UTF8.GetString(output.GetBytesFromBase64()) : "";
        return (status.TryGetProperty("exitcode", out var code) ? code.GetInt32() : -1, text.TrimEnd());
    }

    private async Task<JsonElement> Ask(string command, object arguments, TimeSpan? deadline = null)
    {
        using var limit = new CancellationTokenSource(deadline ?? AnswerDeadline);
        await _writer.WriteLineAsync(JsonSerializer.Serialize(new { execute = command, arguments }).AsMemory(), limit.Token);
        var line = await _reader.ReadLineAsync(limit.Token) ?? throw new InvalidOperationException("the machine has ended");
        using var answer = JsonDocument.Parse(line);
        return answer.RootElement.TryGetProperty("return", out var value) ? value.Clone() : throw new InvalidOperationException($"{command}: {line}");
    }

    public ValueTask DisposeAsync()
    {
        _socket.Dispose();
        return ValueTask.CompletedTask;
    }
}
