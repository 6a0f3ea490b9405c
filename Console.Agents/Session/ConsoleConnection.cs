using System.Threading.Channels;
using Microsoft.AspNetCore.Http.Connections;
using Microsoft.AspNetCore.SignalR.Client;
using Microsoft.Extensions.DependencyInjection;
using Plinth.Core.Protocol;

namespace Plinth.Agents.Session;

/// <summary>Opens connections to the console's agent hub.</summary>
internal interface IConsoleConnector
{
    /// <exception cref="Exception">There is none now; the innermost message says why.</exception>
    Task<IConsoleConnection> Connect(CancellationToken stop);

    /// <summary>The console's servers, from its own mouth.</summary>
    void Learn(IReadOnlyList<string> hubs);

    /// <summary>The server that was reached gives no sessions: another one is tried first next time, <paramref name="hub"/> where it is known.</summary>
    void GoTo(string? hub);
}

/// <summary>One connection, for its life.</summary>
internal interface IConsoleConnection : IAsyncDisposable
{
    /// <summary>What the console says, in order. Completes with the connection, with the reason where there is one.</summary>
    ChannelReader<ServerMessage> Messages { get; }

    /// <summary>Returns when the frame is on its way; waits while the console takes nothing.</summary>
    Task Send(Frame frame, CancellationToken stop);
}

/// <summary>SignalR over mutual TLS, WebSockets only, the console's CA pinned. One server after the other is tried until one answers.</summary>
internal sealed class HubConnector(IdentityKeeper keeper) : IConsoleConnector
{
    // A machine that is off does not even refuse; the next server is not to wait for it.
    private static readonly TimeSpan AnswersWithin = TimeSpan.FromSeconds(4);

    public void Learn(IReadOnlyList<string> hubs) => keeper.Learn(hubs);

    public void GoTo(string? hub) => keeper.GoTo(hub);

    public async Task<IConsoleConnection> Connect(CancellationToken stop)
    {
        var hubs = keeper.Hubs;
        if (hubs.Count == 1) return await Connect(hubs[0], stop);
        var reasons = new List<string>();
        foreach (var hub in hubs)
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
            if (hub != hubs[^1]) limit.CancelAfter(AnswersWithin);
            try
            {
                return await Connect(hub, limit.Token);
            }
            catch (Exception e) when (!stop.IsCancellationRequested)
            {
                reasons.Add($"{hub.Authority}: {(limit.IsCancellationRequested ? $"no answer within {AnswersWithin.TotalSeconds:0} s" : e.Message)}");
            }
        }
        throw new IOException($"no server of the console answers: {string.Join("; ", reasons)}");
    }

    private async Task<IConsoleConnection> Connect(Uri address, CancellationToken stop)
    {
        var identity = keeper.Current;
        var (authority, certificate) = (identity.OpenAuthority(), identity.OpenCertificate());
        var pinned = new PinnedAuthority(authority);
        var hub = new HubConnectionBuilder()
            .WithUrl(new Uri(address, HubNames.Route), options =>
            {
                options.Transports = HttpTransportType.WebSockets;
                options.SkipNegotiation = true;
                options.HttpMessageHandlerFactory = _ => ConsoleHttp.Handler(pinned, certificate);
                options.WebSocketConfiguration = socket =>
                {
                    socket.Proxy = null;
                    socket.RemoteCertificateValidationCallback = (_, offered, _, errors) => pinned.Accepts(offered, errors);
                    socket.ClientCertificates.Add(certificate);
                };
            })
            .AddJsonProtocol(options => options.PayloadSerializerOptions.TypeInfoResolverChain.Insert(0, ProtocolJson.Default))
            .Build();
        var connection = new HubSession(hub, authority, certificate);
        try
        {
            await hub.StartAsync(stop);
            keeper.GoTo(address.GetLeftPart(UriPartial.Authority));
            return connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    private sealed class HubSession : IConsoleConnection
    {
        // The console sends a desired state and a few commands: more waiting than this means that this end is stuck.
        private const int MaxWaiting = 1024;

        private readonly HubConnection _hub;
        private readonly IDisposable[] _owned;
        private readonly FrameAssembler _assembler = new();
        private readonly Channel<ServerMessage> _messages = Channel.CreateBounded<ServerMessage>(MaxWaiting);

        public HubSession(HubConnection hub, params IDisposable[] owned)
        {
            (_hub, _owned) = (hub, owned);
            hub.On<Frame>(HubNames.Frame, Take);
            hub.Closed += e =>
            {
                _messages.Writer.TryComplete(e);
                return Task.CompletedTask;
            };
        }

        public ChannelReader<ServerMessage> Messages => _messages.Reader;

        public Task Send(Frame frame, CancellationToken stop) => _hub.SendAsync(HubNames.Frame, frame, stop);

        public async ValueTask DisposeAsync()
        {
            await _hub.DisposeAsync();
            _messages.Writer.TryComplete();
            foreach (var item in _owned) item.Dispose();
        }

        private async Task Take(Frame frame)
        {
            try
            {
                if (_assembler.AddFromServer(frame) is { } message) await _messages.Writer.WriteAsync(message);
            }
            catch (Exception e) when (e is InvalidDataException or System.Text.Json.JsonException or NotSupportedException)
            {
                _messages.Writer.TryComplete(new InvalidDataException($"the console does not keep to the protocol: {e.Message}", e));
            }
            catch (ChannelClosedException)
            {
            }
        }
    }
}
