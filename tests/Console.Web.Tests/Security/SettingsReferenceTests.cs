using Microsoft.Extensions.Configuration;
using Plinth.Web.Application;
using Plinth.Web.Options;

namespace Plinth.Web.Tests.Security;

public sealed class SettingsReferenceTests
{
    [Fact]
    public void The_page_says_what_the_program_knows()
    {
        var page = Path.Combine(Repository(), "docs/configuration.md");
        Assert.True(File.Exists(page) && File.ReadAllText(page) == SettingsReference.Markdown(),
            "docs/configuration.md is out of date. Make it anew: dotnet run --project Console.Web -- --settings > docs/configuration.md");
    }

    [Fact]
    public void Every_setting_that_is_read_is_described_and_the_other_way_round()
    {
        var read = new ReadKeys();
        var configuration = new ConfigurationBuilder().Add(read).Build();
        ConsoleSettings.Read(configuration);
        ApplicationSettings.From(configuration);
        var described = SettingsReference.All.Select(s => s.Key == "Plinth:Clients:ID" ? "Plinth:Clients:dashboard" : s.Key).Order(StringComparer.Ordinal);
        Assert.Equal(described, read.Keys.Where(k => k.StartsWith("Plinth:", StringComparison.Ordinal) || k.StartsWith("PLINTH_", StringComparison.Ordinal) || k.StartsWith("OTEL_", StringComparison.Ordinal)).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Defaults_are_those_of_the_program()
    {
        var bare = ConsoleSettings.Read(new ConfigurationBuilder().AddInMemoryCollection([new("Plinth:Data", ".data")]).Build());
        var described = ConsoleSettings.Read(new ConfigurationBuilder().AddInMemoryCollection(SettingsReference.All.Where(s => s.Default.Length > 0).Select(s => new KeyValuePair<string, string?>(s.Key, s.Default))).Build());
        Assert.Equal((bare.Data, bare.Portal.Url, bare.Agents, bare.Database, bare.Telemetry, bare.Deletion), (described.Data, described.Portal.Url, described.Agents, described.Database, described.Telemetry, described.Deletion));
    }

    [Fact]
    public void A_record_with_a_secret_does_not_print_it()
    {
        Assert.DoesNotContain("hunter2", new DatabaseOptions("Host=db;Password=hunter2").ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", new BootstrapClientOptions("robot", "hunter2").ToString(), StringComparison.Ordinal);
    }

    private static string Repository()
    {
        var directory = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(directory, "Console.sln"))) directory = Path.GetDirectoryName(directory) ?? throw new InvalidOperationException("Console.sln is not above the tests");
        return directory;
    }

    /// <summary>Settings of a well-filled installation, and which of their keys were asked for.</summary>
    private sealed class ReadKeys : ConfigurationProvider, IConfigurationSource
    {
        public HashSet<string> Keys { get; } = [];

        public override void Load() => Data = new Dictionary<string, string?> { ["Plinth:Data"] = "/var/lib/plinth", ["Plinth:Clients:dashboard"] = "https://dashboard.example.org/callback" };

        public override bool TryGet(string key, out string? value)
        {
            Keys.Add(key);
            return base.TryGet(key, out value);
        }

        public IConfigurationProvider Build(IConfigurationBuilder builder) => this;
    }
}
