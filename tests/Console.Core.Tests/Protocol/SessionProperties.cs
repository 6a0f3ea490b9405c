using System.Collections.Immutable;
using CsCheck;
using Plinth.Core.Inventory;
using Plinth.Core.Primitives;
using Plinth.Core.Protocol;
using Xunit;

namespace Plinth.Core.Tests.Protocol;

/// <summary>
/// A console and an agent over a hostile network: every message ever sent to the agent may arrive again, in any order, or
/// never; the agent may die between any two effects. Whatever happens, a command is done at most once and generations only grow.
/// </summary>
public sealed class SessionProperties
{
    private enum Act { Connect, Disconnect, Raise, Issue, Deliver, Redeliver, Drop, CrashAgent, FinishCommand, Tick, Wait }

    private static readonly Gen<(Act Act, int Choice)> GenAct = Gen.Select(Gen.Enum<Act>(), Gen.Int[0, 1000]);

    [Fact]
    public void Each_command_has_its_effect_at_most_once_and_no_older_generation_is_ever_accepted() =>
        GenAct.Array[0, 120].Sample(acts =>
        {
            var world = new World();
            foreach (var (act, choice) in acts) world.Do(act, choice);
        }, iter: 3000);

    [Fact]
    public void Once_the_network_behaves_every_command_ends_and_the_newest_generation_is_accepted() =>
        GenAct.Array[0, 80].Sample(acts =>
        {
            var world = new World();
            foreach (var (act, choice) in acts) world.Do(act, choice);
            world.Settle();
        }, iter: 1000);

    private sealed class World
    {
        private DateTimeOffset _now = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
        private HostSessionRecord _record = new(HostState.Ready, Epoch.None, Generation.None);
        private readonly List<Command> _issued = [];
        private readonly Dictionary<CommandId, CommandResult> _results = [];

        private readonly List<ServerMessage> _everSent = [];
        private readonly List<ServerMessage> _inFlight = [];
        private AgentMemory _disk = AgentMemory.Empty;
        private AgentSession _agent = AgentSession.Restore(AgentMemory.Empty).Session;
        private readonly List<CommandId> _running = [];
        private readonly Dictionary<CommandId, int> _effects = [];
        private Generation _accepted = Generation.None;

        /// <summary>Effects that are still done before the agent dies; null while it lives on.</summary>
        private int? _dieAfter;

        public void Do(Act act, int choice)
        {
            switch (act)
            {
                case Act.Connect: Apply(_agent.Connected("1", Guid.Empty, false)); break;
                case Act.Disconnect: Apply(_agent.Disconnected()); break;
                case Act.Raise: _record = _record with { Generation = _record.Generation.Next() }; PushDesired(); break;
                case Act.Issue: Issue(choice); break;
                case Act.Deliver: if (Take(choice) is { } m) Apply(_agent.Received(m, _now)); break;
                case Act.Redeliver: if (_everSent.Count > 0) Apply(_agent.Received(_everSent[choice % _everSent.Count], _now)); break;
                case Act.Drop: Take(choice); break;
                case Act.CrashAgent: _dieAfter = choice % 3; break;
                case Act.FinishCommand: Finish(choice); break;
                case Act.Tick: Apply(_agent.Tick(_now)); break;
                case Act.Wait: _now += TimeSpan.FromMinutes(choice % 50); break;
            }
        }

        public void Settle()
        {
            _dieAfter = null;
            Reboot();
            _inFlight.Clear();
            Apply(_agent.Connected("1", Guid.Empty, false));
            for (var i = 0; i < 1000 && (_inFlight.Count > 0 || _running.Count > 0); i++)
            {
                while (_running.Count > 0) Finish(0);
                if (Take(0) is { } next) Apply(_agent.Received(next, _now));
            }
            Assert.Equal(_record.Generation, _accepted);
            Assert.All(_issued, c => Assert.True(_results.ContainsKey(c.Id), $"command {c.Id} has no result"));
        }

        private void Issue(int choice)
        {
            var command = new Command(_record.Epoch, new CommandId(Guid.CreateVersion7(_now)), _now.AddMinutes(choice % 20), new OpenConsole(default, "x"));
            _issued.Add(command);
            Send(command);
        }

        private void Finish(int choice)
        {
            if (_running.Count == 0) return;
            var id = _running[choice % _running.Count];
            _running.Remove(id);
            Apply(_agent.Finished(id, true, "done"));
        }

        private void Apply(SessionStep step)
        {
            _agent = step.Session;
            foreach (var effect in step.Effects)
            {
                if (_dieAfter is { } left)
                {
                    if (left == 0) { Reboot(); return; }
                    _dieAfter = left - 1;
                }
                Perform(effect);
            }
        }

        private void Perform(SessionEffect effect)
        {
            switch (effect)
            {
                case RememberEpoch e: _disk = _disk with { LastEpoch = e.Epoch }; break;
                case AcceptDesired e:
                    Assert.True(e.State.Generation > _accepted, $"generation {e.State.Generation} was accepted after {_accepted}");
                    _accepted = e.State.Generation;
                    _disk = _disk with { LastGeneration = e.State.Generation };
                    break;
                case BeginCommand e:
                    _disk = _disk with { Commands = _disk.Commands.SetItem(e.Command.Id, CommandRecord.Begun(e.Command)) };
                    _effects[e.Command.Id] = _effects.GetValueOrDefault(e.Command.Id) + 1;
                    Assert.Equal(1, _effects[e.Command.Id]);
                    _running.Add(e.Command.Id);
                    break;
                case RememberCommand e: _disk = _disk with { Commands = _disk.Commands.SetItem(e.Record.Id, e.Record) }; break;
                case ForgetCommand e: _disk = _disk with { Commands = _disk.Commands.Remove(e.Id) }; break;
                case SendToConsole e: Console(e.Message); break;
            }
        }

        private void Reboot()
        {
            _dieAfter = null;
            _running.Clear();
            var restored = AgentSession.Restore(_disk);
            _agent = restored.Session;
            foreach (var effect in restored.Effects) Perform(effect);
        }

        /// <summary>The console's side: admission, re-delivery, acknowledgement.</summary>
        private void Console(AgentMessage message)
        {
            switch (message)
            {
                case Hello hello:
                    var decision = Admission.Decide(hello, _record, _now);
                    Assert.True(decision.Admitted, "an honest agent was refused");
                    _record = decision.Record;
                    Send(decision.Answer);
                    PushDesired();
                    foreach (var c in _issued.Where(c => !_results.ContainsKey(c.Id))) Send(c with { Epoch = _record.Epoch });
                    break;
                case CommandResult result when Fencing.Check(result.Epoch, _record.Epoch) is null:
                    _results.TryAdd(result.Command, result);
                    Send(new CommandAck(_record.Epoch, result.Command));
                    break;
            }
        }

        private void PushDesired() => Send(new Desired(_record.Epoch, new DesiredHostState(_record.Generation, [], [], [], [])));

        private void Send(ServerMessage message)
        {
            _everSent.Add(message);
            _inFlight.Add(message);
        }

        private ServerMessage? Take(int choice)
        {
            if (_inFlight.Count == 0) return null;
            var message = _inFlight[choice % _inFlight.Count];
            _inFlight.Remove(message);
            return message;
        }
    }
}
