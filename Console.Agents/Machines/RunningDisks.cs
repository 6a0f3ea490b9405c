using System.Text;
using System.Text.Json;

namespace Plinth.Agents.Machines;

/// <summary>What is said to QEMU, and understood of its answers, for a snapshot inside of disks in use (QMP: query-block, transaction). Pure.</summary>
internal static class RunningDisks
{
    public const string Ask = """{"execute":"query-block"}""";

    /// <summary>QEMU's names for the disks of these aliases, in the answer to <see cref="Ask"/>.</summary>
    public static IReadOnlyList<string> Nodes(string answer, IEnumerable<string> aliases)
    {
        using var json = JsonDocument.Parse(answer);
        var nodes = new Dictionary<string, string>();
        foreach (var device in json.RootElement.GetProperty("return").EnumerateArray())
            // "/machine/peripheral/virtio-disk0/virtio-backend"
            if (device.TryGetProperty("qdev", out var path) && device.TryGetProperty("inserted", out var inserted) && path.GetString()!.Split('/') is [_, "machine", "peripheral", var alias, ..])
                nodes[alias] = inserted.GetProperty("node-name").GetString()!;
        return [.. aliases.Select(a => nodes.TryGetValue(a, out var node) ? node : throw new HypervisorException("snapshot_failed", $"QEMU names no disk for the device {a}."))];
    }

    /// <summary>One snapshot of all these disks at the same moment.</summary>
    public static string Snapshot(IReadOnlyList<string> nodes, string name)
    {
        using var text = new MemoryStream();
        using (var json = new Utf8JsonWriter(text))
        {
            json.WriteStartObject();
            json.WriteString("execute", "transaction");
            json.WriteStartObject("arguments");
            json.WriteStartArray("actions");
            foreach (var node in nodes)
            {
                json.WriteStartObject();
                json.WriteString("type", "blockdev-snapshot-internal-sync");
                json.WriteStartObject("data");
                json.WriteString("device", node);
                json.WriteString("name", name);
                json.WriteEndObject();
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteEndObject();
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(text.ToArray());
    }

    /// <summary>QEMU's reason where the answer is an error.</summary>
    public static string? ErrorIn(string answer)
    {
        using var json = JsonDocument.Parse(answer);
        return json.RootElement.TryGetProperty("error", out var error) ? error.GetProperty("desc").GetString() : null;
    }
}
