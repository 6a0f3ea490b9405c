using Plinth.Core.Primitives;

namespace Plinth.Core.Network;

/// <summary>What a network may be. Each "no" is a refusal with the field and the fix.</summary>
public static class NetworkChecks
{
    public const int MaxRules = 64;

    /// <summary>Why the range cannot be a network's; null when it can. <paramref name="others"/>: of the same project.
    /// <paramref name="uplinks"/>: where hosts have their own addresses.</summary>
    public static Refusal? Range(string? cidr, IEnumerable<(string Name, string Cidr)> others, IEnumerable<(string Host, string Address)> uplinks)
    {
        const string field = "cidr";
        if (string.IsNullOrEmpty(cidr)) return Refusal.Invalid(field, "required", "An IPv4 range is needed, for example 10.20.0.0/24.");
        if (!AddressRange.TryParse(cidr, out var range))
            return Refusal.Invalid(field, "bad_range", "The range is not an IPv4 range in CIDR form without host bits, for example 10.20.0.0/24.");
        if (range.Prefix is < AddressRange.ShortestPrefix or > AddressRange.LongestPrefix)
            return Refusal.Invalid(field, "bad_size", $"A network has a prefix of /{AddressRange.ShortestPrefix} to /{AddressRange.LongestPrefix}; /{range.Prefix} is outside of that.");
        if (!AddressRange.Private.Any(p => range.Within(p)))
            return Refusal.Invalid(field, "not_private", $"{range} is not private: choose a range within {string.Join(", ", AddressRange.Private)}.");
        foreach (var (name, taken) in others)
            if (AddressRange.Parse(taken).Overlaps(range))
                return Refusal.Invalid(field, "overlaps", $"{range} overlaps the network {name} of this project ({taken}); choose another range.");
        foreach (var (host, address) in uplinks)
            if (range.Contains(address))
                return Refusal.Invalid(field, "overlaps_uplink", $"{range} holds the address {address} of the host {host}: guests could not reach it, nor what stands beside it. Choose another range.");
        return null;
    }

    /// <summary>Why a guest cannot have this address on the network; null when it can.</summary>
    /// <param name="takenBy">The VM that has it; null where none has.</param>
    public static Refusal? Address(string address, string network, AddressRange range, string? takenBy)
    {
        const string field = "address";
        if (!AddressRange.IsAddress(address)) return Refusal.Invalid(field, "bad_address", "The address is not an IPv4 address, for example 10.20.0.7.");
        if (!range.Contains(address)) return Refusal.Invalid(field, "outside_range", $"{address} is outside of the network {network} ({range}); choose one from {range.GuestSpan}, or leave it out.");
        if (address == range.Gateway) return Refusal.Invalid(field, "gateway", $"{address} is the gateway of the network {network}; choose one from {range.GuestSpan}, or leave it out.");
        if (!range.IsForGuests(address)) return Refusal.Invalid(field, "not_for_guests", $"{address} is no address for guests of the network {network} ({range}); choose one from {range.GuestSpan}, or leave it out.");
        return takenBy is null ? null : Refusal.Conflict("address_taken", $"{address} belongs to the VM {takenBy} on the network {network}; choose another, or leave it out.") with { Field = field };
    }

    public static IReadOnlyList<Refusal> Rules(string field, IReadOnlyList<PortRule?>? rules)
    {
        if (rules is null) return [];
        if (rules.Count > MaxRules) return [Refusal.Invalid(field, "too_many", $"There are {rules.Count} rules; at most {MaxRules} are allowed.")];
        return [.. rules.SelectMany((rule, i) => Rule($"{field}[{i}]", rule))];
    }

    private static IEnumerable<Refusal> Rule(string field, PortRule? rule)
    {
        if (rule is null)
        {
            yield return Refusal.Invalid(field, "required", "A rule has protocol, ports and source.");
            yield break;
        }
        if (rule.Protocol is not ("tcp" or "udp" or "icmp"))
            yield return Refusal.Invalid(field + ".protocol", "bad_protocol", "The protocol is \"tcp\", \"udp\" or \"icmp\".");
        if (rule.Ports is { Length: > 0 } ports && rule.Protocol == "icmp")
            yield return Refusal.Invalid(field + ".ports", "icmp_ports", "ICMP has no ports; leave them out.");
        else if (rule.Ports is { Length: > 0 } text && PortRule.ParsePorts(text) is null)
            yield return Refusal.Invalid(field + ".ports", "bad_ports", "ports is one port from 1 to 65535 or a range like 8000-8010.");
        if (rule.Source is not { Length: > 0 } source || !PortRule.IsRange(source))
            yield return Refusal.Invalid(field + ".source", "bad_source", "source is an IPv4 range in CIDR form without host bits: 0.0.0.0/0 for everybody, 192.0.2.7/32 for one address.");
    }
}
