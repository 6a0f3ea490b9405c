using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.EntityFrameworkCore.ChangeTracking;
using Microsoft.EntityFrameworkCore.Storage.ValueConversion;

namespace Plinth.Web.Persistence.Mapping;

/// <summary>JSON as it stands in text columns and in the change log: camel case, enums by name, no nulls.</summary>
public static class StoredJson
{
    public static JsonSerializerOptions Options { get; } = new(JsonSerializerDefaults.Web)
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Converters = { new JsonStringEnumConverter() },
    };

    public static string Write(object value) => JsonSerializer.Serialize(value, value.GetType(), Options);

    public static T Read<T>(string text) =>
        JsonSerializer.Deserialize<T>(text, Options) ?? throw new InvalidDataException($"a stored {typeof(T).Name} is JSON null");
}

/// <summary>A whole value in one text column. Values are immutable: a change is a new value.</summary>
public sealed class JsonTextConverter<T>() : ValueConverter<T, string>(
    v => JsonSerializer.Serialize(v, StoredJson.Options),
    s => StoredJson.Read<T>(s));

/// <summary>Two values are the same when their JSON is; the snapshot may share the immutable value.</summary>
public sealed class JsonTextComparer<T>() : ValueComparer<T>(
    (a, b) => ReferenceEquals(a, b) || JsonSerializer.Serialize(a, StoredJson.Options) == JsonSerializer.Serialize(b, StoredJson.Options),
    v => JsonSerializer.Serialize(v, StoredJson.Options).GetHashCode(),
    v => v);
