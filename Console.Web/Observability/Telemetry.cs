using System.Diagnostics;
using System.Diagnostics.Metrics;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;
using Plinth.Web.Hubs;
using Plinth.Web.Options;

namespace Plinth.Web.Observability;

/// <summary>Traces and metrics in OpenTelemetry's terms, <c>/metrics</c> in Prometheus text. Neither carries tenant data: no names, no ids of VMs.</summary>
public static class Telemetry
{
    /// <summary>Meters and activity sources of the console have this name.</summary>
    public const string Name = "Plinth";

    public static void AddTelemetry(this WebApplicationBuilder builder, TelemetryOptions options)
    {
        builder.Services.AddSingleton<AgentMeter>();
        // The exporters read OpenTelemetry's own variables (protocol, headers, intervals); the console's setting becomes one of them.
        if (options.OtlpEndpoint is { } endpoint) builder.Configuration[TelemetryOptions.StandardEndpointKey] = endpoint.OriginalString;
        var telemetry = builder.Services.AddOpenTelemetry()
            .ConfigureResource(r => r.AddService("plinth", serviceVersion: typeof(Telemetry).Assembly.GetName().Version?.ToString(3)))
            .WithMetrics(m =>
            {
                m.AddAspNetCoreInstrumentation().AddRuntimeInstrumentation().AddMeter(Name).AddPrometheusExporter();
                if (options.OtlpEndpoint is not null) m.AddOtlpExporter();
            });
        if (options.OtlpEndpoint is not null)
            telemetry.WithTracing(t => t.AddAspNetCoreInstrumentation().AddSource(Name).AddProcessor(new WithoutAddresses()).AddOtlpExporter());
    }

    /// <summary>Paths hold names, ids of VMs and console tickets; the route, which says as much about the request, stays.</summary>
    private sealed class WithoutAddresses : BaseProcessor<Activity>
    {
        public override void OnEnd(Activity data)
        {
            data.SetTag("url.path", null);
            data.SetTag("url.query", null);
        }
    }
}

/// <summary>How many agents are connected, and how much they tell.</summary>
public sealed class AgentMeter : IDisposable
{
    private readonly Meter _meter = new(Telemetry.Name);

    public AgentMeter(AgentSessions sessions)
    {
        _meter.CreateObservableGauge("plinth.agents.connected", () => sessions.Count, "{agent}", "Agents with a session in force.");
        _meter.CreateObservableCounter("plinth.agents.reports", () => sessions.Reports, "{report}", "Reports of agents that were taken in.");
    }

    public void Dispose() => _meter.Dispose();
}
