using Plinth.Agents.Cli;
using Xunit;

namespace Plinth.Agents.Tests.Cli;

public sealed class CommandLineTests : IDisposable
{
    private static readonly string Fingerprint = "sha256:" + new string('a', 64);
    private readonly string _directory = Directory.CreateTempSubdirectory("plinth-cli").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    private static CommandLine Join(params string[] words) =>
        new(words, ["--console", "--token", "--ca-fingerprint", "--join-file", "--data"], ["--again"]);

    [Fact]
    public void The_pasted_command_gives_a_ticket()
    {
        var ticket = Join("--console", "https://192.0.2.1:8444", "--token", "abc", "--ca-fingerprint", Fingerprint).Ticket()!;
        Assert.Equal(("https://192.0.2.1:8444/", "abc", Fingerprint), (ticket.Console.ToString(), ticket.Token, ticket.Fingerprint));
    }

    [Theory]
    [InlineData("http://192.0.2.1:8444", "abc", null, "https://")]
    [InlineData("https://192.0.2.1:8444/path", "abc", null, "https://")]
    [InlineData("https://192.0.2.1:8444", "a b", null, "token")]
    [InlineData("https://192.0.2.1:8444", "abc", "sha256:12", "64 hexadecimal digits")]
    public void A_wrong_one_is_refused_with_what_is_expected(string console, string token, string? fingerprint, string expected) =>
        Assert.Contains(expected, Assert.Throws<UsageException>(() => Join("--console", console, "--token", token, "--ca-fingerprint", fingerprint ?? Fingerprint).Ticket()).Message);

    [Fact]
    public void What_is_unknown_double_or_without_its_value_is_named()
    {
        Assert.Contains("'--tokn'", Assert.Throws<UsageException>(() => Join("--tokn", "x")).Message);
        Assert.Contains("twice", Assert.Throws<UsageException>(() => Join("--token", "x", "--token", "y")).Message);
        Assert.Contains("--token needs a value", Assert.Throws<UsageException>(() => Join("--token")).Message);
        Assert.Contains("--ca-fingerprint is needed", Assert.Throws<UsageException>(() => Join("--console", "https://a:1", "--token", "x").Ticket()).Message);
    }

    [Fact]
    public void A_join_file_serves_one_agent_or_a_fleet()
    {
        var path = Path.Combine(_directory, "join.json");
        File.WriteAllText(path, $$"""{"console":"https://127.0.0.1:8444","tokens":["a","b"],"fingerprint":"{{Fingerprint}}"}""");
        Assert.Equal(["a", "b"], Enumerable.Range(0, 2).Select(i => JoinFile.Read(path).Ticket(i)!.Token));
        Assert.Null(JoinFile.Read(path).Ticket(2));
        File.WriteAllText(path, $$"""{"console":"https://127.0.0.1:8444","token":"c","fingerprint":"{{Fingerprint}}"}""");
        Assert.Equal("c", Join("--join-file", path).Ticket()!.Token);
        File.WriteAllText(path, "[]");
        Assert.Contains("not what the console writes", Assert.Throws<UsageException>(() => JoinFile.Read(path)).Message);
        Assert.Contains("cannot be read", Assert.Throws<UsageException>(() => JoinFile.Read(path + "x")).Message);
    }

    [Fact]
    public void Hosts_on_one_machine_are_different_and_each_stays_the_same()
    {
        var (a, b) = (Path.Combine(_directory, "a"), Path.Combine(_directory, "b"));
        Directory.CreateDirectory(a);
        Directory.CreateDirectory(b);
        Assert.Equal(MachineIdentity.Of(a, "one"), MachineIdentity.Of(a, "one"));
        Assert.Equal(3, new[] { MachineIdentity.Of(a, "one"), MachineIdentity.Of(a, "two"), MachineIdentity.Of(b, "one") }.Distinct().Count());
    }

    [Theory]
    [InlineData(2, "bogus")]
    [InlineData(2)]
    [InlineData(0, "--help")]
    [InlineData(0, "--version")]
    [InlineData(2, "simulate", "--data", "/tmp", "--hosts", "0")]
    public async Task The_exit_code_says_whether_it_worked(int expected, params string[] words) => Assert.Equal(expected, await AgentProgram.Run(words));

    [Fact]
    public async Task Running_what_never_joined_says_how_to_join() => Assert.Equal(2, await AgentProgram.Run(["run", "--data", _directory]));
}
