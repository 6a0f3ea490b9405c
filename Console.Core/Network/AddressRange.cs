using System.Buffers.Binary;
using System.Net;

namespace Plinth.Core.Network;

/// <summary>The IPv4 range of a network: the first address is the gateway, the last one is for broadcasts, all between are for guests.</summary>
public readonly record struct AddressRange
{
    public const int ShortestPrefix = 16, LongestPrefix = 28;

    /// <summary>Ranges that nobody on the Internet has (RFC 1918).</summary>
    public static IReadOnlyList<AddressRange> Private { get; } = [Parse("10.0.0.0/8"), Parse("172.16.0.0/12"), Parse("192.168.0.0/16")];

    private AddressRange(uint first, int prefix) => (First, Prefix) = (first, prefix);

    private uint First { get; }
    public int Prefix { get; }
    private uint Size => 1u << (32 - Prefix);
    private uint Last => First + (Size - 1);

    public string Gateway => Text(First + 1);
    public string Netmask => Text(~(Size - 1));

    /// <summary>Addresses for guests.</summary>
    public int Guests => (int)Math.Min(int.MaxValue, Size - 3);

    public static AddressRange Parse(string cidr) => TryParse(cidr, out var range) ? range : throw new FormatException($"'{cidr}' is no IPv4 range.");

    /// <summary>Only the canonical form is a range: "10.1.0.0/16", never "10.1.2.3/16".</summary>
    public static bool TryParse(string? cidr, out AddressRange range)
    {
        range = default;
        if (!IPNetwork.TryParse(cidr, out var parsed) || parsed.BaseAddress.GetAddressBytes().Length != 4 || parsed.ToString() != cidr || parsed.PrefixLength is < 1 or > 31) return false;
        range = new AddressRange(Number(parsed.BaseAddress.ToString()), parsed.PrefixLength);
        return true;
    }

    public bool Overlaps(AddressRange other) => First <= other.Last && other.First <= Last;
    public bool Within(AddressRange other) => First >= other.First && Last <= other.Last;
    public bool Contains(string address) => IPAddress.TryParse(address, out var ip) && ip.GetAddressBytes().Length == 4 && Number(address) is var n && n >= First && n <= Last;

    /// <summary>True for one IPv4 address in its usual form: "10.1.2.3", never "10.1".</summary>
    public static bool IsAddress(string text) => IPAddress.TryParse(text, out var ip) && ip.GetAddressBytes().Length == 4 && ip.ToString() == text;

    /// <summary>True where a guest may have the address: neither the gateway's nor that for broadcasts.</summary>
    public bool IsForGuests(string address) => Contains(address) && Number(address) is var n && n >= First + 2 && n < Last;

    /// <summary>First and last address for guests, for people.</summary>
    public string GuestSpan => $"{Text(First + 2)} to {Text(Last - 1)}";

    /// <summary>The lowest address that no guest has; null when all are taken.</summary>
    public string? FirstFree(IReadOnlySet<string> taken)
    {
        for (var n = First + 2; n < Last; n++)
            if (Text(n) is var address && !taken.Contains(address)) return address;
        return null;
    }

    public override string ToString() => $"{Text(First)}/{Prefix}";

    private static uint Number(string address) => BinaryPrimitives.ReadUInt32BigEndian(IPAddress.Parse(address).GetAddressBytes());

    private static string Text(uint number)
    {
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, number);
        return new IPAddress(bytes).ToString();
    }
}
