using Plinth.Agents.Session;
using Xunit;

namespace Plinth.Agents.Tests.Session;

public sealed class EnrolmentTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("plinth-enrol").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    private static Task<AgentIdentity> Join(TlsConsole console, string? fingerprint = null) =>
        Enrolment.Join(new JoinTicket(console.Address, "secret-token", fingerprint ?? console.Fingerprint), "host-a", "machine-1", false, default);

    [Fact]
    public async Task A_ticket_becomes_an_identity_that_its_owner_alone_can_read()
    {
        await using var console = new TlsConsole();
        var identity = await Join(console);
        Assert.Equal(console.Host, identity.Host);
        Assert.Equal(("secret-token", "host-a", "machine-1"), console.Enrolled.Select(e => (e.Token, e.Hostname, e.MachineId)).Single());
        identity.Save(_directory);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(_directory, AgentIdentity.FileName)));
        Assert.Equal(identity, AgentIdentity.Load(_directory));
        using var certificate = identity.OpenCertificate();
        Assert.True(certificate.HasPrivateKey);
        Assert.DoesNotContain("PRIVATE KEY", console.Enrolled.Single().CertificateRequest);
        Assert.InRange(identity.RenewAt(), DateTimeOffset.UtcNow.AddMinutes(30), DateTimeOffset.UtcNow.AddMinutes(45));
    }

    [Fact]
    public async Task Another_authority_than_the_pinned_one_never_sees_the_token()
    {
        await using var console = new TlsConsole();
        var e = await Assert.ThrowsAsync<EnrolmentException>(() => Join(console, "sha256:" + new string('0', 64)));
        Assert.Contains("The token was not sent", e.Message);
        Assert.False(e.Retry);
        Assert.Empty(console.Enrolled);
    }

    [Theory]
    [InlineData("192.0.2.9", true)]
    [InlineData("127.0.0.1", false)]
    public async Task A_certificate_for_another_name_or_of_an_agent_never_sees_the_token(string name, bool forServers)
    {
        await using var console = new TlsConsole(name, forServers);
        var e = await Assert.ThrowsAsync<EnrolmentException>(() => Join(console));
        Assert.True(e.Retry);
        Assert.Empty(console.Enrolled);
    }

    [Fact]
    public async Task A_refusal_is_told_in_the_consoles_words()
    {
        await using var console = new TlsConsole { RefuseWith = "The join token is used up." };
        var e = await Assert.ThrowsAsync<EnrolmentException>(() => Join(console));
        Assert.Equal("Joining was refused: The join token is used up.", e.Message);
        Assert.False(e.Retry);
    }

    [Fact]
    public async Task A_console_that_does_not_answer_is_named_with_what_to_check()
    {
        var console = new TlsConsole();
        var ticket = new JoinTicket(console.Address, "t", console.Fingerprint);
        await console.DisposeAsync();
        var e = await Assert.ThrowsAsync<EnrolmentException>(() => Enrolment.Join(ticket, "a", "m", false, default));
        Assert.Contains("--agent-listen", e.Message);
        Assert.True(e.Retry);
    }

    [Fact]
    public async Task A_certificate_past_two_thirds_of_its_life_is_renewed_with_a_new_key_and_stored()
    {
        await using var console = new TlsConsole { Lifetime = TimeSpan.FromMinutes(1) };
        var identity = await Join(console);
        identity.Save(_directory);
        console.Lifetime = TimeSpan.FromHours(1);
        var keeper = new IdentityKeeper(_directory, identity, TimeProvider.System, AgentLog.Silent);
        var renewals = 0;
        keeper.Renewed += () => renewals++;
        using var stop = new CancellationTokenSource();
        var run = keeper.Run(stop.Token);
        await Eventually.True(() => renewals == 1);
        await stop.CancelAsync();
        await run;
        Assert.Equal(identity.Host, keeper.Current.Host);
        Assert.NotEqual(identity.Key, keeper.Current.Key);
        Assert.Equal(keeper.Current, AgentIdentity.Load(_directory));
        Assert.True(keeper.Current.RenewAt() > DateTimeOffset.UtcNow.AddMinutes(20));
    }

    [Fact]
    public async Task Where_the_servers_are_is_kept_over_restarts_and_they_are_tried_in_turn()
    {
        await using var console = new TlsConsole();
        var keeper = new IdentityKeeper(_directory, await Join(console), TimeProvider.System, AgentLog.Silent);
        var first = keeper.Hub.GetLeftPart(UriPartial.Authority);
        keeper.GoTo(null);
        Assert.Equal(first, keeper.Hub.GetLeftPart(UriPartial.Authority));
        keeper.Learn([first, "http://not.tls:1", "https://b:8443", "https://c:8443"]);
        var known = AgentIdentity.Load(_directory)!;
        Assert.Equal([first, "https://b:8443", "https://c:8443"], known.Hubs);
        Assert.Equal(keeper.Current.Certificate, known.Certificate);

        var restarted = new IdentityKeeper(_directory, known, TimeProvider.System, AgentLog.Silent);
        foreach (var next in new[] { "https://b:8443", "https://c:8443", first })
        {
            restarted.GoTo(null);
            Assert.Equal(next, restarted.Hub.GetLeftPart(UriPartial.Authority));
        }
        restarted.GoTo("https://c:8443");
        Assert.Equal(["https://c:8443", first, "https://b:8443"], restarted.Hubs.Select(h => h.GetLeftPart(UriPartial.Authority)));
    }

    [Fact]
    public void A_damaged_identity_is_said_and_not_replaced()
    {
        var path = Path.Combine(_directory, AgentIdentity.FileName);
        File.WriteAllText(path, "{\"host\":");
        Assert.Contains("join again", Assert.Throws<InvalidDataException>(() => AgentIdentity.Load(_directory)).Message);
        Assert.Equal("{\"host\":", File.ReadAllText(path));
    }
}
