using System.Globalization;
using System.Text;
using Plinth.Core.Machines;
using Plinth.Core.Operations;
using Plinth.Core.Primitives;
using Plinth.Core.Protocol;

namespace Plinth.Core.Tests.Operations;

/// <summary>
/// Plays a scenario on a simulated clock. <c>start</c> says what is there, <c>commands</c> what happens ("+1.5s report …"),
/// and the log tells every change of VM, operation and steps.
/// </summary>
internal sealed class Story
{
    private static readonly DateTimeOffset Begin = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    private readonly StringBuilder _log = new();
    private DateTimeOffset _now = Begin;
    private Generation _generation = Generation.None;
    private MachineRecord _vm;
    private OperationRecord? _operation;
    private ObservedMachine? _seen;
    private CommandOutcome? _command;

    public Story(string start)
    {
        var words = start.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        var state = Enum.Parse<VmState>(words[0], ignoreCase: true);
        _vm = new MachineRecord(
            VmId.New(Begin), state, VmLifecycle.Sentence(state), state == VmState.Stopped ? DesiredPower.Stopped : DesiredPower.Running, 1,
            !words.Contains("no-agent"), state == VmState.Requested ? null : "kvm-1", 60);
        if (state == VmState.Requested) Take(_vm, OperationProgress.Begin(OperationKind.CreateVm, "ana", _generation, 1, _now));
    }

    public static string Play(string start, string commands)
    {
        var story = new Story(start);
        foreach (var line in commands.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            var at = line.IndexOf(' ');
            story._now += TimeSpan.FromSeconds(double.Parse(line[1..at].TrimEnd('s'), CultureInfo.InvariantCulture));
            story.Do(line[(at + 1)..]);
        }
        return story._log.ToString();
    }

    private void Do(string command)
    {
        _log.Append(CultureInfo.InvariantCulture, $"{(_now - Begin).TotalSeconds,8:0.0}s > {command}\n");
        var (verb, rest) = command.IndexOf(' ') is var i and > 0 ? (command[..i], command[(i + 1)..]) : (command, "");
        switch (verb)
        {
            case "wait": Take(_vm with { State = VmState.Waiting, Reason = rest }, OperationProgress.Wait(_operation!, rest)); break;
            case "place":
                _generation = _generation.Next();
                Take(_vm with { State = VmLifecycle.Next(_vm.State, VmEvent.Placed).Value, Reason = VmLifecycle.Sentence(VmState.Creating), HostName = "kvm-1" },
                    OperationProgress.Placed(_operation!, rest, _generation, _now));
                break;
            case "report": _seen = Read(rest); Advance(); break;
            case "tick": Advance(); break;
            case "command": _command = new CommandOutcome(rest.StartsWith("ok", StringComparison.Ordinal), rest[(rest.IndexOf(' ') + 1)..], _now); Advance(); break;
            case "host-lost": Apply(MachineProgress.HostLost(_vm, _operation)); break;
            case "cancel": Act(MachineActs.Cancel(_vm, _operation!, "ana", _generation.Next())); break;
            case "start": Act(MachineActs.Ask(_vm, _operation, OperationKind.StartVm, 0, "ana", _generation.Next(), _now)); break;
            case "stop": Act(MachineActs.Ask(_vm, _operation, OperationKind.StopVm, int.Parse(rest, CultureInfo.InvariantCulture), "ana", _generation.Next(), _now)); break;
            case "reboot": Act(MachineActs.Ask(_vm, _operation, OperationKind.RebootVm, 0, "ana", _generation, _now)); break;
            case "soft-delete": Act(MachineActs.Delete(_vm with { HasDisk = true }, _operation, false, TimeSpan.FromSeconds(int.Parse(rest, CultureInfo.InvariantCulture)), "ana", _generation.Next(), _now)); break;
            case "rebuild": Act(MachineActs.Rebuild(_vm, _operation, int.Parse(rest, CultureInfo.InvariantCulture), "ana", _generation.Next(), _now)); break;
            case "restore": Act(MachineActs.Restore(_vm, _operation, "ana", _generation.Next(), _now)); break;
            case "over": _log.Append(MachineActs.IsOver(_vm, _now) ? "          it is over\n" : "          it can be restored\n"); break;
            case "delete": Act(MachineActs.Ask(_vm, _operation, OperationKind.DeleteVm, 0, "ana", _generation.Next(), _now)); break;
            default: throw new InvalidOperationException($"no such command: {command}");
        }
    }

