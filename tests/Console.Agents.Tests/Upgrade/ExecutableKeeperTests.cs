using System.Diagnostics;
using Plinth.Agents.Machines;
using Plinth.Agents.Upgrade;
using Plinth.Core.Primitives;
using Plinth.Core.Protocol;
using Xunit;

namespace Plinth.Agents.Tests.Upgrade;

/// <summary>Executables that are fetched, tried, confirmed and put back, with real files and processes: scripts that say their version and behave as a test wants.</summary>
public sealed class ExecutableKeeperTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("plinth-executable").FullName;
    private readonly string _installed;
    private readonly FakeSource _source = new();

    public ExecutableKeeperTests()
    {
        _installed = Path.Combine(_directory, "installed");
        Write(_installed, Script("0.1.0", "exit 1"));
    }

    private string Data => Path.Combine(_directory, "data");
    private string Kept => Path.Combine(Data, ExecutableKeeper.DirectoryName);

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    private static byte[] Script(string version, string otherwise) => System.Text.Encoding.UTF8.GetBytes($"#!/bin/sh\n[ \"$1\" = --version ] && {{ echo {version}; exit 0; }}\n{otherwise}\n");

    private static void Write(string path, byte[] content)
    {
        File.WriteAllBytes(path, content);
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    private ExecutableKeeper Open(string? path = null, string version = "0.1.0", string? installed = null, bool onTrial = false)
    {
        Directory.CreateDirectory(Data);
        return ExecutableKeeper.Open(Data, path ?? _installed, path ?? _installed, version, installed, onTrial, AgentLog.Silent);
    }

    /// <summary>The agent is told of a version that behaves like that.</summary>
    private async Task<UpgradeAgent> Told(ExecutableKeeper keeper, string version, string otherwise, CommandId? attempt = null)
    {
        _source.Bytes = Script(version, otherwise);
        var wanted = new UpgradeAgent(version, _source.Digest, _source.Bytes.Length);
        await keeper.Fetch(wanted, attempt ?? CommandId.New(DateTimeOffset.UtcNow), _source, CancellationToken.None);
        return wanted;
    }

    /// <summary>Has its trial confirmed, as the process on trial does it.</summary>
    private void Confirm(ExecutableKeeper keeper) => Open(keeper.Trial!, keeper.State.Trial!.File.Version, keeper.Installed, onTrial: true).Confirm();

    private Task<bool> Try(ExecutableKeeper keeper, TimeSpan? within = null) => new TrialRun(keeper, Data, within ?? TimeSpan.FromSeconds(60), AgentLog.Silent).Run(CancellationToken.None);

    [Fact]
    public async Task What_was_fetched_lies_beside_the_running_one_and_nothing_else_has_changed()
    {
        var keeper = Open();
        Assert.Equal(new AgentExecutable(null, false, null), keeper.Facts);
        var wanted = await Told(keeper, "0.2.0", "exit 1");
        Assert.Equal(_source.Bytes, File.ReadAllBytes(keeper.Trial!));
        Assert.Equal((wanted.Digest, "0.1.0"), (keeper.State.Trial!.File.Digest, keeper.State.Current.Version));
        Assert.Null(keeper.Successor);
        Assert.Equal([_installed, .. AgentArguments.Anew(Data)], [keeper.Next(Data).Path, .. keeper.Next(Data).Arguments]);
        // The running one is kept as well: whoever removes the installed file does not take the agent away.
        File.Delete(_installed);
        Assert.Equal("0.1.0", await Said(keeper.Next(Data).Path));
    }

    [Theory]
    [InlineData("other bytes", "sent other bytes")]
    [InlineData("fewer", "of the")]
    [InlineData("more", "sent more than")]
    [InlineData("another version", "says that it is 0.9.0, not 0.2.0")]
    [InlineData("no program", "cannot be run on this host")]
    [InlineData("broken", "ends with code 3")]
    public async Task What_is_not_what_was_promised_is_refused_and_leaves_no_trial(string what, string reason)
    {
        var keeper = Open();
        var good = what switch { "another version" => Script("0.9.0", "exit 1"), "no program" => [1, 2, 3, 4], "broken" => "#!/bin/sh\nexit 3\n"u8.ToArray(), _ => Script("0.2.0", "exit 1") };
        _source.Bytes = good;
        var wanted = new UpgradeAgent("0.2.0", _source.Digest, good.Length);
        _source.Bytes = what switch { "other bytes" => [.. good[..^1], (byte)'!'], "fewer" => good[..^1], "more" => [.. good, 1], _ => good };
        var e = await Assert.ThrowsAsync<HypervisorException>(() => keeper.Fetch(wanted, CommandId.New(DateTimeOffset.UtcNow), _source, CancellationToken.None));
        Assert.Contains(reason, e.Message);
        Assert.Null(keeper.Trial);
        Assert.Null(Open().Trial);
        // The next attempt is not harmed by what this one left.
        await Told(keeper, "0.3.0", "exit 1");
        Assert.Empty(Directory.GetFiles(Kept, "*.part"));
    }

    [Fact]
    public async Task A_confirmed_one_is_handed_over_to_at_every_start_and_the_former_one_is_kept()
    {
        var keeper = Open();
        await Told(keeper, "0.2.0", "exit 1");
        var path = keeper.Trial!;
        Confirm(keeper);
        Assert.True(keeper.EndTrial("not used"));
        Assert.Equal([path, .. AgentArguments.HandOver(Data, keeper.Installed)], [keeper.Next(Data).Path, .. keeper.Next(Data).Arguments]);
        Assert.Equal(path, Open().Successor);
        var next = Open(path, "0.2.0", Open().Installed);
        Assert.Null(next.Successor);
        Assert.Equal(new AgentExecutable("0.1.0", false, null), next.Facts);

        // Damaged, the installed one goes on.
        File.AppendAllText(path, "#");
        Assert.Null(Open().Successor);
    }

    [Fact]
    public async Task It_goes_back_to_the_version_it_has_kept_and_forth_again()
    {
        var keeper = Open();
        await Told(keeper, "0.2.0", "exit 1");
        Confirm(keeper);
        var running = Open(Open().Successor!, "0.2.0", Open().Installed);
        await Assert.ThrowsAsync<HypervisorException>(() => running.TakeBack(new RevertAgent("0.0.1"), CommandId.New(DateTimeOffset.UtcNow), CancellationToken.None));
        await running.TakeBack(new RevertAgent("0.1.0"), CommandId.New(DateTimeOffset.UtcNow), CancellationToken.None);
        Confirm(running);
        Assert.True(running.EndTrial("not used"));
        var back = Open();
        Assert.Equal(("0.1.0", "0.2.0"), (back.State.Current.Version, back.Facts.Previous));
        Assert.Null(back.Successor);
    }

    [Fact]
    public async Task An_installed_package_takes_over_from_what_the_console_chose()
    {
        var keeper = Open();
        await Told(keeper, "0.2.0", "exit 1");
        Confirm(keeper);
        Assert.NotNull(Open().Successor);
        Write(_installed, Script("0.1.5", "exit 1"));
        var installed = Open(version: "0.1.5");
        Assert.Null(installed.Successor);
        Assert.Equal("0.2.0", installed.Facts.Previous);
    }

    [Fact]
    public async Task Of_many_versions_the_running_and_the_previous_one_are_kept()
    {
        for (var i = 2; i < 6; i++)
        {
            var running = Open().Successor is { } path ? Open(path, $"0.{i - 1}.0", Open().Installed) : Open();
            await Told(running, $"0.{i}.0", "exit 1");
            Confirm(running);
        }
        var last = Open(Open().Successor!, "0.5.0", Open().Installed);
        await Told(last, "0.6.0", "exit 1");
        Assert.Equal(3, Directory.GetDirectories(Kept).Length);
    }

    [Theory]
    [InlineData("exit 7", "it ended with code 7")]
    [InlineData("kill -11 $$", "it ended by signal 11")]
    [InlineData("exit 0", "it ended with code 0")]
    public async Task One_that_ends_before_it_has_proved_itself_is_put_back(string behaviour, string reason)
    {
        var (keeper, attempt) = (Open(), CommandId.New(DateTimeOffset.UtcNow));
        await Told(keeper, "0.2.0", behaviour, attempt);
        Assert.False(await Try(keeper));
        var setback = Open().Facts.Setback!;
        Assert.Equal((attempt, "0.2.0"), (setback.Attempt, setback.Version));
        Assert.StartsWith(reason, setback.Reason);
        Assert.Null(Open().Successor);
        Assert.Equal(_installed, keeper.Next(Data).Path);
    }

    [Fact]
    public async Task One_that_does_nothing_is_ended_and_put_back()
    {
        var keeper = Open();
        // Also one that does not listen.
        await Told(keeper, "0.2.0", $"trap '' TERM\necho $$ > {_directory}/pid\nwhile :; do sleep 0.05; done");
        Assert.False(await Try(keeper, TimeSpan.FromSeconds(2)));
        Assert.Equal("it had not told the console everything within 2 s", keeper.Facts.Setback!.Reason);
        Assert.False(Directory.Exists("/proc/" + File.ReadAllText(Path.Combine(_directory, "pid")).Trim()));
    }

    [Fact]
    public async Task One_that_confirms_itself_takes_over_even_if_it_then_does_not_end()
    {
        var keeper = Open();
        await Told(keeper, "0.2.0", $"cp {_directory}/confirmed {Kept}/state.json\nwhile :; do sleep 0.05; done");
        var path = keeper.Trial;
        // What it writes when it confirms itself.
        var state = Path.Combine(Kept, "state.json");
        var before = File.ReadAllBytes(state);
        Confirm(keeper);
        File.Move(state, Path.Combine(_directory, "confirmed"));
        File.WriteAllBytes(state, before);
        Assert.True(await Try(keeper, TimeSpan.FromSeconds(3)));
        Assert.Equal(path, keeper.Next(Data).Path);
        Assert.Equal(path, Open().Successor);
    }

    [Fact]
    public async Task Stopped_in_the_midst_it_ends_the_trial_and_the_next_start_says_so()
    {
        var keeper = Open();
        await Told(keeper, "0.2.0", $"echo $$ > {_directory}/pid\nwhile :; do sleep 0.05; done");
        using var stop = new CancellationTokenSource();
        var trial = new TrialRun(keeper, Data, TimeSpan.FromSeconds(60), AgentLog.Silent).Run(stop.Token);
        await Eventually.True(() => File.Exists(Path.Combine(_directory, "pid")) && File.ReadAllText(Path.Combine(_directory, "pid")).EndsWith('\n'));
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => trial);
        Assert.False(Directory.Exists("/proc/" + File.ReadAllText(Path.Combine(_directory, "pid")).Trim()));
        Assert.Equal("the agent was ended while it was on trial", Open().Facts.Setback!.Reason);
    }

    [Fact]
    public async Task One_on_trial_is_not_replaced_itself()
    {
        var keeper = Open();
        await Told(keeper, "0.2.0", "exit 1");
        var trial = Open(keeper.Trial!, "0.2.0", keeper.Installed, onTrial: true);
        Assert.True(trial.Facts.OnTrial);
        await Assert.ThrowsAsync<HypervisorException>(() => Told(trial, "0.3.0", "exit 1"));
    }

    [Fact]
    public async Task Whatever_a_crash_leaves_of_a_fetch_the_installed_one_runs()
    {
        var keeper = Open();
        await Told(keeper, "0.2.0", "exit 1");
        foreach (var damage in new Action[]
        {
            () => File.WriteAllText(Path.Combine(Kept, "state.json"), "{"),
            () => File.WriteAllText(Path.Combine(Kept, "state.json.new"), "half"),
            () => File.WriteAllText(Path.Combine(Kept, "fetched.part"), "half"),
            () => Directory.Delete(Kept, recursive: true),
        })
        {
            damage();
            Assert.Null(Open().Successor);
            await Told(Open(), "0.2.0", "exit 1");
        }
    }

    private static async Task<string> Said(string path)
    {
        using var process = Process.Start(new ProcessStartInfo(path, "--version") { RedirectStandardOutput = true })!;
        return (await process.StandardOutput.ReadToEndAsync()).Trim();
    }

    private sealed class FakeSource : IExecutableSource
    {
        public byte[] Bytes { get; set; } = [];
        public string Digest => "sha256:" + Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(Bytes));

        public Task<Stream> Open(string digest, CancellationToken stop) => Task.FromResult<Stream>(new MemoryStream(Bytes));
    }
}
