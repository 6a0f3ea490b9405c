using System.Globalization;
using Plinth.Agents.Ledger;
using Plinth.Agents.Reconcile;
using Plinth.Core.Machines;
using Plinth.Core.Protocol;
using Xunit;

namespace Plinth.Agents.Tests.Reconcile;

/// <summary>
/// Stories of one VM on a simulated clock. A folder is a story: <c>why</c>, <c>commands</c>, <c>expected</c>. A change of
/// behaviour shows as a difference in a story; where it is meant, the new logs are
/// recorded by running this with PLINTH_RECORD_STORIES set to the source folder, and read in the diff.
/// </summary>
public sealed class ScenarioTests
{
    private static readonly string Root = Path.Combine(AppContext.BaseDirectory, "Scenarios");

    public static TheoryData<string> Names => [.. Directory.GetDirectories(Root).Select(d => Path.GetFileName(d)).Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Names))]
    public void The_story_goes_as_told(string name)
    {
        var folder = Path.Combine(Root, name);
        Assert.NotEmpty(File.ReadAllText(Path.Combine(folder, "why")).Trim());
        var story = new Story();
        foreach (var line in File.ReadLines(Path.Combine(folder, "commands")).Where(l => l.Length > 0)) story.Tell(line);
        if (Environment.GetEnvironmentVariable("PLINTH_RECORD_STORIES") is { Length: > 0 } source) File.WriteAllLines(Path.Combine(source, name, "expected"), story.Log);
        else Assert.Equal(File.ReadAllText(Path.Combine(folder, "expected")).TrimEnd(), string.Join('\n', story.Log));
    }

    private sealed class Story
    {
        private static readonly DateTimeOffset Begin = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

        private readonly DesiredMachine _machine = DesiredBuilder.Machine(1) with { PowerGeneration = 0 };
        private DesiredMachine? _desired;
        private MachineFacts _facts;
        private DateTimeOffset _now = Begin;
        private DomainState _domain = DomainState.Absent;
        private OffReason _off = OffReason.None;
        private (bool Tombstone, bool Files, bool Image, bool Fulfilled) _is = (false, false, true, false);
        private DateTimeOffset? _asked;
        private DateTimeOffset? _due;
        private bool _cutShort;
        private long _disk;
        private bool _former;
        private DesiredMachine? _before;
        private int _starts;
        private int _boots = 1;

        public Story() => _facts = new MachineFacts(_machine.Vm);

        public List<string> Log { get; } = [];

        public void Tell(string command)
        {
            Say("> " + command);
            switch (command.Split(' '))
            {
                case ["want", "size", var vcpus, var memory]:
                    _desired = _desired! with { Vcpus = int.Parse(vcpus, CultureInfo.InvariantCulture), MemoryMib = int.Parse(memory, CultureInfo.InvariantCulture) };
                    break;
                case ["want", "name", var name]: _desired = _desired! with { Name = name }; break;
                case ["want", ("running" or "stopped") and var power, .. var rest]:
                    _desired = (_desired ?? _machine) with
                    {
                        Power = Enum.Parse<DesiredPower>(power, ignoreCase: true),
                        PowerGeneration = (_desired?.PowerGeneration ?? 0) + 1,
                        StopDeadlineSeconds = rest is ["within", var deadline] ? int.Parse(deadline, CultureInfo.InvariantCulture) : 60,
                    };
                    break;
                case ["want", "rebuild"]:
                    var number = _desired!.PowerGeneration + 1;
                    (_before, _desired) = (_desired, _desired with { PowerGeneration = number, Disks = [_desired.Disks[0] with { Generation = number }], Seed = _desired.Seed with { Generation = number } });
                    break;
                case ["want", "no", "rebuild"]: _desired = _before! with { PowerGeneration = _desired!.PowerGeneration }; break;
                case ["delete"]: (_desired, _is.Tombstone) = (null, true); break;
                case ["forget"]: _desired = null; break;
                case ["image", "missing"]: _is.Image = false; break;
                case ["image", "arrives"]: _is.Image = true; break;
                case ["guest", "shuts", "down"]: (_domain, _off) = (DomainState.Off, OffReason.GuestShutdown); break;
                case ["guest", "crashes"]: (_domain, _off) = (DomainState.Off, OffReason.Crashed); break;
                case ["guest", "is", "paused"]: _domain = DomainState.Paused; break;
                case ["hypervisor", "will", "die", "in", "the", "start"]: _cutShort = true; break;
                case ["somebody", "starts", "it"]: Run(); break;
                case ["somebody", "removes", "its", "disk"]: _is.Files = false; break;
                case ["agent", "restarts"]: _asked = null; break;
                case ["agent", "loses", "its", "memory"]: (_asked, _facts) = (null, new MachineFacts(_machine.Vm)); break;
                case ["host", "restarts"]:
                    _boots++;
                    if (_domain != DomainState.Absent) (_domain, _off) = (DomainState.Off, OffReason.None);
                    _asked = null;
                    break;
                case ["wait", var seconds]: Wait(TimeSpan.FromSeconds(int.Parse(seconds, CultureInfo.InvariantCulture))); return;
                default: throw new InvalidDataException($"'{command}' is no command of a story");
            }
            Reconcile();
        }

        private void Wait(TimeSpan time)
        {
            var until = _now + time;
            while (_due is { } due && due <= until)
            {
                _now = due > _now ? due : _now;
                Reconcile();
            }
            _now = until;
        }

        private void Reconcile()
        {
            for (var acts = 0; ; acts++)
            {
                Assert.True(acts < 20, "it never rests");
                _facts = _facts.Seen(_domain, _off, _domain is DomainState.Running or DomainState.Paused ? $"start-{_starts}" : "", Boot, _now);
                var action = MachinePlan.Next(new MachineView(_desired, _is.Tombstone, _domain, _is.Files, _facts, Boot, _asked, _ => _is.Image, _disk, _former), _now);
                _due = (action as Rest)?.Until;
                if (action is Rest) return;
                var fulfilledBefore = _is.Fulfilled;
                if (!Do(action)) return;
                if (action is Fulfilled && fulfilledBefore) return;
            }
        }

        /// <summary>Plays the host. False when there is nothing more to do now.</summary>
        private bool Do(MachineAction action)
        {
            switch (action)
            {
                case Remember remember:
                    Say($"settled for {remember.Facts.SettledFor}, {(_domain is DomainState.Running or DomainState.Paused ? "running" : $"off: {remember.Facts.Off}")}");
                    _facts = remember.Facts;
                    return true;
                case AwaitImage: Say("awaits the image"); return false;
                case MakeDisks:
                    Say("makes the disk");
                    (_is.Files, _former, _facts) = (true, _domain != DomainState.Absent && _desired!.DiskGeneration != _disk, _facts with { DiskReadyAt = _now, DiskFor = _desired!.DiskGeneration });
                    return true;
                case TakeNewDisks take:
                    Say($"gives it disk {take.Machine.DiskGeneration}");
                    _disk = take.Machine.DiskGeneration;
                    return true;
                case RemoveFormerDisks remove:
                    Say($"removes all disks but {remove.Generation}");
                    _former = false;
                    return true;
                case DefineDomain:
                    Say("defines");
                    (_domain, _off, _facts) = (DomainState.Off, OffReason.NeverStarted, _facts.DefinedAs(_desired!) with { DefinedAt = _now });
                    return true;
                case AdjustDomain adjust:
                    Say($"adjusts: {adjust.Machine.Name}, {adjust.Machine.Vcpus} vCPU, {adjust.Machine.MemoryMib} MiB");
                    _facts = _facts.DefinedAs(adjust.Machine);
                    return true;
                case StartDomain start:
                    Say($"starts, for {start.PowerGeneration}");
                    Run();
                    if (_cutShort)
                    {
                        Say("made, and never let run");
                        (_cutShort, _domain) = (false, DomainState.Paused);
                        return true;
                    }
                    _facts = _facts.Seen(_domain, _off, $"start-{_starts}", Boot, _now) with { SettledFor = start.PowerGeneration };
                    return true;
                case AskShutdown ask:
                    Say("asks the guest to shut down");
                    if (_facts.ShutdownAskedFor < ask.PowerGeneration) _facts = _facts with { ShutdownAskedFor = ask.PowerGeneration, ShutdownAskedAt = _now };
                    _asked = _now;
                    return true;
                case SwitchDomainOff:
                    Say("switches off");
                    (_domain, _off, _facts) = (DomainState.Off, OffReason.SwitchedOff, _facts with { Off = OffReason.SwitchedOff });
                    return true;
                case UndefineDomain:
                    Say("undefines");
                    (_domain, _facts) = (DomainState.Absent, _facts with { DefinedAt = null, Title = "", Defined = null });
                    return true;
                case RemoveDisks:
                    Say("removes the disk");
                    (_is.Files, _facts) = (false, _facts with { DiskReadyAt = null });
                    return true;
                case Fulfilled:
                    if (!_is.Fulfilled) Say("is gone");
                    _is.Fulfilled = true;
                    return false;
                case Refuse refuse: Say($"refuses: {refuse.Code}"); return false;
                default: throw new ArgumentOutOfRangeException(nameof(action), action, null);
            }
        }

        private void Run()
        {
            _starts++;
            (_domain, _off) = (DomainState.Running, OffReason.None);
        }

        private Guid Boot => new(_boots, 0, 0, new byte[8]);

        private void Say(string what) => Log.Add($"{(_now - Begin).TotalSeconds,5:0}s {what}");
    }
}