    private void Act(Result<MachineAct> act)
    {
        if (!act.Succeeded)
        {
            _log.Append($"          refused: {act.Reason}\n");
            return;
        }
        if (act.Value.Operation.Kind != OperationKind.RebootVm) _generation = _generation.Next();
        if (act.Value.Superseded is { } old) Take(_vm, old);
        Take(act.Value.Vm, act.Value.Operation);
        Advance();
    }

    private void Advance() => Apply(MachineProgress.Advance(_vm, _operation, _seen, _command, _now));

    private void Apply(MachineAdvance advance)
    {
        Take(_vm with { State = advance.State, Reason = advance.Reason }, advance.Operation);
        if (advance.Wish == PowerWish.Keep) return;
        _log.Append($"          wish: {advance.Wish}\n");
        if (advance.Wish == PowerWish.StayOff) _vm = _vm with { Power = DesiredPower.Stopped };
    }

    private void Take(MachineRecord vm, OperationRecord? operation)
    {
        if (vm.State != _vm.State) _log.Append($"          vm {VmLifecycle.Word(_vm.State)} -> {VmLifecycle.Word(vm.State)}: {vm.Reason}\n");
        _vm = vm;
        if (operation is null || operation == _operation) return;
        var before = _operation is { } o && o.Kind == operation.Kind && o.CreatedAt == operation.CreatedAt ? o : null;
        for (var i = 0; i < operation.Steps.Count; i++)
        {
            var step = operation.Steps[i];
            if (step == before?.Steps[i] || (before is null && step.State == StepState.Pending)) continue;
            var took = step.EndedAt - step.StartedAt is { } t ? string.Create(CultureInfo.InvariantCulture, $" {t.TotalSeconds:0.0}s") : "";
            _log.Append($"          step {OperationSteps.Word(step.Kind)} {OperationSteps.Word(step.State)}{took}{(step.Percent is { } p ? $" {p}%" : "")}{(step.Detail.Length > 0 ? ": " + step.Detail : "")}\n");
        }
        if (before?.State != operation.State) _log.Append($"          {OperationSteps.Word(operation.Kind)} {OperationSteps.Word(operation.State)}: {operation.Reason}\n");
        if (before is null) _command = null;
        _operation = operation;
    }

    // "running for=1 disk defined started agent" and so on; gen defaults to the newest.
    private ObservedMachine Read(string text)
    {
        var words = text.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        string? Value(string key) => words.FirstOrDefault(w => w.StartsWith(key + "=", StringComparison.Ordinal))?[(key.Length + 1)..];
        DateTimeOffset? Flag(string name) => words.Contains(name) ? _now : null;
        var problem = Value("problem")?.Split(':');
        var progress = Value("progress")?.Split('/');
        return new ObservedMachine(
            _vm.Vm,
            Value("gen") is { } g ? new Generation(long.Parse(g, CultureInfo.InvariantCulture)) : _generation,
            Enum.Parse<DomainState>(words[0], ignoreCase: true),
            Value("off") is { } off ? Enum.Parse<OffReason>(off, ignoreCase: true) : OffReason.None,
            long.Parse(Value("for") ?? "0", CultureInfo.InvariantCulture),
            Flag("disk"), Flag("defined"), Flag("started"), Flag("agent"), Flag("asked"), words.Contains("gone"), "k", [],
            progress is null ? null : new Progress("fetching the image", long.Parse(progress[0], CultureInfo.InvariantCulture), long.Parse(progress[1], CultureInfo.InvariantCulture)),
            problem is null ? null : new MachineProblem(problem[0], "The pool has no room left; free some.", Enum.Parse<StepKind>(problem[1], ignoreCase: true), problem.Length > 2),
            Pause: Value("pause") is { } pause ? Enum.Parse<PauseReason>(pause, ignoreCase: true) : PauseReason.None,
            Disk: long.Parse(Value("has") ?? "0", CultureInfo.InvariantCulture), DiskMade: long.Parse(Value("made") ?? "0", CultureInfo.InvariantCulture));
    }
}
