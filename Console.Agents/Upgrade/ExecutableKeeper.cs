using System.ComponentModel;
using System.Diagnostics;
using System.Security.Cryptography;
using System.Text.Json;
using Plinth.Agents.Ledger;
using Plinth.Agents.Machines;
using Plinth.Core.Primitives;
using Plinth.Core.Protocol;

namespace Plinth.Agents.Upgrade;

/// <summary>Where the bytes of an executable come from.</summary>
internal interface IExecutableSource
{
    /// <exception cref="HypervisorException">The console does not have it, or does not answer.</exception>
    Task<Stream> Open(string digest, CancellationToken stop);
}

/// <summary>
/// Holds the executables of this agent in the data directory: the one that runs, the one before, one on trial; each under its digest, with
/// <see cref="ExecutableState"/> saying which is which. What is started from outside only hands over to the one that was chosen.
/// </summary>
internal sealed class ExecutableKeeper
{
    public const string DirectoryName = "executable";

    private const string FileName = "plinth-agent", StateName = "state.json";

    private static readonly TimeSpan SaysVersionWithin = TimeSpan.FromSeconds(20);

    // Another child of this process, made while the file was written, holds it open until it has become its program.
    private const int TextFileBusy = 26, BusyAttempts = 20;

    private static readonly TimeSpan BusyPause = TimeSpan.FromMilliseconds(100);

    private readonly string _directory;
    private readonly string _path;
    private readonly string _image;
    private readonly ExecutableFile _running;
    private readonly AgentLog _log;
    private readonly Lock _gate = new();
    private ExecutableState _state;

    private ExecutableKeeper(string directory, string path, string image, ExecutableFile running, bool onTrial, ExecutableState state, AgentLog log) =>
        (_directory, _path, _image, _running, OnTrial, _state, _log) = (directory, path, image, running, onTrial, state, log);

