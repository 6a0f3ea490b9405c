using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Plinth.Core.Primitives;
using Plinth.Web.Application;
using Plinth.Web.Tests.Serving;

namespace Plinth.Web.Tests.Api;

[Collection(ServedConsoleCollection.Name)]
public sealed class WatchTests(ServedConsole console)
{
    [Fact]
    public async Task A_joined_host_arrives_as_an_event_with_its_version()
    {
        using var client = await console.Client();
        using var answer = await client.GetAsync("/api/v1/hosts/watch", HttpCompletionOption.ResponseHeadersRead);
        Assert.Equal("text/event-stream", answer.Content.Headers.ContentType?.MediaType);
        using var lines = new StreamReader(await answer.Content.ReadAsStreamAsync());
        var tokens = console.App.Services.GetRequiredService<IJoinTokenIssuer>();
        var registry = console.App.Services.GetRequiredService<IHostRegistry>();
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        // The stream has begun when its first line has come: nothing after that is missed.
        await lines.ReadLineAsync(deadline.Token);
        var host = await registry.Enrol((await tokens.Reissue("watched", 1, TimeSpan.FromMinutes(5), default))[0], "watched", "machine-" + Guid.NewGuid(), true, DateTimeOffset.UtcNow.AddHours(1), null, default);
        Assert.True(host.Succeeded, host.Reason);
        string? id = null;
        while (await lines.ReadLineAsync(deadline.Token) is { } line)
        {
            if (line.StartsWith("id: ", StringComparison.Ordinal)) id = line[4..];
            if (!line.StartsWith("data: ", StringComparison.Ordinal)) continue;
            var data = JsonDocument.Parse(line[6..]).RootElement;
            if (data.GetProperty("id").GetGuid() != host.Value.Value) continue;
            Assert.True(long.Parse(id!) > 0);
            Assert.Equal("enrolling", data.GetProperty("state").GetString());
            return;
        }
        Assert.Fail("the stream ended");
    }

    [Fact]
    public async Task A_reader_that_comes_back_is_told_to_read_anew()
    {
        using var client = await console.Client();
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/v1/operations/watch");
        request.Headers.Add("Last-Event-ID", "1");
        using var answer = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        using var lines = new StreamReader(await answer.Content.ReadAsStreamAsync());
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        while (await lines.ReadLineAsync(deadline.Token) is { } line)
            if (line == "event: reset") return;
        Assert.Fail("the stream ended");
    }
}
