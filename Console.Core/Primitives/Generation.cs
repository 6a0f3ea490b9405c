using System.Text.Json;
using System.Text.Json.Serialization;

namespace Plinth.Core.Primitives;

/// <summary>Stamps one version of a host's desired state. It only grows; a receiver refuses an older one. 0 is "none yet".</summary>
[JsonConverter(typeof(GenerationConverter))]
public readonly record struct Generation(long Value) : IComparable<Generation>
{
    public static Generation None => new(0);
    public Generation Next() => new(checked(Value + 1));
    public int CompareTo(Generation other) => Value.CompareTo(other.Value);
    public static bool operator <(Generation a, Generation b) => a.Value < b.Value;
    public static bool operator >(Generation a, Generation b) => a.Value > b.Value;
    public static bool operator <=(Generation a, Generation b) => a.Value <= b.Value;
    public static bool operator >=(Generation a, Generation b) => a.Value >= b.Value;
    public override string ToString() => Value.ToString();
}

/// <summary>A session's fencing number. The server raises it on every session of a host; a message with a lower one is refused by either end.</summary>
[JsonConverter(typeof(EpochConverter))]
public readonly record struct Epoch(long Value) : IComparable<Epoch>
{
    public static Epoch None => new(0);
    public Epoch Next() => new(checked(Value + 1));
    public int CompareTo(Epoch other) => Value.CompareTo(other.Value);
    public static bool operator <(Epoch a, Epoch b) => a.Value < b.Value;
    public static bool operator >(Epoch a, Epoch b) => a.Value > b.Value;
    public override string ToString() => Value.ToString();
}

public sealed class GenerationConverter : JsonConverter<Generation>
{
    public override Generation Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => new(reader.GetInt64());
    public override void Write(Utf8JsonWriter writer, Generation value, JsonSerializerOptions options) => writer.WriteNumberValue(value.Value);
}

public sealed class EpochConverter : JsonConverter<Epoch>
{
    public override Epoch Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => new(reader.GetInt64());
    public override void Write(Utf8JsonWriter writer, Epoch value, JsonSerializerOptions options) => writer.WriteNumberValue(value.Value);
}
