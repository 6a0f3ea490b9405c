using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Plinth.EndToEnd.Tests.Lab;

/// <summary>The real server, published, on its own data directory; inside a lab host or on this machine's loopback.</summary>
public sealed partial class PlinthConsole : IAsyncDisposable
{
    public const string ClientId = "automation", ClientSecret = "end-to-end-secret-0123456789";

    private readonly LabHost? _host;
    private readonly Dictionary<string, string> _environment;
    private RunningProgram? _program;
    private string? _token;

    /// <param name="portal">Where people and API clients come in, if not by plain http on localhost.</param>
    public PlinthConsole(LabHost? host, string data, int port, string agentListen, int enrolmentPort, int simulatedHosts = 0, string? portal = null, X509Certificate2? trusted = null)
    {
        _host = host;
        portal ??= $"http://localhost:{port}";
        Data = data;
        Directory.CreateDirectory(data);
        JoinFile = Path.Combine(data, "join.json");
        SimulatedJoinFile = Path.Combine(data, "join-simulated.json");
        _environment = new()
        {
            ["Plinth__Data"] = data,
            ["Plinth__Portal__Url"] = portal,
            ["Plinth__Agents__Listen"] = agentListen,
            ["Plinth__Agents__EnrolmentListen"] = $"{agentListen.Split(':')[0]}:{enrolmentPort}",
            ["Plinth__Agents__LocalJoinFile"] = JoinFile,
            ["Plinth__Agents__Executable"] = Repository.Agent,
            ["Plinth__BundledImage"] = Repository.GuestManifest,
            ["PLINTH_BOOTSTRAP_CLIENT_ID"] = ClientId,
            ["PLINTH_BOOTSTRAP_CLIENT_SECRET"] = ClientSecret,
        };
        if (simulatedHosts > 0)
        {
            _environment["Plinth__Agents__SimulatedHosts"] = simulatedHosts.ToString();
            _environment["Plinth__Agents__SimulatedJoinFile"] = SimulatedJoinFile;
        }
        Http = new HttpClient(host is null ? Handler(trusted) : Netns.Handler(host.Netns))
        {
            BaseAddress = new Uri(portal),
            Timeout = TimeSpan.FromSeconds(20),
        };
    }

    public string Data { get; }
    /// <summary>As environment variables; a change counts at the next start.</summary>
    public Dictionary<string, string> Settings => _environment;
    public string JoinFile { get; }
    public string SimulatedJoinFile { get; }
    public HttpClient Http { get; }
    public string? SignInLink { get; private set; }
    public RunningProgram Process => _program ?? throw new InvalidOperationException("the console is not started");

    /// <summary>Starts the server and waits for its own word that it is ready.</summary>
    /// <param name="signIn">Not where requests are under way: they go on with the token that they have.</param>
    public async Task Start(bool signIn = true)
    {
        File.Delete(JoinFile);
        _program = _host is null ? RunningProgram.Start(Repository.Server, [], _environment) : _host.Start(Repository.Server, [], _environment);
        await _program.Line("Plinth is ready at ");
        var line = await _program.Line("/sign-in?link=");
        SignInLink = Link().Match(line).Value;
        if (signIn) await SignInAsClient();
    }

    /// <summary>What the program does besides serving, with the same settings: gives what it prints, throws when it fails.</summary>
    public async Task<string> Command(params string[] words)
    {
        await using var program = _host is null ? RunningProgram.Start(Repository.Server, words, _environment) : _host.Start(Repository.Server, words, _environment);
        await program.End(TimeSpan.FromMinutes(2));
        var text = string.Join('\n', program.Lines);
        return program.ExitCode == 0 ? text : throw new InvalidOperationException($"{string.Join(' ', words)} ended with {program.ExitCode}:\n{text}");
    }

    public Task Kill9() => Process.Kill9();

