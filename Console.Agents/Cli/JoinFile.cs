using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;
using Plinth.Agents.Session;

namespace Plinth.Agents.Cli;

/// <summary>What a console leaves for agents that join without a person: <c>{"console", "token" or "tokens", "fingerprint"}</c>.</summary>
internal sealed partial record JoinFile(string? Console, string? Token, IReadOnlyList<string>? Tokens, string? Fingerprint)
{
    /// <exception cref="UsageException">The file is not there or says something else.</exception>
    public static JoinFile Read(string path)
    {
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(path), JoinFileJson.Default.JoinFile) ?? throw new JsonException("it is empty");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UsageException($"The join file {path} cannot be read: {e.Message}");
        }
        catch (JsonException)
        {
            throw new UsageException($"The join file {path} is not what the console writes: an object with console, token and fingerprint is expected.");
        }
    }

    /// <summary>The ticket of host number <paramref name="index"/>, from 0; null where the file has fewer.</summary>
    public JoinTicket? Ticket(int index)
    {
        var token = Tokens is { } many ? many.ElementAtOrDefault(index) : index == 0 ? Token : null;
        return token is null ? null : Check(Console ?? "", token, Fingerprint ?? "");
    }

    public static JoinTicket Check(string console, string token, string fingerprint)
    {
        if (!Uri.TryCreate(console, UriKind.Absolute, out var address) || address.Scheme != Uri.UriSchemeHttps || address.PathAndQuery != "/")
            throw new UsageException($"'{console}' is not the address of a console; it looks like https://192.0.2.1:8444.");
        if (token.Length is 0 or > 255 || token.Any(c => char.IsWhiteSpace(c) || char.IsControl(c))) throw new UsageException("The token is not one from the Agents page.");
        if (!FingerprintForm().IsMatch(fingerprint)) throw new UsageException("The fingerprint is 'sha256:' and 64 hexadecimal digits.");
        return new JoinTicket(address, token, fingerprint.ToLowerInvariant());
    }

    [GeneratedRegex(@"^sha256:[0-9a-fA-F]{64}\z")]
    private static partial Regex FingerprintForm();
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(JoinFile))]
internal sealed partial class JoinFileJson : JsonSerializerContext;
