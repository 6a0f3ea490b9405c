using System.Collections;
using System.Reflection;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http.Metadata;
using Plinth.Core.Primitives;

namespace Plinth.Web.Api;

/// <summary>The JSON body of a request. One that cannot be read is refused with the field that is wrong and what it should be.</summary>
internal sealed class JsonBody<T>(T value) : IEndpointParameterMetadataProvider where T : class
{
    public T Value { get; } = value;

    public static async ValueTask<JsonBody<T>> BindAsync(HttpContext context)
    {
        var request = context.Request;
        // Nothing sent is an empty object: requests whose every field is optional need no body.
        if (request.ContentLength is 0 || (request.ContentLength is null && request.ContentType is null && !request.Headers.ContainsKey("Transfer-Encoding"))) return Parse("{}"u8.ToArray());
        if (!request.HasJsonContentType()) throw new BadHttpRequestException("Send the body as application/json.", StatusCodes.Status415UnsupportedMediaType);
        using var buffer = new MemoryStream();
        await request.Body.CopyToAsync(buffer, context.RequestAborted);
        return Parse(buffer.Length == 0 ? "{}"u8.ToArray() : buffer.ToArray());
    }

    public static void PopulateMetadata(ParameterInfo parameter, EndpointBuilder builder) => builder.Metadata.Add(new AcceptsJson(typeof(T)));

    private static JsonBody<T> Parse(byte[] bytes)
    {
        try
        {
            return new JsonBody<T>(JsonSerializer.Deserialize<T>(bytes, Json.Options) ?? throw BadInputException.At("", "bad_json", "The body is null; an object is expected."));
        }
        catch (JsonException e)
        {
            throw new BadInputException(Explain(e));
        }
        catch (Exception e) when (e is InvalidOperationException or DecoderFallbackException)
        {
            throw BadInputException.At("", "bad_json", "The body holds text that is not valid Unicode.");
        }
    }

    private static Refusal Explain(JsonException e)
    {
        var path = e.Path is { Length: > 2 } p && p.StartsWith("$.", StringComparison.Ordinal) ? p[2..] : e.Path is { } q && q.StartsWith("$[", StringComparison.Ordinal) ? q[1..] : "";
        if (e.Message.Contains("could not be mapped", StringComparison.Ordinal))
            return Refusal.Invalid(Shown(path), "unknown_field", $"There is no field {Shown(path)}; known are: {string.Join(", ", Fields())}.");
        if (e.Message.Contains("uplicate", StringComparison.Ordinal)) return Refusal.Invalid(Shown(path), "duplicate_field", $"The field {Shown(path)} is given twice.");
        if (path.Length > 0 && e.Message.Contains("could not be converted", StringComparison.Ordinal))
            return Refusal.Invalid(Shown(path), "wrong_type", $"{Shown(path)} is not {Expected(path)}.");
        var where = e.LineNumber is { } line ? $" (line {line + 1}, byte {e.BytePositionInLine + 1})" : "";
        return Refusal.Invalid(Shown(path), "bad_json", path.Length == 0 && e.Path == "$" && e.Message.Contains("could not be converted", StringComparison.Ordinal)
            ? "The body is not a JSON object."
            : $"The body is not well-formed JSON{where}.");
    }

    private static IEnumerable<string> Fields() => typeof(T).GetProperties(BindingFlags.Public | BindingFlags.Instance).Select(p => JsonNamingPolicy.CamelCase.ConvertName(p.Name));

    private static string Expected(string path)
    {
        var name = path.Split('.', '[')[0];
        var type = typeof(T).GetProperties().FirstOrDefault(p => JsonNamingPolicy.CamelCase.ConvertName(p.Name) == name)?.PropertyType;
        if (type is null) return "of the expected type";
        var inner = path.Length > name.Length;
        return (Nullable.GetUnderlyingType(type) ?? type) switch
        {
            var t when inner && t != typeof(string) => "text",
            var t when t == typeof(string) => "text",
            var t when t == typeof(long) || t == typeof(int) => "a whole number",
            var t when t == typeof(bool) => "true or false",
            var t when t.IsGenericType && t.Name.StartsWith("IReadOnlyDictionary", StringComparison.Ordinal) => "an object of texts",
            var t when typeof(IEnumerable).IsAssignableFrom(t) => "a list of texts",
            _ => "of the expected type",
        };
    }

    /// <summary>Names are the sender's text: bounded, and without what would disturb a log or a terminal.</summary>
    private static string Shown(string path) => string.Concat((path.Length > 80 ? path[..80] + "…" : path).Select(c => char.IsControl(c) ? '?' : c));

    private sealed record AcceptsJson(Type RequestType) : IAcceptsMetadata
    {
        Type? IAcceptsMetadata.RequestType => RequestType;
        public IReadOnlyList<string> ContentTypes { get; } = ["application/json"];
        public bool IsOptional => false;
    }
}
