using System.Text;
using System.Text.Json;
using Plinth.Core.Primitives;
using Plinth.Core.Protocol;

namespace Plinth.Agents.Storage;

/// <summary>
/// The two documents of a NoCloud seed. Every value is a JSON string, which YAML reads as it stands, so that nothing a person typed
/// can become structure.
/// </summary>
internal static class SeedDocuments
{
    public static string MetaData(VmId vm, Seed seed) =>
        $"instance-id: {Quoted(seed.Generation == 0 ? $"{vm}" : $"{vm}-{seed.Generation}")}\nlocal-hostname: {Quoted(seed.Hostname)}\n";

    /// <summary>User data given by people is passed as it is; otherwise the login with its keys.</summary>
    public static string UserData(Seed seed)
    {
        if (seed.UserData != "") return seed.UserData;
        var text = new StringBuilder("#cloud-config\n");
        text.Append($"hostname: {Quoted(seed.Hostname)}\n");
        text.Append("users:\n");
        text.Append($"  - name: {Quoted(seed.UserName)}\n");
        text.Append("    shell: \"/bin/bash\"\n");
        text.Append("    sudo: \"ALL=(ALL) NOPASSWD:ALL\"\n");
        text.Append("    lock_passwd: true\n");
        if (seed.SshKeys.Count > 0) text.Append("    ssh_authorized_keys:\n");
        foreach (var key in seed.SshKeys) text.Append($"      - {Quoted(key.Trim())}\n");
        return text.ToString();
    }

    private static string Quoted(string value) => "\"" + JsonEncodedText.Encode(value, System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping) + "\"";
}
