using System.Text;
using Plinth.Agents.Libvirt;

namespace Plinth.Agents.Machines.Serial;

/// <summary>
/// The serial console of one running domain while somebody looks at it. Output comes from the log, so that each viewer sees each byte once and
/// nothing is lost over a restart of libvirtd; keystrokes go through libvirt's one console stream, opened when it is first needed and
/// again after it broke.
/// </summary>
internal sealed class SerialConsole : IAsyncDisposable
{
    // Looks immediate to a person, and costs 25 looks at a file's length per second while a console is open.
    private static readonly TimeSpan LogInterval = TimeSpan.FromMilliseconds(40);
    // Whether the domain still runs is also told by events; this is for those that were missed.
    private static readonly TimeSpan StateInterval = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan OneNoticePer = TimeSpan.FromSeconds(10);

    private readonly SerialLog _log;
    private readonly Func<CancellationToken, Task<ConsoleStream>> _openInput;
    private readonly Func<CancellationToken, Task<bool>> _stillRuns;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _stop = new();
    private readonly SemaphoreSlim _typing = new(1, 1);
    private readonly Task _pump;
    private ConsoleStream? _input;
    private DateTimeOffset _noticed;
    private long _position;
    private volatile bool _off;

    public SerialConsole(SerialLog log, Func<CancellationToken, Task<ConsoleStream>> openInput, Func<CancellationToken, Task<bool>> stillRuns, TimeProvider time)
    {
        (_log, _openInput, _stillRuns, _time) = (log, openInput, stillRuns, time);
        Feed.Publish(_log.Read(ref _position));
        _pump = Task.Run(Pump);
    }

    public SerialFeed Feed { get; } = new();

    public Stream Open() => Feed.Attach(Type);

    /// <summary>The domain went off: what is still in the log is given, then the streams end.</summary>
    public void DomainOff() => _off = true;

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _pump.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        Feed.End();
        _input?.Dispose();
    }

    private async Task Pump()
    {
        var askState = _time.GetUtcNow() + StateInterval;
        while (!_stop.IsCancellationRequested)
        {
            var off = _off;
            Feed.Publish(_log.Read(ref _position));
            if (off)
            {
                Feed.End();
                return;
            }
            if (_time.GetUtcNow() >= askState)
            {
                _off |= !await StillRuns();
                askState = _time.GetUtcNow() + StateInterval;
            }
            await Task.Delay(LogInterval, _time, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task<bool> StillRuns()
    {
        try
        {
            return await _stillRuns(_stop.Token);
        }
        catch (Exception e) when (e is HypervisorException or OperationCanceledException)
        {
            // libvirtd is away; the guest is most likely not.
            return true;
        }
    }

    private async ValueTask Type(ReadOnlyMemory<byte> keys, CancellationToken stop)
    {
        await _typing.WaitAsync(stop);
        try
        {
            if (_input is not { Open: true })
            {
                _input?.Dispose();
                _input = await _openInput(stop);
            }
            if (!_input.Send(keys.Span)) Notice("the guest does not read what is typed");
        }
        catch (HypervisorException e)
        {
            Notice(e.Message);
        }
        finally
        {
            _typing.Release();
        }
    }

    private void Notice(string why)
    {
        var now = _time.GetUtcNow();
        if (now - _noticed < OneNoticePer) return;
        _noticed = now;
        Feed.Publish(Encoding.UTF8.GetBytes($"\r\n[not typed: {why}]\r\n"));
    }
}
