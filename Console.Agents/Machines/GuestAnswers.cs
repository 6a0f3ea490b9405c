using System.Net;
using System.Net.Sockets;
using System.Text.Json;

namespace Plinth.Agents.Machines;

/// <summary>What a guest agent answers. A guest may answer anything: what is not understood is no address.</summary>
internal static class GuestAnswers
{
    private const int MaxSystem = 120;

    /// <summary>
    /// The operating system as the guest names it, printable and bounded; empty where it does not.
    /// <c>{"return":{"pretty-name":"Debian GNU/Linux 12 (bookworm)","kernel-release":"6.1.0-18-amd64"}}</c>
    /// </summary>
    public static string System(string? answer)
    {
        try
        {
            if (answer is null) return "";
            using var document = JsonDocument.Parse(answer);
            var told = document.RootElement.GetProperty("return");
            var words = new[] { Text(told, "pretty-name"), Text(told, "kernel-release") }.Where(w => w.Length > 0);
            var system = string.Concat(string.Join(", kernel ", words).Where(c => !char.IsControl(c)));
            return system.Length <= MaxSystem ? system : system[..MaxSystem];
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            return "";
        }

        static string Text(JsonElement told, string name) => told.TryGetProperty(name, out var value) ? value.GetString() ?? "" : "";
    }

    // A guest with more is hardly honest, and a report must stay small.
    private const int MaxAddresses = 32;

    /// <summary>
    /// Addresses by which others may reach the guest, IPv4 first; no loopback, no link-local.
    /// <c>{"return":[{"name":"eth0","ip-addresses":[{"ip-address-type":"ipv4","ip-address":"10.0.2.15","prefix":24}]}]}</c>
    /// </summary>
    public static IReadOnlyList<string> Addresses(string answer) => Read(answer, nics => Told(nics.SelectMany(Entries)));

    /// <summary>
    /// The same by interface, for those that tell their MAC address.
    /// <c>{"return":[{"name":"eth0","hardware-address":"52:54:00:12:34:56","ip-addresses":[…]}]}</c>
    /// </summary>
    public static IReadOnlyList<GuestInterface> Interfaces(string answer) => Read<GuestInterface>(answer, nics =>
    [
        .. nics.Select(nic => (Mac: nic.TryGetProperty("hardware-address", out var mac) ? mac.GetString()?.ToLowerInvariant() : null, Addresses: Told(Entries(nic))))
            .Where(nic => nic.Mac is not null).DistinctBy(nic => nic.Mac).Take(MaxAddresses).Select(nic => new GuestInterface(nic.Mac!, nic.Addresses)),
    ]);

    private static IReadOnlyList<T> Read<T>(string answer, Func<IReadOnlyList<JsonElement>, IReadOnlyList<T>> read)
    {
        try
        {
            using var document = JsonDocument.Parse(answer);
            return read([.. document.RootElement.GetProperty("return").EnumerateArray()]);
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            return [];
        }
    }

    private static JsonElement[] Entries(JsonElement nic) => nic.TryGetProperty("ip-addresses", out var list) ? [.. list.EnumerateArray()] : [];

    private static IReadOnlyList<string> Told(IEnumerable<JsonElement> entries) =>
    [
        .. entries
            .Select(entry => entry.GetProperty("ip-address").GetString())
            .Select(text => IPAddress.TryParse(text, out var address) ? address : null)
            .OfType<IPAddress>()
            .Where(address => !IPAddress.IsLoopback(address) && !address.IsIPv6LinkLocal && !(address.AddressFamily == AddressFamily.InterNetwork && address.ToString().StartsWith("169.254.", StringComparison.Ordinal)))
            .OrderBy(address => address.AddressFamily == AddressFamily.InterNetwork ? 0 : 1)
            .Select(address => address.ToString())
            .Distinct()
            .Take(MaxAddresses),
    ];
}
