using System.Collections.Concurrent;
using System.Text.Json;
using System.Threading.Channels;
using Microsoft.AspNetCore.SignalR;
using Plinth.Core.Primitives;
using Plinth.Core.Protocol;

namespace Plinth.Web.Hubs;

/// <summary>
/// One connection of one agent: joins what arrives, and sends what is to be sent in order, one frame after the other.
/// It knows nothing of what messages mean; that is <see cref="AgentSessions"/>' part.
/// </summary>
public sealed class AgentConnection(HostId host, HubCallerContext context, ISingleClientProxy client, ILogger log)
{
    /// <summary>Messages waiting for one agent. One that does not read for so long gets a new session instead of more memory.</summary>
    public const int MaxQueued = 1024;

    private readonly FrameAssembler _assembler = new();
    private readonly ConcurrentQueue<ServerMessage> _outbox = new();
    private readonly Channel<bool> _signal = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite, SingleReader = true });
    private int _desiredWanted;
    private long _sent;

    public HostId Host { get; } = host;

    /// <summary><see cref="Epoch.None"/> until the welcome.</summary>
    public Epoch Epoch { get; set; }

    public bool Greeted { get; set; }

    /// <summary>The leadership that the session belongs to; null until the welcome. It ends with it.</summary>
    public Epoch? Term { get; set; }

    /// <summary>Ends with the connection.</summary>
    public CancellationToken Closed => context.ConnectionAborted;

    /// <summary>The message that this frame completes, if it does.</summary>
    /// <exception cref="InvalidDataException">The peer does not keep to the protocol.</exception>
    public AgentMessage? Join(Frame frame)
    {
        try
        {
            return _assembler.AddFromAgent(frame);
        }
        catch (Exception e) when (e is JsonException or NotSupportedException)
        {
            throw new InvalidDataException("a message is not what the protocol allows: " + e.Message, e);
        }
    }

    public void Send(ServerMessage message)
    {
        if (_outbox.Count >= MaxQueued)
        {
            End($"{MaxQueued} messages wait for it");
            return;
        }
        _outbox.Enqueue(message);
        _signal.Writer.TryWrite(true);
    }

    /// <summary>Asks for the newest desired state to be read and sent; asked again before that happened, it is one sending.</summary>
    public void WantDesired()
    {
        Volatile.Write(ref _desiredWanted, 1);
        _signal.Writer.TryWrite(true);
    }

    /// <summary>Sends until the connection ends.</summary>
    /// <param name="desired">The host's newest desired state.</param>
    /// <param name="servers">Where the console's servers are.</param>
    public async Task Pump(Func<Task<DesiredHostState>> desired, Func<IReadOnlyList<string>> servers)
    {
        try
        {
            await foreach (var _ in _signal.Reader.ReadAllAsync(Closed))
            {
                while (_outbox.TryDequeue(out var message)) await Transmit(message);
                if (Epoch != Epoch.None && Interlocked.Exchange(ref _desiredWanted, 0) == 1) await Transmit(new Desired(Epoch, await desired(), servers()));
            }
        }
        catch (OperationCanceledException) when (Closed.IsCancellationRequested)
        {
        }
        catch (Exception e)
        {
            log.LogWarning(e, "Sending to host {Host} failed; its session ends.", Host);
            context.Abort();
        }
    }

    private async Task Transmit(ServerMessage message)
    {
        foreach (var frame in FrameCutter.Cut(++_sent, message)) await client.SendAsync(HubNames.Frame, frame, Closed);
    }

    public void End(string reason)
    {
        log.LogInformation("The session of host {Host} ends: {Reason}.", Host, reason);
        context.Abort();
    }
}