    /// <param name="data">The agent's data directory.</param>
    /// <param name="path">The executable of this process, by the name it was started under.</param>
    /// <param name="image">The same as it really is: another one may have been installed under that name since.</param>
    /// <param name="installed">Digest of the executable that handed over to this one; null where this one was started from outside.</param>
    public static ExecutableKeeper Open(string data, string path, string image, string version, string? installed, bool onTrial, AgentLog log)
    {
        var directory = Path.Combine(data, DirectoryName);
        Directory.CreateDirectory(directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var running = new ExecutableFile(version, DigestOf(image));
        var stored = Read(directory, log);
        var keeper = new ExecutableKeeper(directory, path, image, running, onTrial, stored ?? ExecutableState.Of(running) with { Installed = installed ?? running.Digest }, log);
        // What was handed over to leaves the choice as it is: it was just made.
        if (stored is not null && installed is null) keeper.Keep(stored.StartedBy(running));
        return keeper;
    }

    /// <summary>The former executable watches this one.</summary>
    public bool OnTrial { get; }

    public AgentExecutable Facts => new(_state.Previous?.Version, OnTrial, _state.Setback);

    public ExecutableState State => _state;

    /// <summary>Digest of what is started from outside, for those that it hands over to.</summary>
    public string Installed => _state.Installed;

    /// <summary>The executable to hand over to; null where this one is the right one, or the right one is damaged.</summary>
    public string? Successor
    {
        get
        {
            if (OnTrial || _state.Current.Digest == _running.Digest) return null;
            var path = PathOf(_state.Current);
            if (File.Exists(path) && DigestOf(path) == _state.Current.Digest) return path;
            _log.Warn($"agent {_state.Current.Version}, which was chosen last, is missing or damaged in {path}; {_running.Version} goes on");
            return null;
        }
    }

    /// <summary>What this process becomes after a trial.</summary>
    public (string Path, string[] Arguments) Next(string data)
    {
        // What was installed is started as from outside: another one may be there by now.
        if (Successor is null && !_path.StartsWith(_directory, StringComparison.Ordinal) && File.Exists(_path)) return (_path, AgentArguments.Anew(data));
        return (Successor ?? PathOf(_running), AgentArguments.HandOver(data, _state.Installed));
    }

    /// <summary>The file on trial; null where there is none.</summary>
    public string? Trial => _state.Trial is { } trial ? PathOf(trial.File) : null;

    /// <summary>Fetches and verifies an executable and puts it beside the running one. Nothing else changes before it is confirmed.</summary>
    /// <exception cref="HypervisorException">It cannot be had, or is not what was asked for.</exception>
    public async Task Fetch(UpgradeAgent wanted, CommandId attempt, IExecutableSource source, CancellationToken stop)
    {
        RefuseOnTrial();
        if (wanted.Digest == _running.Digest) throw new HypervisorException("same_executable", $"The agent runs this executable already; it says that it is {_running.Version}.");
        try
        {
            Tidy();
            Put(_running, _image);
            var file = new ExecutableFile(wanted.Version, wanted.Digest);
            if (!IsWhole(file))
            {
                var part = Path.Combine(_directory, "fetched.part");
                await using (var bytes = await source.Open(wanted.Digest, stop)) await Download(bytes, part, wanted, stop);
                Place(file, part);
            }
            await Ask(file, stop);
            Keep(_state.Try(file, attempt));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or HttpRequestException)
        {
            throw new HypervisorException("executable_fetch", $"Version {wanted.Version} could not be brought to {_directory}: {e.Message}", cause: e);
        }
    }

    /// <summary>Puts the previous executable on trial.</summary>
    /// <exception cref="HypervisorException">There is none of that version, or it is damaged.</exception>
    public async Task TakeBack(RevertAgent wanted, CommandId attempt, CancellationToken stop)
    {
        RefuseOnTrial();
        if (_state.Previous is not { } previous || previous.Version != wanted.Version)
            throw new HypervisorException("no_previous", $"Version {wanted.Version} is not kept here: {(_state.Previous is null ? "no previous version is" : $"the previous one is {_state.Previous.Version}")}.");
        if (!IsWhole(previous)) throw new HypervisorException("previous_damaged", $"Version {previous.Version}, which was kept in {PathOf(previous)}, is missing or damaged. Install its package on the host.");
        try
        {
            Put(_running, _image);
            await Ask(previous, stop);
            Keep(_state.Try(previous, attempt));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new HypervisorException("executable_fetch", $"Version {wanted.Version} could not be put on trial: {e.Message}", cause: e);
        }
    }

    /// <summary>This process, which is on trial, has proved itself: from now on every start hands over to it.</summary>
    public void Confirm()
    {
        if (!OnTrial || _state.Trial?.File.Digest != _running.Digest) return;
        Keep(_state.Confirmed());
        _log.Info($"version {_running.Version} is confirmed; {_state.Previous!.Version} is kept");
    }

    /// <summary>What the trial's process has left: true where it was confirmed. Otherwise it is put back, for this reason.</summary>
    public bool EndTrial(string reason)
    {
        var left = Read(_directory, _log) ?? _state;
        if (left.Trial is null)
        {
            lock (_gate) _state = left;
            return true;
        }
        Keep(left.PutBack(reason));
        _log.Warn($"version {left.Trial.File.Version} is put back: {reason}");
        return false;
    }

    public static string DigestOf(string path)
    {
        using var file = File.OpenRead(path);
        return "sha256:" + Convert.ToHexStringLower(SHA256.HashData(file));
    }

    private void RefuseOnTrial()
    {
        if (OnTrial) throw new HypervisorException("on_trial", $"Version {_running.Version} is on trial itself; ask again when it is confirmed.");
    }

    private string PathOf(ExecutableFile file) => Path.Combine(_directory, file.Digest["sha256:".Length..], FileName);

    private bool IsWhole(ExecutableFile file) => File.Exists(PathOf(file)) && DigestOf(PathOf(file)) == file.Digest;

    /// <summary>Keeps a copy: what is installed may be replaced or removed by others.</summary>
    private void Put(ExecutableFile file, string from)
    {
        if (IsWhole(file)) return;
        var part = Path.Combine(_directory, "kept.part");
        using (var bytes = File.OpenRead(from))
        using (var copy = Create(part))
        {
            bytes.CopyTo(copy);
            copy.Flush(flushToDisk: true);
        }
        Place(file, part);
    }

    private void Place(ExecutableFile file, string part)
    {
        var path = PathOf(file);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.Move(part, path, overwrite: true);
        DurableFile.SyncDirectory(Path.GetDirectoryName(path)!);
        DurableFile.SyncDirectory(_directory);
    }

    private static async Task Download(Stream from, string part, UpgradeAgent wanted, CancellationToken stop)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        await using var to = Create(part);
        var buffer = new byte[1 << 16];
        int read;
        while ((read = await from.ReadAsync(buffer, stop)) > 0)
        {
            if (to.Position + read > wanted.SizeBytes) throw new HypervisorException("executable_digest", $"The console sent more than the {wanted.SizeBytes} bytes of version {wanted.Version}; they were thrown away. Ask again.");
            hash.AppendData(buffer, 0, read);
            await to.WriteAsync(buffer.AsMemory(0, read), stop);
        }
        if (to.Position != wanted.SizeBytes) throw new HypervisorException("executable_digest", $"{to.Position} of the {wanted.SizeBytes} bytes of version {wanted.Version} arrived. Ask again.");
        var digest = "sha256:" + Convert.ToHexStringLower(hash.GetHashAndReset());
        if (digest != wanted.Digest) throw new HypervisorException("executable_digest", $"The console sent other bytes ({digest}) than version {wanted.Version} ({wanted.Digest}); they were thrown away. Ask again.");
        to.Flush(flushToDisk: true);
    }

