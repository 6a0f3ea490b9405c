using System.Collections.Concurrent;
using System.Diagnostics;

namespace Plinth.EndToEnd.Tests.Lab;

/// <summary>A program under test: its lines, its end, and kill -9.</summary>
public sealed class RunningProgram : IAsyncDisposable
{
    private readonly Process _process;
    private readonly ConcurrentQueue<string> _lines = new();

    private RunningProgram(Process process) => _process = process;

    public IEnumerable<string> Lines => _lines;
    public bool HasExited => _process.HasExited;
    public int ExitCode => _process.ExitCode;
    public int Id => _process.Id;

    public static RunningProgram Start(string file, IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment = null)
    {
        var info = new ProcessStartInfo(file) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = Repository.Root };
        foreach (var argument in arguments) info.ArgumentList.Add(argument);
        foreach (var (key, value) in environment ?? new Dictionary<string, string>()) info.Environment[key] = value;
        var program = new RunningProgram(new Process { StartInfo = info });
        program._process.OutputDataReceived += (_, e) => { if (e.Data is not null) program._lines.Enqueue(e.Data); };
        program._process.ErrorDataReceived += (_, e) => { if (e.Data is not null) program._lines.Enqueue(e.Data); };
        program._process.Start();
        program._process.BeginOutputReadLine();
        program._process.BeginErrorReadLine();
        return program;
    }

    /// <summary>Runs to the end and gives what it printed; throws when it fails.</summary>
    public static async Task<string> Run(string file, params string[] arguments)
    {
        await using var program = Start(file, arguments);
        await program.End(TimeSpan.FromMinutes(2));
        var text = string.Join('\n', program.Lines);
        return program.ExitCode == 0 ? text : throw new InvalidOperationException($"{file} {string.Join(' ', arguments)} ended with {program.ExitCode}:\n{text}");
    }

    public Task<string> Line(string containing, TimeSpan? deadline = null) => Wait.For(
        $"the line '{containing}'",
        () => Task.FromResult(_lines.FirstOrDefault(l => l.Contains(containing, StringComparison.Ordinal))
            ?? (_process.HasExited ? throw new InvalidOperationException($"ended with {_process.ExitCode}:\n{string.Join('\n', _lines)}") : null)),
        deadline ?? TimeSpan.FromMinutes(2));

    public async Task End(TimeSpan deadline)
    {
        using var stop = new CancellationTokenSource(deadline);
        await _process.WaitForExitAsync(stop.Token);
    }

    public async Task Terminate()
    {
        if (_process.HasExited) return;
        await Run("/bin/kill", "-TERM", _process.Id.ToString());
        await End(TimeSpan.FromSeconds(30));
    }

    public async Task Kill9()
    {
        if (!_process.HasExited) _process.Kill();
        await _process.WaitForExitAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited) _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
        _process.Dispose();
    }
}
