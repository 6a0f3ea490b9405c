using Microsoft.Extensions.Configuration;
using Plinth.Web.Options;

namespace Plinth.Web.Tests.Security;

public sealed class SettingsTests
{
    [Fact]
    public void Every_bad_setting_is_told_at_once_with_its_key()
    {
        var e = Assert.Throws<SettingsException>(() => Read(
            ("Plinth:Data", ""), ("Plinth:Portal:Url", "http://0.0.0.0:80"), ("Plinth:Agents:Listen", "somewhere"), ("Plinth:Agents:EnrolmentListen", "127.0.0.1:70000"),
            ("Plinth:Agents:CertificateLifetimeHours", "0"), ("Plinth:Telemetry:OtlpEndpoint", "ftp://x"), ("Plinth:Telemetry:JsonLogs", "yes"), ("Plinth:Database:Engine", "oracle"),
            ("PLINTH_BOOTSTRAP_CLIENT_ID", "robot"), ("PLINTH_BOOTSTRAP_CLIENT_SECRET", "short")));
        string[] keys =
        [
            "Plinth:Data", "Plinth:Portal:Url", "Plinth:Agents:Listen", "Plinth:Agents:EnrolmentListen", "Plinth:Agents:CertificateLifetimeHours",
            "Plinth:Telemetry:OtlpEndpoint", "Plinth:Telemetry:JsonLogs", "Plinth:Database:Engine", "PLINTH_BOOTSTRAP_CLIENT_SECRET",
        ];
        Assert.All(keys, key => Assert.Contains(e.Problems, p => p.StartsWith(key, StringComparison.Ordinal)));
        Assert.DoesNotContain("short", e.Problems.Single(p => p.StartsWith("PLINTH_BOOTSTRAP_CLIENT_SECRET", StringComparison.Ordinal)), StringComparison.Ordinal);
        Assert.Contains("Plinth__Portal__Url", e.Message);
    }

    [Theory]
    [InlineData("http://localhost:8400", true)]
    [InlineData("http://127.0.0.1:8400", true)]
    [InlineData("http://[::1]:8400", true)]
    [InlineData("http://192.0.2.1:8400", false)]
    [InlineData("http://console.example.org", false)]
    [InlineData("https://console.example.org", false)]      // no certificate
    [InlineData("http://localhost:8400/plinth", false)]
    public void Plain_http_is_for_this_machine_only(string url, bool allowed)
    {
        if (allowed) Assert.Equal(url, Read(("Plinth:Portal:Url", url)).Portal.Url.OriginalString);
        else Assert.Throws<SettingsException>(() => Read(("Plinth:Portal:Url", url)));
    }

    [Theory]
    [InlineData("http://localhost:8400", "localhost")]
    [InlineData("http://127.0.0.1:8400", "localhost")]
    [InlineData("http://[::1]:8400", "localhost")]
    [InlineData("http://127.0.0.2:8400", "127.0.0.2")]      // localhost does not lead there
    public void The_portal_goes_by_a_name_that_leads_to_it(string url, string name) => Assert.Equal(name, Read(("Plinth:Portal:Url", url)).Portal.Host);

    [Fact]
    public void Outside_programs_are_named_with_their_addresses()
    {
        var client = Assert.Single(Read(("Plinth:Clients:dashboard", "https://dashboard.example.org/callback  http://127.0.0.1:5999/callback")).Clients);
        Assert.Equal("dashboard", client.ClientId);
        Assert.Equal(["https://dashboard.example.org/callback", "http://127.0.0.1:5999/callback"], client.RedirectUris.Select(u => u.OriginalString));
    }

    [Theory]
    [InlineData("dashboard", "")]
    [InlineData("dash board", "https://dashboard.example.org/callback")]
    [InlineData("robot", "https://dashboard.example.org/callback")]                 // the bootstrap client's id
    [InlineData("dashboard", "http://dashboard.example.org/callback")]
    [InlineData("dashboard", "https://dashboard.example.org/callback#part")]
    [InlineData("dashboard", "/callback")]
    public void Codes_are_handed_to_safe_addresses_of_well_named_programs_only(string id, string addresses)
    {
        var e = Assert.Throws<SettingsException>(() => Read(($"Plinth:Clients:{id}", addresses), ("PLINTH_BOOTSTRAP_CLIENT_ID", "robot"), ("PLINTH_BOOTSTRAP_CLIENT_SECRET", "0123456789abcdef")));
        Assert.StartsWith($"Plinth:Clients:{id}", Assert.Single(e.Problems));
    }

    [Theory]
    [InlineData("OTEL_EXPORTER_OTLP_ENDPOINT", null, "http://standard:4318/")]
    [InlineData("OTEL_EXPORTER_OTLP_ENDPOINT", "http://own:4318", "http://own:4318/")]
    public void The_standard_variable_names_the_collector_where_no_setting_does(string key, string? own, string collector) =>
        Assert.Equal(collector, Read((key, "http://standard:4318"), ("Plinth:Telemetry:OtlpEndpoint", own)).Telemetry.OtlpEndpoint!.AbsoluteUri);

    [Theory]
    [InlineData("robot", null, "PLINTH_BOOTSTRAP_CLIENT_SECRET")]
    [InlineData(null, "0123456789abcdef", "PLINTH_BOOTSTRAP_CLIENT_ID")]
    [InlineData("a b", "0123456789abcdef", "PLINTH_BOOTSTRAP_CLIENT_ID")]
    public void Half_a_bootstrap_client_is_an_error(string? id, string? secret, string key)
    {
        var e = Assert.Throws<SettingsException>(() => Read(("PLINTH_BOOTSTRAP_CLIENT_ID", id), ("PLINTH_BOOTSTRAP_CLIENT_SECRET", secret)));
        Assert.StartsWith(key, Assert.Single(e.Problems));
    }

    [Theory]
    [InlineData("127.0.0.1:8443", "127.0.0.1", 8443)]
    [InlineData("[::1]:0", "::1", 0)]
    [InlineData("console.example.org:443", "console.example.org", 443)]
    public void Listen_addresses_are_read(string text, string host, int port)
    {
        Assert.True(ListenAddress.TryParse(text, out var address));
        Assert.Equal((host, port), (address.Host, address.Port));
        Assert.Equal(text, address.ToString());
    }

    [Theory]
    [InlineData("8443")]
    [InlineData("::1:8443")]
    [InlineData("host name:1")]
    [InlineData("host:-1")]
    [InlineData("host:65536")]
    [InlineData(":1")]
    public void Other_texts_are_no_listen_addresses(string text) => Assert.False(ListenAddress.TryParse(text, out _));

    private static ConsoleOptions Read(params (string Key, string? Value)[] settings) => ConsoleSettings.Read(new ConfigurationBuilder()
        .AddInMemoryCollection(new[] { (Key: "Plinth:Data", Value: (string?)".data") }.Concat(settings).GroupBy(s => s.Key).Select(g => KeyValuePair.Create(g.Key, g.Last().Value)))
        .Build());
}
