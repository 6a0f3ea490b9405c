using System.Collections.Concurrent;
using System.Net;
using System.Text;
using Plinth.EndToEnd.Tests.Lab;

namespace Plinth.EndToEnd.Tests;

/// <summary>Traces and metrics, sent to a collector as OpenTelemetry's own variables say.</summary>
public sealed class TelemetryExportTests
{
    [Theory]
    [InlineData("OTEL_EXPORTER_OTLP_ENDPOINT", 18760)]
    [InlineData("Plinth__Telemetry__OtlpEndpoint", 18764)]
    public async Task A_collector_receives_traces_and_metrics_without_anything_of_tenants(string variable, int port)
    {
        await using var collector = new Collector(port + 3);
        await using var installation = new Installation(port);
        var settings = installation.Console.Settings;
        settings[variable] = collector.Address;
        settings["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf";
        settings["OTEL_METRIC_EXPORT_INTERVAL"] = "500";
        settings["OTEL_BSP_SCHEDULE_DELAY"] = "200";
        await installation.Start();
        var (vm, create) = await installation.Create("name-of-a-tenant");
        await installation.Succeeds(create);
        await installation.StateOf(vm);

        await Wait.Until("the trace of a request", () => Task.FromResult(collector.Received("/v1/traces").Contains("/api/v1/projects/{project}/vms/{vm}", StringComparison.Ordinal)), TimeSpan.FromSeconds(30));
        await Wait.Until("a metric of the console", () => Task.FromResult(collector.Received("/v1/metrics").Contains("plinth.agents.connected", StringComparison.Ordinal)), TimeSpan.FromSeconds(30));
        Assert.All(collector.ContentTypes, type => Assert.Equal("application/x-protobuf", type));
        var everything = collector.Received("/v1/traces") + collector.Received("/v1/metrics");
        Assert.Contains("service.name", everything);
        Assert.DoesNotContain(vm, everything);
        Assert.DoesNotContain("projects/default", everything);
        Assert.DoesNotContain("name-of-a-tenant", everything);
    }

    /// <summary>Stands in for a collector: takes whatever is posted. Texts are plain in protobuf.</summary>
    private sealed class Collector : IAsyncDisposable
    {
        private readonly HttpListener _listener = new();
        private readonly ConcurrentQueue<(string Path, string? Type, string Body)> _requests = new();
        private readonly Task _serving;

        public Collector(int port)
        {
            Address = $"http://127.0.0.1:{port}";
            _listener.Prefixes.Add(Address + "/");
            _listener.Start();
            _serving = Serve();
        }

        public string Address { get; }
        public IEnumerable<string?> ContentTypes => _requests.Select(r => r.Type);

        public string Received(string path) => string.Concat(_requests.Where(r => r.Path == path).Select(r => r.Body));

        private async Task Serve()
        {
            try
            {
                while (true)
                {
                    var context = await _listener.GetContextAsync();
                    using var body = new MemoryStream();
                    await context.Request.InputStream.CopyToAsync(body);
                    _requests.Enqueue((context.Request.Url!.AbsolutePath, context.Request.ContentType, Encoding.Latin1.GetString(body.ToArray())));
                    context.Response.Close();
                }
            }
            catch (Exception e) when (e is HttpListenerException or ObjectDisposedException)
            {
                // Stopped.
            }
        }

        public async ValueTask DisposeAsync()
        {
            _listener.Close();
            await _serving;
        }
    }
}
