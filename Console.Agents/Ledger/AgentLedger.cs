using System.Text.Json;

namespace Plinth.Agents.Ledger;

/// <summary>The agent's memory over restarts. What was recorded is in the file when <see cref="Record"/> returns. Safe for use from several threads.</summary>
internal sealed class AgentLedger : IDisposable
{
    public const string FileName = "journal";

    /// <summary>Below this size compaction saves nothing worth a rewrite.</summary>
    private const long CompactAboveBytes = 1024 * 1024;

    private readonly Lock _gate = new();
    private readonly Journal _journal;
    private readonly bool _durable;
    private long _compactAt;

    private AgentLedger(Journal journal, LedgerState state, bool durable) => (_journal, State, _durable) = (journal, state, durable);

    public LedgerState State { get; private set; }

    /// <param name="durable">False for simulated hosts: hundreds of them would wait for one disk, and nothing of theirs outlives the machine.</param>
    /// <exception cref="InvalidDataException">The journal holds what this version does not understand.</exception>
    public static AgentLedger Open(string directory, bool durable = true)
    {
        Directory.CreateDirectory(directory);
        var path = Path.Combine(directory, FileName);
        var (journal, records) = Journal.Open(path);
        try
        {
            var state = LedgerState.Empty;
            foreach (var record in records) state = state.With(Read(record, path));
            var ledger = new AgentLedger(journal, state, durable);
            ledger.ScheduleCompaction();
            return ledger;
        }
        catch
        {
            journal.Dispose();
            throw;
        }
    }

    public void Record(params IReadOnlyList<LedgerEntry> entries)
    {
        if (entries.Count == 0) return;
        var payloads = entries.Select(Write).ToList();
        lock (_gate)
        {
            _journal.Append(payloads, _durable && entries.Any(e => e.Durable));
            foreach (var entry in entries) State = State.With(entry);
            if (_journal.SizeBytes < _compactAt) return;
            _journal.Compact(State.Entries().Select(Write));
            ScheduleCompaction();
        }
    }

    public void Dispose()
    {
        lock (_gate) _journal.Dispose();
    }

    // Three times what is live: each byte is rewritten once per two bytes appended, at most.
    private void ScheduleCompaction() => _compactAt = Math.Max(CompactAboveBytes, 3 * State.Entries().Sum(e => (long)Write(e).Length));

    private static byte[] Write(LedgerEntry entry) => JsonSerializer.SerializeToUtf8Bytes(entry, LedgerJson.Default.LedgerEntry);

    private static LedgerEntry Read(byte[] record, string path)
    {
        try
        {
            return JsonSerializer.Deserialize(record, LedgerJson.Default.LedgerEntry) ?? throw new JsonException("an empty entry");
        }
        catch (Exception e) when (e is JsonException or NotSupportedException)
        {
            throw new InvalidDataException($"{path} holds an entry that this version of the agent does not understand ({e.Message}); run the version that wrote it.", e);
        }
    }
}
