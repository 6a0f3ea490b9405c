using System.Text.Json;
using Microsoft.AspNetCore.WebUtilities;
using Plinth.Core.Primitives;

namespace Plinth.Web.Api;

/// <summary>RFC 9457 problem details, the one form of every "no" of the API.</summary>
/// <param name="Code">Stable; programs decide by it.</param>
/// <param name="Errors">Every refusal at once; <c>field</c> is a JSON path, a query parameter or a header.</param>
public sealed record Problem(string Type, string Title, int Status, string Detail, string Code, IReadOnlyList<ProblemError> Errors, string? TraceId);

public sealed record ProblemError(string? Field, string Code, string Message);

/// <summary>The input could not even be read; carries what to answer. Thrown while a request is bound, never by a use case.</summary>
public sealed class BadInputException(params IReadOnlyList<Refusal> refusals) : Exception(string.Join(" ", refusals.Select(r => r.Message)))
{
    public IReadOnlyList<Refusal> Refusals { get; } = refusals;

    public static BadInputException At(string field, string code, string message) => new(Refusal.Invalid(field, code, message));
}

/// <summary>Maps refusals to HTTP, here and nowhere else.</summary>
public static class Problems
{
    public const string ContentType = "application/problem+json";

    public static int Status(RefusalKind kind) => kind switch
    {
        RefusalKind.Invalid => StatusCodes.Status400BadRequest,
        RefusalKind.NotFound => StatusCodes.Status404NotFound,
        RefusalKind.Conflict => StatusCodes.Status409Conflict,
        RefusalKind.Forbidden => StatusCodes.Status403Forbidden,
        RefusalKind.Stale => StatusCodes.Status412PreconditionFailed,
        RefusalKind.NoCapacity => StatusCodes.Status409Conflict,
        RefusalKind.Unavailable => StatusCodes.Status503ServiceUnavailable,
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, null),
    };

    /// <summary>What hides the most comes first: who may not see a thing does not learn what else is wrong with the request.</summary>
    private static int Rank(RefusalKind kind) => kind switch
    {
        RefusalKind.Forbidden => 0,
        RefusalKind.NotFound => 1,
        RefusalKind.Invalid => 2,
        RefusalKind.Stale => 3,
        RefusalKind.Conflict => 4,
        RefusalKind.NoCapacity => 5,
        _ => 6,
    };

    public static Problem From(HttpContext context, IReadOnlyList<Refusal> refusals)
    {
        // A field that names something unknown is wrong input, not a missing resource.
        var kinds = refusals.Select(r => r is { Kind: RefusalKind.NotFound, Field: not null } ? RefusalKind.Invalid : r.Kind);
        var kind = kinds.OrderBy(Rank).First();
        var status = Status(kind);
        return new Problem("about:blank", ReasonPhrases.GetReasonPhrase(status), status, string.Join(" ", refusals.Select(r => r.Message)), refusals[0].Code,
            refusals.Select(r => new ProblemError(r.Field, r.Code, r.Message)).ToList(), TraceId(context));
    }

    public static IResult Result(IReadOnlyList<Refusal> refusals) => new ProblemResult(refusals);

    public static Task Write(HttpContext context, int status, string code, string detail) =>
        Write(context, new Problem("about:blank", ReasonPhrases.GetReasonPhrase(status), status, detail, code, [new ProblemError(null, code, detail)], TraceId(context)));

    public static Task Write(HttpContext context, Problem problem)
    {
        context.Response.StatusCode = problem.Status;
        if (problem.Status == StatusCodes.Status503ServiceUnavailable) context.Response.Headers.RetryAfter = "2";
        return context.Response.WriteAsJsonAsync(problem, Json.Options, ContentType, context.RequestAborted);
    }

    private static string? TraceId(HttpContext context) => System.Diagnostics.Activity.Current?.TraceId.ToString() ?? context.TraceIdentifier;

    private sealed class ProblemResult(IReadOnlyList<Refusal> refusals) : IResult
    {
        public Task ExecuteAsync(HttpContext httpContext) => Write(httpContext, From(httpContext, refusals));
    }
}

/// <summary>The API's JSON.</summary>
public static class Json
{
    public static JsonSerializerOptions Options { get; } = Configure(new JsonSerializerOptions(JsonSerializerDefaults.Web));

    public static JsonSerializerOptions Configure(JsonSerializerOptions options)
    {
        options.Converters.Add(new System.Text.Json.Serialization.JsonStringEnumConverter(JsonNamingPolicy.KebabCaseLower, allowIntegerValues: false));
        // A misspelt or doubled field would otherwise be ignored, and the caller believe that it was heard.
        options.UnmappedMemberHandling = System.Text.Json.Serialization.JsonUnmappedMemberHandling.Disallow;
        options.AllowDuplicateProperties = false;
        options.NumberHandling = System.Text.Json.Serialization.JsonNumberHandling.Strict;
        options.PropertyNameCaseInsensitive = false;
        options.MaxDepth = 16;
        // Sentences stay readable. Answers are application/json and never sniffed, so nothing in them is taken for markup.
        options.Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping;
        return options;
    }
}
