using System.Text.Json;
using System.Text.Json.Serialization;

namespace Plinth.Web.Components.Data;

/// <summary>The request behind a form, as a command line that does the same.</summary>
public static class ApiCall
{
    // As the API reads it.
    private static readonly JsonSerializerOptions Body = new(Plinth.Web.Api.Json.Options) { WriteIndented = true, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull };

    /// <param name="origin">Where the console answers ("http://localhost:8400").</param>
    public static string Post<T>(string origin, string path, T body) => $"""
        curl -X POST {Quote(origin.TrimEnd('/') + path)} \
          -H "Authorization: Bearer $PLINTH_TOKEN" \
          -H "Idempotency-Key: $(uuidgen)" \
          -H 'Content-Type: application/json' \
          -d {Quote(JsonSerializer.Serialize(body, Body))}
        """;

    /// <param name="version">What the act is based on: refused when there is a newer one.</param>
    public static string Post<T>(string origin, string path, T body, long version) => $"""
        curl -X POST {Quote(origin.TrimEnd('/') + path)} \
          -H "Authorization: Bearer $PLINTH_TOKEN" \
          -H "Idempotency-Key: $(uuidgen)" \
          -H 'If-Match: "{version}"' \
          -H 'Content-Type: application/json' \
          -d {Quote(JsonSerializer.Serialize(body, Body))}
        """;

    public static string Get(string origin, string path) => $"""
        curl -H "Authorization: Bearer $PLINTH_TOKEN" \
          {Quote(origin.TrimEnd('/') + path)}
        """;

    /// <param name="version">What the change is based on: refused when there is a newer one.</param>
    public static string Patch<T>(string origin, string path, T body, long version) => Change("PATCH", origin, path, body, version);

    /// <inheritdoc cref="Patch"/>
    public static string Put<T>(string origin, string path, T body, long version) => Change("PUT", origin, path, body, version);

    private static string Change<T>(string verb, string origin, string path, T body, long version) => $"""
        curl -X {verb} {Quote(origin.TrimEnd('/') + path)} \
          -H "Authorization: Bearer $PLINTH_TOKEN" \
          -H 'If-Match: "{version}"' \
          -H 'Content-Type: application/json' \
          -d {Quote(JsonSerializer.Serialize(body, Body))}
        """;

    /// <summary>One shell word, whatever is in it.</summary>
    public static string Quote(string text) => "'" + text.Replace("'", "'\\''", StringComparison.Ordinal) + "'";
}
