using System.Text.Json.Nodes;
using Plinth.Core.Primitives;

namespace Plinth.Core.Network;

/// <summary>
/// One nftables table as it should be: chains, counters and rules, in the JSON that <c>nft -j</c> both takes and gives, so that
/// what is wanted and what is read back compare expression by expression.
/// </summary>
/// <param name="Chains">None where the table should not be there at all.</param>
/// <param name="Router">The network whose router has it; null for the host itself.</param>
public sealed record RuleTable(NetworkId? Router, string Family, IReadOnlyList<RuleChain> Chains, IReadOnlyList<string> Counters)
{
    public const string Name = "plinth";

    /// <summary>Replaces the table in one transaction. Counters go on from <paramref name="carried"/>.</summary>
    public string Script(IReadOnlyDictionary<string, RuleCount> carried)
    {
        JsonObject Table() => new() { ["table"] = new JsonObject { ["family"] = Family, ["name"] = Name } };
        // Deleting what is not there fails: it is added first.
        var acts = new JsonArray { Act("add", Table()), Act("delete", Table()) };
        if (Chains.Count == 0) return new JsonObject { ["nftables"] = acts }.ToJsonString();
        acts.Add(Act("add", Table()));
        foreach (var counter in Counters)
        {
            var count = carried.GetValueOrDefault(counter);
            acts.Add(Act("add", new JsonObject { ["counter"] = new JsonObject { ["family"] = Family, ["table"] = Name, ["name"] = counter, ["packets"] = count.Packets, ["bytes"] = count.Bytes } }));
        }
        foreach (var chain in Chains) acts.Add(Act("add", new JsonObject { ["chain"] = chain.Head(Family) }));
        foreach (var chain in Chains)
            foreach (var rule in chain.Rules)
                acts.Add(Act("add", new JsonObject { ["rule"] = new JsonObject { ["family"] = Family, ["table"] = Name, ["chain"] = chain.Name, ["expr"] = JsonNode.Parse(rule) } }));
        return new JsonObject { ["nftables"] = acts }.ToJsonString();
    }

    /// <summary>What a listing of the table (<c>nft -j list table</c>; null where there is none) has otherwise than wanted, as sentences.</summary>
    public IReadOnlyList<string> Differences(string? listing)
    {
        var where = Router is null ? $"table {Family} {Name}" : $"table {Family} {Name} of the router";
        if (Chains.Count == 0) return listing is null ? [] : [$"{where} was there without need"];
        if (listing is null) return [$"{where} was missing"];
        var items = Items(listing);
        var differences = new List<string>();
        var chains = items.Where(i => i.Kind == "chain").ToDictionary(i => Text(i.Body, "name"), i => i.Body);
        var rules = items.Where(i => i.Kind == "rule").GroupBy(i => Text(i.Body, "chain")).ToDictionary(g => g.Key, g => g.Select(i => Canonical(i.Body["expr"])).ToArray());
        foreach (var chain in Chains)
        {
            if (!chains.TryGetValue(chain.Name, out var found))
            {
                differences.Add($"{where} lacked the chain {chain.Name}");
                continue;
            }
            if (!chain.IsAs(found)) differences.Add($"{where}: the chain {chain.Name} hung elsewhere or had another policy");
            var wanted = chain.Rules.Select(r => Canonical(JsonNode.Parse(r))).ToArray();
            var present = rules.GetValueOrDefault(chain.Name, []);
            if (wanted.SequenceEqual(present)) continue;
            var (missing, strange) = (wanted.Except(present).Count(), present.Except(wanted).Count());
            differences.Add($"{where}, chain {chain.Name}: " + (missing + strange == 0 ? "rules in another order" : string.Join(" and ", Counted(missing, "missing").Concat(Counted(strange, "foreign")))));
        }
        differences.AddRange(chains.Keys.Except(Chains.Select(c => c.Name)).Order(StringComparer.Ordinal).Select(c => $"{where} had a foreign chain {c}"));
        differences.AddRange(Counters.Except(Counts(listing).Keys).Select(c => $"{where} lacked the counter {c}"));
        return differences;
    }

    /// <summary>The named counters of a listing.</summary>
    public static IReadOnlyDictionary<string, RuleCount> Counts(string? listing) => listing is null
        ? new Dictionary<string, RuleCount>()
        : Items(listing).Where(i => i.Kind == "counter").ToDictionary(i => Text(i.Body, "name"), i => new RuleCount((long)i.Body["packets"]!, (long)i.Body["bytes"]!));

    private static IEnumerable<string> Counted(int n, string what) => n == 0 ? [] : [$"{n} rule{(n == 1 ? "" : "s")} {what}"];

    private static IReadOnlyList<(string Kind, JsonObject Body)> Items(string listing) =>
        [.. JsonNode.Parse(listing)!["nftables"]!.AsArray().Select(i => i!.AsObject().First()).Where(p => p.Value is JsonObject).Select(p => (p.Key, p.Value!.AsObject()))];

    // The kernel gives the elements of a set in an order of its own.
    private static string Canonical(JsonNode? node) => node switch
    {
        null => "null",
        JsonObject o when o.Count == 1 && o.First() is { Key: "set", Value: JsonArray set } => "{\"set\":[" + string.Join(',', set.Select(Canonical).Order(StringComparer.Ordinal)) + "]}",
        JsonObject o => "{" + string.Join(',', o.OrderBy(p => p.Key, StringComparer.Ordinal).Select(p => $"\"{p.Key}\":{Canonical(p.Value)}")) + "}",
        JsonArray a => "[" + string.Join(',', a.Select(Canonical)) + "]",
        _ => node.ToJsonString(),
    };

    private static JsonNode Act(string verb, JsonObject what) => new JsonObject { [verb] = what };

    private static string Text(JsonObject body, string name) => (string?)body[name] ?? "";
}

public readonly record struct RuleCount(long Packets, long Bytes)
{
    public static RuleCount operator +(RuleCount a, RuleCount b) => new(a.Packets + b.Packets, a.Bytes + b.Bytes);
}

/// <param name="Hook">"forward", …; null for a chain that is jumped to.</param>
/// <param name="Rules">Each the JSON array of one rule's expressions.</param>
public sealed record RuleChain(string Name, string? Type, string? Hook, int Priority, string? Policy, IReadOnlyList<string> Rules)
{
    public static RuleChain Jumped(string name, params IReadOnlyList<string> rules) => new(name, null, null, 0, null, rules);

    internal JsonObject Head(string family)
    {
        var head = new JsonObject { ["family"] = family, ["table"] = RuleTable.Name, ["name"] = Name };
        if (Hook is null) return head;
        (head["type"], head["hook"], head["prio"], head["policy"]) = (Type, Hook, Priority, Policy);
        return head;
    }

    internal bool IsAs(JsonObject found) =>
        Hook is null ? found["hook"] is null : (string?)found["type"] == Type && (string?)found["hook"] == Hook && (int?)found["prio"] == Priority && (string?)found["policy"] == Policy;
}
