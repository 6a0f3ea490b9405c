using System.Collections.Concurrent;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Plinth.Web.Application;
using Plinth.Web.Listeners;

namespace Plinth.Web.Tests.Serving;

/// <summary>The whole console through its own door: real Kestrel on free ports, real store, a data directory of its own.</summary>
public sealed class ServedConsole : IAsyncLifetime
{
    public const string ClientId = "robot", ClientSecret = "a-secret-of-the-test-client-1";

    private readonly string _data = Directory.CreateTempSubdirectory("plinth-edge-").FullName;

    /// <summary>Settings of a test, as arguments.</summary>
    public IReadOnlyList<string> More { get; init; } = [];

    public string Data => _data;
    public WebApplication App { get; private set; } = null!;
    public KestrelListeners Listeners => App.Services.GetRequiredService<KestrelListeners>();
    public Uri Portal => new(Listeners.PortalUrl);
    public CapturedLog Log { get; } = new();

    public async Task InitializeAsync()
    {
        App = Build(_data, Log, More);
        await App.StartAsync();
    }

    public static WebApplication Build(string data, CapturedLog log, IReadOnlyList<string>? more = null) => ConsoleApplication.Build(
        [
            $"--Plinth:Data={data}", "--Plinth:Portal:Url=http://localhost:0", "--Plinth:Agents:Listen=127.0.0.1:0", "--Plinth:Agents:EnrolmentListen=127.0.0.1:0",
            $"--PLINTH_BOOTSTRAP_CLIENT_ID={ClientId}", $"--PLINTH_BOOTSTRAP_CLIENT_SECRET={ClientSecret}",
            "--Logging:LogLevel:Default=Debug", "--Logging:LogLevel:Microsoft.AspNetCore=Debug", "--Logging:LogLevel:OpenIddict=Debug", .. more ?? [],
        ],
        builder =>
        {
            builder.Logging.ClearProviders();
            builder.Logging.AddProvider(log);
        });

    public async Task DisposeAsync()
    {
        await App.DisposeAsync();
        Directory.Delete(_data, true);
    }

    public HttpClient Anonymous(bool cookies = false) => new(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = cookies }) { BaseAddress = Portal };

    public async Task<HttpClient> Client()
    {
        var client = Anonymous();
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", await Token(client));
        return client;
    }

    public static async Task<string> Token(HttpClient client)
    {
        var answer = await client.PostAsync("/connect/token", new FormUrlEncodedContent([new("grant_type", "client_credentials"), new("client_id", ClientId), new("client_secret", ClientSecret)]));
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
        return (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("access_token").GetString()!;
    }

    /// <summary>A browser of the operator, signed in by a fresh link.</summary>
    public async Task<HttpClient> Person()
    {
        var link = await App.Services.GetRequiredService<IOperatorLink>().Issue(CancellationToken.None);
        var browser = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false }) { BaseAddress = Portal };
        var answer = await browser.PostAsync("/sign-in", new FormUrlEncodedContent([new("link", link)]));
        Assert.Equal(System.Net.HttpStatusCode.Found, answer.StatusCode);
        return browser;
    }
}

/// <summary>Everything that was logged, at every level.</summary>
public sealed class CapturedLog : ILoggerProvider
{
    private readonly ConcurrentQueue<string> _lines = new();

    public string Text => string.Join('\n', _lines);
    public ILogger CreateLogger(string categoryName) => new Logger(this, categoryName);
    public void Dispose() { }

    private sealed class Logger(CapturedLog log, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;
        public bool IsEnabled(LogLevel logLevel) => true;
        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            log._lines.Enqueue($"{logLevel} {category} {formatter(state, exception)} {exception}");
    }
}

[CollectionDefinition(Name)]
public sealed class ServedConsoleCollection : ICollectionFixture<ServedConsole>
{
    public const string Name = "served console";
}
