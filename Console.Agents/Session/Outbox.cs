using System.Collections.Concurrent;
using Plinth.Agents.Reconcile;
using Plinth.Core.Inventory;
using Plinth.Core.Primitives;
using Plinth.Core.Protocol;

namespace Plinth.Agents.Session;

/// <summary>
/// What one session sends, one message after the other: answers first, then the report, then telemetry. Reports are made at the
/// moment of sending, so a slow console gets fewer of them and never old ones; telemetry that finds no room is dropped and counted.
/// </summary>
internal sealed class Outbox(IConsoleConnection connection, HostReconciler reconciler, HostVitals vitals, TimeProvider time, TimeSpan reportEvery)
{
    /// <summary>Changes that come together go out together.</summary>
    public static readonly TimeSpan CoalesceFor = TimeSpan.FromMilliseconds(50);

    /// <summary>Half a minute of telemetry; what is older tells little.</summary>
    public const int MaxWaitingBatches = 3;

    /// <summary>The self-test of virtualization takes seconds; a host without facts cannot be used, but it can say why.</summary>
    private static readonly TimeSpan WaitForFacts = TimeSpan.FromSeconds(15);

    private readonly ConcurrentQueue<AgentMessage> _answers = new();
    private readonly ConcurrentQueue<(HostSample Host, IReadOnlyList<VmSample> Machines)> _telemetry = new();
    private readonly WakeSignal _wake = new(time);
    private readonly ReportComposer _reports = new();
    private readonly DateTimeOffset _begun = time.GetUtcNow();
    private Epoch _epoch;
    private bool _changed;
    private bool _fullWanted;
    private bool _fullSent;
    private bool _nothingToTell;
    private DateTimeOffset _fullAt = DateTimeOffset.MaxValue;
    private DateTimeOffset _reportedAt = DateTimeOffset.MinValue;
    private long _messages;
    private long _batches;
    private int _dropped;

    /// <summary>A complete picture of the host was sent.</summary>
    public event Action? ToldInFull;

    public void Answer(AgentMessage message)
    {
        _answers.Enqueue(message);
        _wake.Set();
    }

    /// <summary>The session is open under this epoch: everything is to be reported.</summary>
    public void Open(Epoch epoch)
    {
        _epoch = epoch;
        Volatile.Write(ref _fullWanted, true);
        _wake.Set();
    }

    public void HostChanged()
    {
        Volatile.Write(ref _changed, true);
        _wake.Set();
    }

    public void Offer(HostSample host, IReadOnlyList<VmSample> machines)
    {
        _telemetry.Enqueue((host, machines));
        while (_telemetry.Count > MaxWaitingBatches && _telemetry.TryDequeue(out _)) Interlocked.Increment(ref _dropped);
        _wake.Set();
    }

    /// <summary>Batches that were dropped before this session.</summary>
    public void CountDropped(int batches) => Interlocked.Add(ref _dropped, batches);

    /// <summary>What was offered or dropped and never sent; the next session counts it.</summary>
    public int Unsent => _telemetry.Count + Volatile.Read(ref _dropped);

    /// <summary>Sends until stopped, or until the connection fails.</summary>
    public async Task Run(CancellationToken stop)
    {
        while (true)
        {
            await _wake.Wait(Due(), stop);
            while (_answers.TryDequeue(out var answer)) await Send(answer, stop);
            if (_epoch == Epoch.None) continue;
            if (NextReport() is { } report)
            {
                await Send(new Report(_epoch, report), stop);
                if (report.Full) ToldInFull?.Invoke();
            }
            if (_telemetry.TryDequeue(out var sample))
            {
                var dropped = Interlocked.Exchange(ref _dropped, 0);
                await Send(new TelemetryBatch(_epoch, ++_batches, dropped, sample.Host, sample.Machines), stop);
                if (!_telemetry.IsEmpty) _wake.Set();
            }
        }
    }

    private DateTimeOffset Due()
    {
        var latest = time.GetUtcNow() + reportEvery;
        if (_epoch == Epoch.None) return latest;
        // What is awaited wakes the loop when it comes.
        if (_nothingToTell) return vitals.Facts is null && time.GetUtcNow() < _begun + WaitForFacts ? _begun + WaitForFacts : latest;
        return Earlier(Volatile.Read(ref _changed) ? Earlier(_fullAt, _reportedAt + CoalesceFor) : _fullAt, latest);
    }

    private ObservedHostState? NextReport()
    {
        var now = time.GetUtcNow();
        var host = reconciler.Observe();
        // No facts yet, or nothing was seen yet and nothing is known to be wrong.
        _nothingToTell = (vitals.Facts is null && now < _begun + WaitForFacts) || (!host.Complete && host.Facilities.Count == 0);
        if (_nothingToTell) return null;
        ObservedHostState? report;
        // The first complete picture of a session goes out in full at once.
        var full = Volatile.Read(ref _fullWanted) || now >= _fullAt || (host.Complete && !_fullSent);
        if (full)
        {
            Volatile.Write(ref _changed, false);
            _fullSent |= host.Complete;
            Volatile.Write(ref _fullWanted, false);
            _fullAt = now + reportEvery;
            report = _reports.Full(host, vitals.Facts, vitals.Free, now);
        }
        else if (Volatile.Read(ref _changed) && now - _reportedAt >= CoalesceFor)
        {
            Volatile.Write(ref _changed, false);
            // Read again: what changed after the flag was lowered raises it anew.
            report = _reports.Changes(reconciler.Observe(), vitals.Facts, vitals.Free, now);
        }
        else
        {
            return null;
        }
        if (report is not null) _reportedAt = now;
        return report;
    }

    private async Task Send(AgentMessage message, CancellationToken stop)
    {
        foreach (var frame in FrameCutter.Cut(++_messages, message)) await connection.Send(frame, stop);
    }

    private static DateTimeOffset Earlier(DateTimeOffset a, DateTimeOffset b) => a < b ? a : b;
}
