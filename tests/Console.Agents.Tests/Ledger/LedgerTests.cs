using Plinth.Agents.Ledger;
using Plinth.Core.Primitives;
using Plinth.Core.Protocol;
using Xunit;

namespace Plinth.Agents.Tests.Ledger;

public sealed class LedgerTests : IDisposable
{
    private static readonly DateTimeOffset Now = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);
    private readonly string _directory = Directory.CreateTempSubdirectory("plinth-ledger").FullName;

    private string Path => System.IO.Path.Combine(_directory, AgentLedger.FileName);

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    private static DesiredHostState Desired(long generation) => new(new Generation(generation), [], [], [], [new Tombstone(new VmId(Guid.NewGuid()))]);

    private static IReadOnlyList<LedgerEntry> Story()
    {
        var vm = new VmId(Guid.CreateVersion7(Now));
        var command = new CommandRecord(CommandId.New(Now), Now.AddMinutes(1), false, false, "", false);
        return
        [
            new EpochEntry(new Epoch(3)),
            new DesiredEntry(Desired(7)),
            new CommandEntry(command),
            new MachineEntry(new MachineFacts(vm, DiskReadyAt: Now, SettledFor: 1, Off: OffReason.GuestShutdown)),
            new CommandEntry(command with { Finished = true, Succeeded = true, Message = "done" }),
            new MachineEntry(new MachineFacts(vm, SettledFor: 2, Started: true, StartKey: "17")),
            new DesiredEntry(Desired(8)),
            new CommandForgottenEntry(command.Id),
            new MachineForgottenEntry(vm),
        ];
    }

    private static LedgerState Fold(IEnumerable<LedgerEntry> entries) => entries.Aggregate(LedgerState.Empty, (s, e) => s.With(e));

    private static void Same(LedgerState expected, LedgerState actual)
    {
        Assert.Equal(expected.LastEpoch, actual.LastEpoch);
        Assert.Equal(expected.Generation, actual.Generation);
        Assert.Equal(expected.Desired?.Tombstones.Single(), actual.Desired?.Tombstones.Single());
        Assert.Equal(expected.Commands.OrderBy(c => c.Key.Value), actual.Commands.OrderBy(c => c.Key.Value));
        Assert.Equal(expected.Machines.OrderBy(c => c.Key.Value), actual.Machines.OrderBy(c => c.Key.Value));
    }

    [Fact]
    public void What_was_recorded_is_there_after_reopening()
    {
        var story = Story();
        using (var ledger = AgentLedger.Open(_directory)) foreach (var entry in story) ledger.Record(entry);
        using var again = AgentLedger.Open(_directory);
        Same(Fold(story), again.State);
    }

    [Fact]
    public void Cut_at_any_byte_it_holds_exactly_the_records_before_the_cut_and_goes_on()
    {
        var story = Story();
        var ends = new List<long>();
        using (var ledger = AgentLedger.Open(_directory, durable: false))
        {
            foreach (var entry in story)
            {
                ledger.Record(entry);
                ends.Add(new FileInfo(Path).Length);
            }
        }
        var whole = File.ReadAllBytes(Path);
        for (var cut = 8; cut <= whole.Length; cut++)
        {
            File.WriteAllBytes(Path, whole[..cut]);
            var kept = ends.Count(e => e <= cut);
            using (var ledger = AgentLedger.Open(_directory, durable: false))
            {
                Same(Fold(story.Take(kept)), ledger.State);
                ledger.Record(new EpochEntry(new Epoch(99)));
            }
            using var again = AgentLedger.Open(_directory, durable: false);
            Same(Fold([.. story.Take(kept), new EpochEntry(new Epoch(99))]), again.State);
        }
    }

    [Fact]
    public void A_flipped_bit_ends_the_journal_before_its_record()
    {
        var story = Story();
        using (var ledger = AgentLedger.Open(_directory, durable: false)) foreach (var entry in story) ledger.Record(entry);
        var whole = File.ReadAllBytes(Path);
        for (var at = 8; at < whole.Length; at += 7)
        {
            var damaged = (byte[])whole.Clone();
            damaged[at] ^= 0x10;
            File.WriteAllBytes(Path, damaged);
            using var ledger = AgentLedger.Open(_directory, durable: false);
            Assert.Contains(Enumerable.Range(0, story.Count), n => Fold(story.Take(n)).Entries().Count() == ledger.State.Entries().Count());
        }
    }

    [Fact]
    public void Compaction_keeps_the_state_and_bounds_the_file()
    {
        var vm = new VmId(Guid.CreateVersion7(Now));
        var text = new string('x', 2000);
        using (var ledger = AgentLedger.Open(_directory, durable: false))
        {
            for (var i = 1; i <= 3000; i++) ledger.Record(new MachineEntry(new MachineFacts(vm, SettledFor: i, StartKey: text)));
            ledger.Record(new EpochEntry(new Epoch(5)));
        }
        Assert.InRange(new FileInfo(Path).Length, 1, 1_100_000);
        using var again = AgentLedger.Open(_directory);
        Assert.Equal(3000, again.State.Facts(vm).SettledFor);
        Assert.Equal(new Epoch(5), again.State.LastEpoch);
    }

    [Fact]
    public void A_half_written_compaction_is_ignored()
    {
        using (var ledger = AgentLedger.Open(_directory)) ledger.Record(new EpochEntry(new Epoch(5)));
        File.WriteAllText(Path + ".new", "PLINTHJ1 half");
        using var again = AgentLedger.Open(_directory);
        Assert.Equal(new Epoch(5), again.State.LastEpoch);
    }

    [Fact]
    public void A_foreign_file_is_refused_and_left_alone()
    {
        File.WriteAllText(Path, "something else entirely");
        var e = Assert.Throws<InvalidDataException>(() => AgentLedger.Open(_directory));
        Assert.Contains("move it away", e.Message);
        Assert.Equal("something else entirely", File.ReadAllText(Path));
    }

    [Fact]
    public void A_second_agent_on_the_same_data_is_refused()
    {
        using var first = AgentLedger.Open(_directory);
        Assert.Contains("another agent runs", Assert.Throws<IOException>(() => AgentLedger.Open(_directory)).Message);
    }

    [Fact]
    public void The_journal_is_readable_by_its_owner_alone()
    {
        using var ledger = AgentLedger.Open(_directory);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path));
    }
}
