using System.Text;
using Plinth.Agents.Machines.Serial;

namespace Plinth.Agents.Simulation;

/// <summary>
/// The serial console of a simulated guest: boot messages at their times since the start, then a prompt that echoes what is typed.
/// Made only when somebody looks, so a fleet of VMs costs nothing.
/// </summary>
internal sealed class SimulatedConsole : IDisposable
{
    private readonly Lock _gate = new();
    private readonly StringBuilder _line = new();
    private readonly (double At, string Text)[] _script;
    private readonly string _hostname;
    private DateTimeOffset _startedAt;
    private readonly TimeProvider _time;
    private readonly ITimer _timer;
    private int _printed;

    public SimulatedConsole(string hostname, int vcpus, int memoryMib, DateTimeOffset startedAt, TimeSpan boot, TimeProvider time)
    {
        (_hostname, _startedAt, _time) = (hostname, startedAt, time);
        _script = Script(hostname, vcpus, memoryMib, boot.TotalSeconds);
        _timer = time.CreateTimer(_ => Advance(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        Advance();
    }

    public SerialFeed Feed { get; } = new();

    public Stream Open() => Feed.Attach((typed, _) =>
    {
        Type(Encoding.UTF8.GetString(typed.Span));
        return ValueTask.CompletedTask;
    });

    /// <summary>The guest boots anew on the same console.</summary>
    public void Reboot(DateTimeOffset at)
    {
        lock (_gate) (_startedAt, _printed) = (at, 0);
        Advance();
    }

    public void Dispose()
    {
        _timer.Dispose();
        Feed.End();
    }

    private static (double At, string Text)[] Script(string hostname, int vcpus, int memoryMib, double boot) =>
    [
        (0, "SeaBIOS (simulated)\r\nBooting from Hard Disk...\r\n"),
        (boot * 0.10, "[    0.000000] Linux version 6.1.0-simulated (no guest is executed on a simulated host)\r\n"),
        (boot * 0.15, $"[    0.021000] smpboot: Allowing {vcpus} CPUs, 0 hotplug CPUs\r\n"),
        (boot * 0.20, $"[    0.045000] Memory: {memoryMib * 1024}K available\r\n"),
        (boot * 0.45, "[    0.412000] virtio_blk virtio1: [vda]\r\n[    0.498000] virtio_net virtio0 eth0: link is up\r\n"),
        (boot * 0.80, "[    0.903000] systemd[1]: Reached target Network is Online (simulated).\r\n"),
        (boot, $"\r\nPlinth guest {hostname} ready (simulated)\r\n\r\n{hostname}:~# "),
    ];

    private void Advance()
    {
        lock (_gate)
        {
            var since = (_time.GetUtcNow() - _startedAt).TotalSeconds;
            while (_printed < _script.Length && _script[_printed].At <= since) Print(_script[_printed++].Text);
            if (_printed < _script.Length) _timer.Change(TimeSpan.FromSeconds(Math.Max(0.001, _script[_printed].At - since)), Timeout.InfiniteTimeSpan);
        }
    }

    private void Type(string text)
    {
        lock (_gate)
        {
            // Like a terminal that nobody reads yet: what is typed before the prompt is lost.
            if (_printed < _script.Length) return;
            foreach (var c in text)
            {
                switch (c)
                {
                    case '\r' or '\n':
                        Print("\r\n" + Answer(_line.ToString().Trim()) + $"{_hostname}:~# ");
                        _line.Clear();
                        break;
                    case '\b' or '\u007f':
                        if (_line.Length == 0) break;
                        _line.Length--;
                        Print("\b \b");
                        break;
                    case >= ' ' when _line.Length < 200:
                        _line.Append(c);
                        Print(c.ToString());
                        break;
                }
            }
        }
    }

    private string Answer(string command) => command switch
    {
        "" => "",
        "hostname" => _hostname + "\r\n",
        "uptime" => $" up {(long)(_time.GetUtcNow() - _startedAt).TotalSeconds} seconds\r\n",
        _ => $"{command.Split(' ')[0]}: this guest is simulated and runs nothing; try hostname or uptime\r\n",
    };

    private void Print(string text) => Feed.Publish(Encoding.UTF8.GetBytes(text));
}