    private static FileStream Create(string part)
    {
        File.Delete(part);
        return new FileStream(part, new FileStreamOptions
        {
            Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute,
        });
    }

    /// <summary>What cannot even say its version is not put on trial: the agent would be away for nothing.</summary>
    private async Task Ask(ExecutableFile file, CancellationToken stop)
    {
        var said = "";
        for (var attempt = 1; said.Length == 0; attempt++)
        {
            try
            {
                said = await Said(file, stop);
            }
            catch (Win32Exception e) when (e.NativeErrorCode == TextFileBusy && attempt < BusyAttempts)
            {
                await Task.Delay(BusyPause, stop);
            }
            catch (Win32Exception e)
            {
                throw new HypervisorException("executable_broken", $"The executable of version {file.Version} cannot be run on this host: {e.Message}", cause: e);
            }
        }
        if (said != file.Version) throw new HypervisorException("executable_version", $"The executable says that it is {said}, not {file.Version}; it was not started.");
    }

    private async Task<string> Said(ExecutableFile file, CancellationToken stop)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
        limit.CancelAfter(SaysVersionWithin);
        using var asked = Process.Start(new ProcessStartInfo(PathOf(file), "--version") { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true })!;
        try
        {
            var said = (await asked.StandardOutput.ReadToEndAsync(limit.Token)).Trim();
            await asked.WaitForExitAsync(limit.Token);
            if (asked.ExitCode != 0) throw new HypervisorException("executable_broken", $"The executable of version {file.Version} ends with code {asked.ExitCode} when it is asked for its version; it was not started.");
            return said.Length > 0 ? said : "nothing";
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            asked.Kill();
            throw new HypervisorException("executable_broken", $"The executable of version {file.Version} does not say its version within {SaysVersionWithin.TotalSeconds:0} s; it was not started.");
        }
    }

    /// <summary>Removes what no state speaks of: leftovers of crashes, and versions before the previous one.</summary>
    private void Tidy()
    {
        var kept = _state.Kept.Append(_running).Select(f => Path.GetDirectoryName(PathOf(f))).ToHashSet();
        foreach (var directory in Directory.GetDirectories(_directory).Where(d => !kept.Contains(d))) Directory.Delete(directory, recursive: true);
        foreach (var part in Directory.GetFiles(_directory, "*.part")) File.Delete(part);
    }

    private void Keep(ExecutableState state)
    {
        lock (_gate)
        {
            if (state == _state && File.Exists(Path.Combine(_directory, StateName))) return;
            DurableFile.Replace(Path.Combine(_directory, StateName), JsonSerializer.SerializeToUtf8Bytes(state, ExecutableJson.Default.ExecutableState));
            _state = state;
        }
    }

    // A damaged note of which version to run must not keep the installed one from running.
    private static ExecutableState? Read(string directory, AgentLog log)
    {
        var path = Path.Combine(directory, StateName);
        if (!File.Exists(path)) return null;
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(path), ExecutableJson.Default.ExecutableState) is { Current: not null, Installed: not null } state ? state : throw new JsonException("it is empty");
        }
        catch (JsonException e)
        {
            log.Warn($"{path} is damaged ({e.Message}); the installed agent runs");
            return null;
        }
    }
}
