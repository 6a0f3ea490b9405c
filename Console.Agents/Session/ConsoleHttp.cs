using System.Net.Http.Json;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;

namespace Plinth.Agents.Session;

/// <summary>TLS to the console, and what its answers mean.</summary>
internal static class ConsoleHttp
{
    /// <param name="client">The agent's certificate; null on the enrolment listener.</param>
    public static SocketsHttpHandler Handler(PinnedAuthority authority, X509Certificate2? client) => new()
    {
        ConnectTimeout = TimeSpan.FromSeconds(10),
        PooledConnectionLifetime = TimeSpan.FromMinutes(10),
        UseProxy = false,
        AllowAutoRedirect = false,
        SslOptions = new SslClientAuthenticationOptions
        {
            EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
            RemoteCertificateValidationCallback = (_, certificate, _, errors) => authority.Accepts(certificate, errors),
            ClientCertificateContext = client is null ? null : SslStreamCertificateContext.Create(client, null, offline: true),
        },
    };

    /// <summary>The sentence of a Problem Details answer, or what can be said without one.</summary>
    public static async Task<string> ReasonOf(HttpResponseMessage response, CancellationToken stop)
    {
        try
        {
            using var problem = await JsonDocument.ParseAsync(await response.Content.ReadAsStreamAsync(stop), cancellationToken: stop);
            if (problem.RootElement.ValueKind == JsonValueKind.Object && problem.RootElement.TryGetProperty("detail", out var detail) && detail.GetString() is { Length: > 0 } text) return text;
        }
        catch (JsonException)
        {
        }
        return $"The console answered {(int)response.StatusCode} {response.ReasonPhrase}.";
    }

    public static JsonContent Json<T>(T value, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type) => JsonContent.Create(value, type);

    /// <summary>The cause of a failed connection, innermost: the outer sentences say nothing.</summary>
    public static string Cause(Exception e)
    {
        while (e.InnerException is { } inner) e = inner;
        return e.Message;
    }
}
