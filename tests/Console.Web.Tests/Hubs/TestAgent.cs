using System.Net.Http.Json;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Threading.Channels;
using Microsoft.AspNetCore.SignalR.Client;
using Microsoft.Extensions.DependencyInjection;
using Plinth.Core.Primitives;
using Plinth.Core.Protocol;
using Plinth.Web.Application;
using Plinth.Web.Security.Certificates;
using Plinth.Web.Tests.Serving;

namespace Plinth.Web.Tests.Hubs;

/// <summary>An agent's side of the wire, as small as it can be: enrols over TLS, speaks frames over mutual TLS.</summary>
internal sealed class TestAgent(ServedConsole console) : IAsyncDisposable
{
    private readonly FrameAssembler _assembler = new();
    private readonly Channel<ServerMessage> _received = Channel.CreateUnbounded<ServerMessage>();
    private long _sent;
    private ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    public HostId Host { get; private set; }
    public X509Certificate2 Certificate { get; set; } = null!;
    public HubConnection Hub { get; private set; } = null!;
    public TaskCompletionSource Closed { get; private set; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    public Epoch Epoch { get; set; }

    public static async Task<TestAgent> Enrolled(ServedConsole console, string? machineId = null)
    {
        var agent = new TestAgent(console);
        var token = (await console.App.Services.GetRequiredService<IJoinTokenIssuer>().Reissue("agent " + Guid.NewGuid(), 1, TimeSpan.FromMinutes(5), default))[0];
        var reply = await agent.Enrol(token, machineId ?? Guid.NewGuid().ToString());
        Assert.True(reply.IsSuccessStatusCode, await reply.Content.ReadAsStringAsync());
        var body = (await reply.Content.ReadFromJsonAsync(ProtocolJson.Default.EnrolReply))!;
        agent.Host = body.Host;
        Assert.Equal(console.Listeners.HubUrl, body.HubUrl);
        agent.Take(body.Certificate);
        return agent;
    }

    public void Take(string pem)
    {
        using var issued = X509Certificate2.CreateFromPem(pem);
        using var withKey = issued.CopyWithPrivateKey(_key);
        Certificate = X509CertificateLoader.LoadPkcs12(withKey.Export(X509ContentType.Pkcs12), null);
    }

    public string Request(ECDsa? key = null) => new CertificateRequest("CN=whatever-the-agent-says", key ?? _key, HashAlgorithmName.SHA256).CreateSigningRequestPem();

    public async Task<HttpResponseMessage> Enrol(string token, string machineId, string? request = null)
    {
        using var client = new HttpClient(Handler(null)) { BaseAddress = new Uri(console.Listeners.EnrolmentUrl) };
        return await client.PostAsync(HubNames.EnrolRoute, JsonContent.Create(new EnrolRequest(token, request ?? Request(), "test-host", machineId, true), ProtocolJson.Default.EnrolRequest));
    }

    /// <summary>The same host, at another server of the console.</summary>
    public TestAgent At(ServedConsole other) => new(other) { Host = Host, Certificate = Certificate, Epoch = Epoch };

    public HttpClient Http(X509Certificate2? certificate = null) => new(Handler(certificate ?? Certificate)) { BaseAddress = new Uri(console.Listeners.HubUrl) };

    public async Task Connect(X509Certificate2? certificate = null)
    {
        Closed = new(TaskCreationOptions.RunContinuationsAsynchronously);
        var used = certificate ?? Certificate;
        Hub = new HubConnectionBuilder()
            .WithUrl(console.Listeners.HubUrl + HubNames.Route, o =>
            {
                o.ClientCertificates = [used];
                o.HttpMessageHandlerFactory = _ => Handler(used);
                o.WebSocketConfiguration = w => { w.RemoteCertificateValidationCallback = Trusted; w.ClientCertificates = [used]; };
            })
            .AddJsonProtocol(o => o.PayloadSerializerOptions.TypeInfoResolverChain.Insert(0, ProtocolJson.Default))
            .Build();
        Hub.On<Frame>(HubNames.Frame, frame =>
        {
            if (_assembler.AddFromServer(frame) is { } message) _received.Writer.TryWrite(message);
        });
        var closed = Closed;
        Hub.Closed += _ => { closed.TrySetResult(); return Task.CompletedTask; };
        await Hub.StartAsync();
    }

    public async Task Send(AgentMessage message)
    {
        foreach (var frame in FrameCutter.Cut(++_sent, message)) await Hub.SendAsync(HubNames.Frame, frame);
    }

    public async Task<T> Receive<T>() where T : ServerMessage
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        while (true)
            if (await _received.Reader.ReadAsync(deadline.Token) is T message) return message;
    }

    public async Task<Welcome> Greet()
    {
        await Send(new Hello(HubNames.ProtocolVersion, "test", Guid.NewGuid(), Epoch, Generation.None, true));
        var welcome = await Receive<Welcome>();
        Epoch = welcome.Epoch;
        return welcome;
    }

    public bool Trusted(object sender, X509Certificate? presented, X509Chain? chain, SslPolicyErrors errors)
    {
        if (presented is null || errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch)) return false;
        using var own = new X509Chain();
        own.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        own.ChainPolicy.CustomTrustStore.Add(console.App.Services.GetRequiredService<CertificateAuthority>().Public);
        own.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        return own.Build(X509CertificateLoader.LoadCertificate(presented.GetRawCertData()));
    }

    private SocketsHttpHandler Handler(X509Certificate2? certificate) => new()
    {
        SslOptions = { RemoteCertificateValidationCallback = Trusted, ClientCertificates = certificate is null ? null : [certificate], LocalCertificateSelectionCallback = certificate is null ? null : (_, _, _, _, _) => certificate },
    };

    public async ValueTask DisposeAsync()
    {
        if (Hub is not null) await Hub.DisposeAsync();
        _key.Dispose();
    }
}
