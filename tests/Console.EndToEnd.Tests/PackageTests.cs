using System.Text.Json;
using Plinth.EndToEnd.Tests.Lab;

namespace Plinth.EndToEnd.Tests;

/// <summary>The Debian packages on a Debian machine with a systemd of its own: installed, used, upgraded and removed, with a VM running throughout.</summary>
[Trait("Suite", "Slow")]
public sealed class PackageTests : IAsyncLifetime
{
    private const string Client = "packages", Secret = "packages-secret-0123456789";

    // A server, an agent and a guest of an emulated machine.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(20);

    private NestedHost _machine = null!;
    private string _token = "";

    public async Task InitializeAsync() =>
        _machine = await NestedHost.Boot("packaged", Path.Combine(Path.GetTempPath(), "plinth-packages-" + Guid.NewGuid().ToString("N")[..8]), [Repository.Packages(Repository.ThisVersion), Repository.Packages(Repository.NextVersion)]);

    public async Task DisposeAsync() => await _machine.DisposeAsync();

    [Fact]
    public async Task A_vm_lives_through_install_restart_upgrade_and_removal()
    {
        await _machine.Run($"""
            mkdir -p /files && mount -o ro /dev/disk/by-label/files /files
            printf 'PLINTH_BOOTSTRAP_CLIENT_ID={Client}\nPLINTH_BOOTSTRAP_CLIENT_SECRET={Secret}\n' > /etc/default/plinth-console && chmod 600 /etc/default/plinth-console
            """);
        await Install(Repository.ThisVersion);
        // Type=notify: installed means serving.
        Assert.Equal("active", await Unit("plinth-console"));
        Assert.Contains("http://localhost:8400/sign-in?link=", await _machine.Run("cat /var/lib/plinth/sign-in"));
        Assert.DoesNotContain("sign-in?link=", await _machine.Run("journalctl --no-pager -u plinth-console"));
        Assert.Equal("plinth 700", await _machine.Run("stat -c '%U %a' /var/lib/plinth"));
        Assert.Equal("inactive", await Unit("plinth-agent"));

        await SignIn();
        var join = (await Api("POST", "agents/join-tokens", new { description = "this machine" })).GetProperty("command").GetString()!;
        // Two emulated processors answer late when the machine beneath is busy: until the console has taken it in, the token is not used.
        await _machine.Run($"until /usr/bin/{join[join.IndexOf("plinth-agent join", StringComparison.Ordinal)..]} --service; do :; done", Patience);
        Assert.Equal("active", await Unit("plinth-agent"));
        var host = await HostWith(Repository.ThisVersion);
        var create = await Api("POST", "projects/default/vms", new { name = "lasting", image = "plinth-guest", flavor = "tiny" });
        var vm = create.GetProperty("vm").GetString()!;
        await Wait.Until("the VM's guest agent", async () =>
        {
            var operation = await Api("GET", $"operations/{create.GetProperty("id").GetString()}");
            return operation.GetProperty("state").GetString() switch { "succeeded" => true, "failed" or "cancelled" => throw new InvalidOperationException(operation.ToString()), _ => false };
        }, Patience);
        var guest = await Guest();

        // Stopped, killed and replaced: the guest's process stays the same one.
        await _machine.Run("systemctl restart plinth-agent");
        Assert.Equal(guest, await Guest());
        var killed = await MainProcess("plinth-agent");
        await _machine.Run($"kill -9 {killed}");
        await Wait.Until("systemd's new agent", async () => await MainProcess("plinth-agent") is not "0" and { } now && now != killed, Patience);
        Assert.Equal(guest, await Guest());

        await _machine.Run("sed -i 's/\"CertificateLifetimeHours\": 24/\"CertificateLifetimeHours\": 12/' /etc/plinth/appsettings.json");
        await Install(Repository.NextVersion);
        Assert.Equal("active", await Unit("plinth-console"));
        Assert.Equal("active", await Unit("plinth-agent"));
        Assert.Contains("\"CertificateLifetimeHours\": 12", await _machine.Run("cat /etc/plinth/appsettings.json"));
        await SignIn();
        Assert.Equal(host, await HostWith(Repository.NextVersion));
        await Wait.Until("the VM as it was", async () => (await Api("GET", $"projects/default/vms/{vm}")).GetProperty("state").GetString() == "running", Patience);
        Assert.Equal(guest, await Guest());

        await _machine.Run("dpkg --remove plinth-agent plinth-console");
        Assert.Equal("inactive", await Unit("plinth-console"));
        Assert.Equal("inactive", await Unit("plinth-agent"));
        Assert.Equal(guest, await Guest());
        await _machine.Run("test -s /var/lib/plinth/plinth.db && test -s /var/lib/plinth-agent/identity.json && test -s /etc/plinth/appsettings.json");
    }

    private Task Install(string version) => _machine.Run($"dpkg --install /files/plinth-agent_{version}_amd64.deb /files/plinth-console_{version}_amd64.deb", Patience);

    private Task<string> Unit(string name) => _machine.Run($"systemctl is-active {name} || true");

    private Task<string> MainProcess(string unit) => _machine.Run($"systemctl show --property MainPID --value {unit}");

    /// <summary>Process id and start time of the only guest.</summary>
    private Task<string> Guest() => _machine.Run("virsh -q -c qemu:///system list --state-running --uuid && ps -o pid=,lstart= -C qemu-system-x86_64");

    private Task<string> HostWith(string version) => Wait.For($"a ready host with agent {version}", async () =>
        (await Api("GET", "hosts?state=ready")).GetProperty("items").EnumerateArray()
            .Where(h => h.GetProperty("facts").GetProperty("agentVersion").GetString() == version).Select(h => h.GetProperty("id").GetString()).FirstOrDefault(), Patience);

    private async Task SignIn()
    {
        var reply = await _machine.Run($"curl -fsS -d grant_type=client_credentials -d client_id={Client} -d client_secret={Secret} http://localhost:8400/connect/token");
        _token = JsonDocument.Parse(reply).RootElement.GetProperty("access_token").GetString()!;
    }

    private async Task<JsonElement> Api(string method, string path, object? body = null)
    {
        var data = body is null ? "" : $"-H 'Content-Type: application/json' -d '{JsonSerializer.Serialize(body)}'";
        return JsonDocument.Parse(await _machine.Run($"curl -sS -X {method} -H 'Authorization: Bearer {_token}' {data} 'http://localhost:8400/api/v1/{path}'")).RootElement.Clone();
    }
}
