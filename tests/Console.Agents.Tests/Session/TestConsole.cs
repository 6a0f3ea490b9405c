using System.Collections.Concurrent;
using System.Threading.Channels;
using Plinth.Agents.Session;
using Plinth.Core.Inventory;
using Plinth.Core.Primitives;
using Plinth.Core.Protocol;

namespace Plinth.Agents.Tests.Session;

/// <summary>A console in memory that keeps to the protocol: admission, epochs, desired state, commands and their acknowledgements.</summary>
internal sealed class TestConsole(TimeProvider time) : IConsoleConnector
{
    private readonly Lock _gate = new();
    private Line? _line;

    public HostSessionRecord Record { get; set; } = new(HostState.Ready, Epoch.None, Generation.None);
    public DesiredHostState? Desired { get; set; }
    public ConcurrentQueue<AgentMessage> Received { get; } = new();
    public ConcurrentDictionary<CommandId, CommandResult> Results { get; } = new();
    public List<Command> Pending { get; } = [];

    /// <summary>Connections fail while this is set.</summary>
    public bool Away { get; set; }

    /// <summary>Results are taken and never acknowledged while this is set.</summary>
    public bool Forgetful { get; set; }

    /// <summary>Nothing that agents send gets through while this is set: back-pressure.</summary>
    public bool Stuck { get; set; }

    public IReadOnlyList<T> All<T>() where T : AgentMessage => [.. Received.OfType<T>()];

    /// <summary>What the agent was told of servers.</summary>
    public IReadOnlyList<string> Servers { get; private set; } = [];

    /// <summary>Where it was sent.</summary>
    public ConcurrentQueue<string?> SentTo { get; } = new();

    public void Learn(IReadOnlyList<string> hubs) => Servers = hubs;

    public void GoTo(string? hub) => SentTo.Enqueue(hub);

    public Task<IConsoleConnection> Connect(CancellationToken stop)
    {
        if (Away) throw new IOException("the console is away");
        var line = new Line(this);
        lock (_gate) _line = line;
        return Task.FromResult<IConsoleConnection>(line);
    }

    public void Drop() => _line?.Break("the cable was pulled");

    public void Send(ServerMessage message) => _line!.Push(message);

    public void SetDesired(DesiredHostState desired)
    {
        Desired = desired;
        Record = Record with { Generation = desired.Generation };
        if (Record.Epoch != Epoch.None) Send(new Desired(Record.Epoch, desired));
    }

    public Command Issue(CommandBody body, TimeSpan? within = null)
    {
        var now = time.GetUtcNow();
        var command = new Command(Record.Epoch, CommandId.New(now), now + (within ?? TimeSpan.FromSeconds(30)), body);
        Pending.Add(command);
        Send(command);
        return command;
    }

    private void Take(Line line, AgentMessage message)
    {
        Received.Enqueue(message);
        switch (message)
        {
            case Hello hello:
                var decision = Admission.Decide(hello, Record, time.GetUtcNow());
                Record = decision.Record;
                line.Push(decision.Answer);
                if (!decision.Admitted) return;
                if (Desired is { } desired) line.Push(new Desired(Record.Epoch, desired));
                foreach (var c in Pending.Where(c => !Results.ContainsKey(c.Id))) line.Push(c with { Epoch = Record.Epoch });
                break;
            case CommandResult result:
                if (Forgetful) return;
                Results[result.Command] = result;
                line.Push(new CommandAck(Record.Epoch, result.Command));
                break;
        }
    }

    private sealed class Line(TestConsole console) : IConsoleConnection
    {
        private readonly FrameAssembler _assembler = new();
        private readonly Channel<ServerMessage> _messages = Channel.CreateUnbounded<ServerMessage>();

        public ChannelReader<ServerMessage> Messages => _messages.Reader;

        public async Task Send(Frame frame, CancellationToken stop)
        {
            while (console.Stuck) await Task.Delay(10, stop);
            if (_assembler.AddFromAgent(frame) is { } message) console.Take(this, message);
        }

        public void Push(ServerMessage message) => _messages.Writer.TryWrite(message);

        public void Break(string reason) => _messages.Writer.TryComplete(new IOException(reason));

        public ValueTask DisposeAsync()
        {
            _messages.Writer.TryComplete();
            return ValueTask.CompletedTask;
        }
    }
}
