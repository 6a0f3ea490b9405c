using System.Text.Json.Nodes;

namespace Plinth.Core.Network;

/// <summary>The few words that rules are made of, as expressions of libnftables' JSON.</summary>
internal static class RuleWords
{
    public static string Rule(params ReadOnlySpan<JsonObject> expressions)
    {
        var all = new JsonArray();
        foreach (var expression in expressions) all.Add((JsonNode)expression);
        return all.ToJsonString();
    }

    public static JsonObject Accept => new() { ["accept"] = null };
    public static JsonObject Drop => new() { ["drop"] = null };
    public static JsonObject NoTrack => new() { ["notrack"] = null };
    public static JsonObject Masquerade => new() { ["masquerade"] = null };

    public static JsonObject Count(string counter) => new() { ["counter"] = counter };

    public static JsonObject Established => new()
    {
        ["match"] = new JsonObject { ["op"] = "in", ["left"] = new JsonObject { ["ct"] = new JsonObject { ["key"] = "state" } }, ["right"] = new JsonArray("established", "related") },
    };

    public static JsonObject From(string device) => Match("==", Meta("iifname"), device);
    public static JsonObject To(string device) => Match("==", Meta("oifname"), device);
    public static JsonObject NotTo(string device) => Match("!=", Meta("oifname"), device);
    public static JsonObject FromAny(IEnumerable<string> devices) => Match("==", Meta("iifname"), Set(devices));

    public static JsonObject Is(string protocol, string field, JsonNode value) => Match("==", Field(protocol, field), value);
    public static JsonObject IsNot(string protocol, string field, JsonNode value) => Match("!=", Field(protocol, field), value);
    public static JsonObject TransportIs(string protocol) => Match("==", Meta("l4proto"), protocol);

    /// <summary>One value stands for itself: that is how it is read back.</summary>
    public static JsonNode Set(IEnumerable<string> values) =>
        values.ToArray() is [var only] ? only : new JsonObject { ["set"] = new JsonArray([.. values.Select(v => (JsonNode)v)]) };

    /// <summary>One address or a whole range.</summary>
    public static JsonNode Addresses(string text) => text.Split('/') is [var first, var length] && length != "32"
        ? new JsonObject { ["prefix"] = new JsonObject { ["addr"] = first, ["len"] = int.Parse(length, System.Globalization.CultureInfo.InvariantCulture) } }
        : text.Split('/')[0];

    public static JsonNode Ports((int From, int To) range) => range.From == range.To ? range.From : new JsonObject { ["range"] = new JsonArray(range.From, range.To) };

    public static JsonObject Jump(IEnumerable<(string Device, string Chain)> targets, string key = "iifname") => new()
    {
        ["vmap"] = new JsonObject
        {
            ["key"] = Meta(key),
            ["data"] = new JsonObject { ["set"] = new JsonArray([.. targets.Select(t => (JsonNode)new JsonArray(t.Device, new JsonObject { ["jump"] = new JsonObject { ["target"] = t.Chain } }))]) },
        },
    };

    private static JsonObject Meta(string key) => new() { ["meta"] = new JsonObject { ["key"] = key } };
    private static JsonObject Field(string protocol, string field) => new() { ["payload"] = new JsonObject { ["protocol"] = protocol, ["field"] = field } };
    private static JsonObject Match(string op, JsonObject left, JsonNode right) => new() { ["match"] = new JsonObject { ["op"] = op, ["left"] = left, ["right"] = right } };
}
