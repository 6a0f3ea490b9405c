using System.Text.Json;
using Plinth.EndToEnd.Tests.Lab;

namespace Plinth.EndToEnd.Tests;

/// <summary>Server-sent events of a running installation.</summary>
public sealed class WatchTests
{
    [Fact]
    public async Task A_watcher_sees_a_vm_change_and_after_an_absence_is_told_to_read_anew()
    {
        await using var installation = new Installation(18720);
        var console = installation.Console;
        await installation.Start();
        string vm, last;
        await using (var watching = await Stream.Open(console, null))
        {
            (vm, _) = await installation.Create("watched");
            var running = await watching.Next(e => e.Is(vm) && e.Data.GetProperty("state").GetString() == "running");
            last = running.Id!;
        }
        var (gone, create) = await installation.Create("while-away");
        await installation.Succeeds(create);

        await using var back = await Stream.Open(console, last);
        Assert.Equal("reset", (await back.Next(_ => true)).Name);
        await console.Delete($"projects/default/vms/{vm}?atOnce=true");
        var deleted = await back.Next(e => e.Is(vm) && e.Data.TryGetProperty("deleted", out var yes) && yes.GetBoolean());
        Assert.True(long.Parse(deleted.Id!) > long.Parse(last), $"{deleted.Id} after {last}");
        Assert.Equal("running", await installation.StateOf(gone));
    }

    private sealed record Event(string Name, string? Id, JsonElement Data)
    {
        public bool Is(string resource) => Data.TryGetProperty("id", out var id) && id.GetString() == resource;
    }

    private sealed class Stream(HttpResponseMessage answer, StreamReader lines) : IAsyncDisposable
    {
        private readonly CancellationTokenSource _deadline = new(TimeSpan.FromMinutes(1));

        public static async Task<Stream> Open(PlinthConsole console, string? lastEventId)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "/api/v1/projects/default/vms/watch");
            if (lastEventId is not null) request.Headers.Add("Last-Event-ID", lastEventId);
            var answer = await console.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
            Assert.Equal("text/event-stream", answer.Content.Headers.ContentType?.MediaType);
            var stream = new Stream(answer, new StreamReader(await answer.Content.ReadAsStreamAsync()));
            // Its first lines say that the stream has begun: nothing after them is missed.
            Assert.Equal("retry: 2000", await stream.Line());
            Assert.Equal("", await stream.Line());
            return stream;
        }

        public async Task<Event> Next(Func<Event, bool> wanted)
        {
            while (true)
            {
                var (name, id, data) = ("message", (string?)null, "");
                for (var line = await Line(); line.Length > 0; line = await Line())
                {
                    if (line.StartsWith("event: ", StringComparison.Ordinal)) name = line[7..];
                    if (line.StartsWith("id: ", StringComparison.Ordinal)) id = line[4..];
                    if (line.StartsWith("data: ", StringComparison.Ordinal)) data = line[6..];
                }
                if (data.Length == 0) continue;     // a heartbeat
                var seen = new Event(name, id, JsonDocument.Parse(data).RootElement);
                if (wanted(seen)) return seen;
            }
        }

        private async Task<string> Line() => await lines.ReadLineAsync(_deadline.Token) ?? throw new InvalidOperationException("the stream ended");

        public ValueTask DisposeAsync()
        {
            lines.Dispose();
            answer.Dispose();
            _deadline.Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