    public async Task SignInAsClient()
    {
        using var reply = await Http.PostAsync("/connect/token", new FormUrlEncodedContent(new Dictionary<string, string>
        {
            ["grant_type"] = "client_credentials", ["client_id"] = ClientId, ["client_secret"] = ClientSecret,
        }));
        var text = await reply.Content.ReadAsStringAsync();
        if (!reply.IsSuccessStatusCode) throw new InvalidOperationException($"no token: {(int)reply.StatusCode} {text}");
        _token = JsonDocument.Parse(text).RootElement.GetProperty("access_token").GetString();
        Http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", _token);
    }

    public async Task<JsonElement> Get(string path)
    {
        using var reply = await Http.GetAsync("/api/v1/" + path);
        return await Body(reply, path);
    }

    public async Task<JsonElement?> Find(string path)
    {
        using var reply = await Http.GetAsync("/api/v1/" + path);
        return reply.StatusCode == HttpStatusCode.NotFound ? null : await Body(reply, path);
    }

    public async Task<JsonElement> Post(string path, object? body = null, string? idempotencyKey = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/v1/" + path) { Content = JsonContent.Create(body ?? new { }) };
        if (idempotencyKey is not null) request.Headers.Add("Idempotency-Key", idempotencyKey);
        using var reply = await Http.SendAsync(request);
        return await Body(reply, path);
    }

    public async Task<JsonElement> Put(string path, object body)
    {
        using var reply = await Http.PutAsJsonAsync("/api/v1/" + path, body);
        return await Body(reply, path);
    }

    public async Task<JsonElement> Delete(string path, string? idempotencyKey = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Delete, "/api/v1/" + path);
        if (idempotencyKey is not null) request.Headers.Add("Idempotency-Key", idempotencyKey);
        using var reply = await Http.SendAsync(request);
        return await Body(reply, path);
    }

    private static async Task<JsonElement> Body(HttpResponseMessage reply, string path)
    {
        var text = await reply.Content.ReadAsStringAsync();
        if (!reply.IsSuccessStatusCode) throw new InvalidOperationException($"{path}: {(int)reply.StatusCode} {text}");
        return text.Length == 0 ? default : JsonDocument.Parse(text).RootElement.Clone();
    }

    /// <summary>The operation once it is finished.</summary>
    public async Task<JsonElement> Finished(string operation, TimeSpan? deadline = null, TimeSpan? pause = null)
    {
        JsonElement last = default;
        try
        {
            await Wait.Until($"the end of operation {operation}", async () =>
            {
                last = await Get($"operations/{operation}");
                return last.GetProperty("state").GetString() is "succeeded" or "failed" or "cancelled";
            }, deadline, pause);
        }
        catch (TimeoutException e)
        {
            throw new TimeoutException($"{e.Message}; it is {last}", e);
        }
        return last;
    }

    /// <summary>At most 500 of them, once there are as many as asked for.</summary>
    public Task<JsonElement[]> ReadyHosts(int count) => Wait.For($"{count} ready hosts", async () =>
    {
        var hosts = await Get("hosts?state=ready&limit=500");
        return hosts.GetProperty("total").GetInt64() >= count ? hosts.GetProperty("items").EnumerateArray().ToArray() : null;
    }, TimeSpan.FromMinutes(4 + (count / 200)));

    /// <summary>For the root of the portal's certificate, where it has one.</summary>
    public static SocketsHttpHandler Handler(X509Certificate2? trusted = null)
    {
        var handler = new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false };
        if (trusted is not null)
            handler.SslOptions.CertificateChainPolicy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, CustomTrustStore = { trusted }, RevocationMode = X509RevocationMode.NoCheck };
        return handler;
    }

    public async ValueTask DisposeAsync()
    {
        if (_program is not null) await _program.DisposeAsync();
        Http.Dispose();
    }

    [GeneratedRegex(@"http\S+/sign-in\?link=\S+")]
    private static partial Regex Link();
}
