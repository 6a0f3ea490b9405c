using System.Diagnostics.Metrics;
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

    public static void AddTelemetry(this IServiceCollection services, TelemetryOptions options)
    {
        services.AddSingleton<AgentMeter>();
        var telemetry = services.AddOpenTelemetry()
            .ConfigureResource(r => r.AddService("plinth", serviceVersion: typeof(Telemetry).Assembly.GetName().Version?.ToString(3)))
            .WithMetrics(m =>
            {
                m.AddAspNetCoreInstrumentation().AddRuntimeInstrumentation().AddMeter(Name).AddPrometheusExporter();
                if (options.OtlpEndpoint is { } endpoint) m.AddOtlpExporter(o => o.Endpoint = endpoint);
            });
        if (options.OtlpEndpoint is { } traces)
            telemetry.WithTracing(t => t.AddAspNetCoreInstrumentation().AddSource(Name).AddOtlpExporter(o => o.Endpoint = traces));
    }
}

/// <summary>How many agents are connected.</summary>
public sealed class AgentMeter : IDisposable
{
    private readonly Meter _meter = new(Telemetry.Name);

    public AgentMeter(AgentSessions sessions) =>
        _meter.CreateObservableGauge("plinth.agents.connected", () => sessions.Count, "{agent}", "Agents with a session in force.");

    public void Dispose() => _meter.Dispose();
}
