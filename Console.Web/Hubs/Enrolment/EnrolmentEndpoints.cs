using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Plinth.Core.Primitives;
using Plinth.Core.Protocol;
using Plinth.Web.Application;
using Plinth.Web.Application.Servers;
using Plinth.Web.Listeners;
using Plinth.Web.Options;
using Plinth.Web.Security.Agents;
using Plinth.Web.Security.Certificates;

namespace Plinth.Web.Hubs.Enrolment;

/// <summary>How an agent gets its certificate (enrolment listener) and the next one (agent listener).</summary>
public static class EnrolmentEndpoints
{
    private const int MaxTextLength = 255;

    public static void MapEnrolment(this WebApplication app)
    {
        app.MapGet(HubNames.CertificateAuthorityRoute, (CertificateAuthority authority) => Results.Text(authority.Pem, "application/x-pem-file"))
            .ServedOn(ListenerKind.Enrolment).AllowAnonymous().ExcludeFromDescription();
        app.MapGet(HubNames.AgentRoute, (ConsoleOptions options) => options.Agents.Executable is { } file
                ? Results.File(Path.GetFullPath(file), "application/octet-stream", enableRangeProcessing: true)
                : (IResult)Problem(StatusCodes.Status404NotFound, "no_agent_executable", "This console hands out no agent; copy plinth-agent to the machine. (Plinth:Agents:Executable names the file to hand out.)"))
            .ServedOn(ListenerKind.Enrolment).AllowAnonymous().ExcludeFromDescription();
        app.MapPost(HubNames.EnrolRoute, Enrol).ServedOn(ListenerKind.Enrolment).AllowAnonymous().ExcludeFromDescription();
        app.MapPost(HubNames.RenewRoute, Renew).ServedOn(ListenerKind.AgentHub).RequireAuthorization(AgentAuthentication.Policy).ExcludeFromDescription();
    }

    private static async Task<Results<JsonHttpResult<EnrolReply>, ProblemHttpResult>> Enrol(
        HttpContext context, [FromServices] IHostRegistry registry, CertificateAuthority authority, KestrelListeners listeners, ILeadership leadership, ConsoleOptions options, EnrolmentThrottle throttle, TimeProvider clock, ILogger<EnrolmentThrottle> log)
    {
        var from = context.Connection.RemoteIpAddress?.ToString();
        if (!throttle.MayTry(from)) return Problem(StatusCodes.Status429TooManyRequests, "too_many_attempts", "Too many refused attempts from this address; wait a minute.");

        if (await Body(context, ProtocolJson.Default.EnrolRequest) is not { } request || Malformed(request))
            return Problem(StatusCodes.Status400BadRequest, "bad_request", "The request is not an enrolment request of this protocol version.");
        var now = clock.GetUtcNow();
        // The request is judged before the token is used up: a malformed one must not cost it. The host's id is not known yet.
        using (var judged = authority.IssueAgent(HostId.From(Guid.Empty), request.CertificateRequest, now, options.Agents.CertificateLifetime) is { Succeeded: true, Value: var trial } ? trial : null)
            if (judged is null) return Problem(StatusCodes.Status400BadRequest, "bad_certificate_request", "The certificate request is not a signed PKCS#10 request for an ECDSA key of at least 256 bits.");

        var enrolled = await registry.Enrol(request.Token, request.Hostname, request.MachineId, request.Simulated, now + options.Agents.CertificateLifetime, from, context.RequestAborted);
        if (!enrolled.Succeeded)
        {
            // One answer for unknown, used, expired and revoked tokens: a guesser learns nothing. The operator finds the reason here and in the audit log.
            throttle.Refused(from);
            log.LogWarning("Enrolment from {Address} as \"{Hostname}\" was refused: {Reason}", from, request.Hostname, enrolled.Reason);
            return Problem(StatusCodes.Status403Forbidden, "join_refused", "The join token is not accepted: it is unknown, used, expired or revoked. Make a new one on the console's Agents page.");
        }
        log.LogInformation("Host {Host} (\"{Hostname}\") has joined from {Address}.", enrolled.Value, request.Hostname, from);
        return Reply(authority, listeners, leadership, enrolled.Value, request.CertificateRequest, now, options.Agents.CertificateLifetime);
    }

    private static async Task<Results<JsonHttpResult<EnrolReply>, ProblemHttpResult>> Renew(
        HttpContext context, [FromServices] IHostRegistry registry, CertificateAuthority authority, KestrelListeners listeners, ILeadership leadership, ConsoleOptions options, TimeProvider clock)
    {
        if (await Body(context, ProtocolJson.Default.RenewRequest) is not { CertificateRequest: not null } request)
            return Problem(StatusCodes.Status400BadRequest, "bad_request", "The request is not a renewal request of this protocol version.");
        var host = context.User.Host();
        var now = clock.GetUtcNow();
        var reply = Reply(authority, listeners, leadership, host, request.CertificateRequest, now, options.Agents.CertificateLifetime);
        if (reply.Result is JsonHttpResult<EnrolReply>) await registry.CertificateRenewed(host, now + options.Agents.CertificateLifetime, context.RequestAborted);
        return reply;
    }

    private static Results<JsonHttpResult<EnrolReply>, ProblemHttpResult> Reply(CertificateAuthority authority, KestrelListeners listeners, ILeadership leadership, HostId host, string certificateRequest, DateTimeOffset now, TimeSpan lifetime)
    {
        var issued = authority.IssueAgent(host, certificateRequest, now, lifetime);
        if (!issued.Succeeded) return Problem(StatusCodes.Status400BadRequest, "bad_certificate_request", issued.Reason);
        using var certificate = issued.Value;
        return TypedResults.Json(new EnrolReply(host, certificate.ExportCertificatePem(), authority.Pem, listeners.HubUrl, leadership.Hubs), ProtocolJson.Default.EnrolReply);
    }

    private static bool Malformed(EnrolRequest r) =>
        r.Token is null or { Length: > MaxTextLength } || r.CertificateRequest is null
        || string.IsNullOrWhiteSpace(r.Hostname) || r.Hostname.Length > MaxTextLength || r.Hostname.Any(char.IsControl)
        || string.IsNullOrWhiteSpace(r.MachineId) || r.MachineId.Length > MaxTextLength || r.MachineId.Any(char.IsControl);

    private static async Task<T?> Body<T>(HttpContext context, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type) where T : class
    {
        if (!context.Request.HasJsonContentType()) return null;
        try
        {
            return await context.Request.ReadFromJsonAsync(type, context.RequestAborted);
        }
        catch (System.Text.Json.JsonException)
        {
            return null;
        }
    }

    private static ProblemHttpResult Problem(int status, string code, string detail) =>
        TypedResults.Problem(detail, statusCode: status, extensions: new Dictionary<string, object?> { ["code"] = code });
}
