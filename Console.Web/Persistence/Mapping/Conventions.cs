using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage.ValueConversion;
using Plinth.Core.Inventory;
using Plinth.Core.Machines;
using Plinth.Core.Network;
using Plinth.Core.Operations;
using Plinth.Core.Placement;
using Plinth.Core.Primitives;
using Plinth.Core.Protocol;
using Plinth.Core.Storage;
using Plinth.Web.Persistence.Rows;

namespace Plinth.Web.Persistence.Mapping;

/// <summary>How the domain's types stand in columns, the same on both engines.</summary>
internal static class Conventions
{
    public static void Apply(ModelConfigurationBuilder builder)
    {
        builder.Properties<Enum>().HaveConversion<string>();
        // Integers, because SQLite can neither order nor index a DateTimeOffset.
        builder.Properties<DateTimeOffset>().HaveConversion<UnixMillisecondsConverter>();
        builder.Properties<Generation>().HaveConversion<GenerationColumn>();
        builder.Properties<Epoch>().HaveConversion<EpochColumn>();
        foreach (var id in TypedIds) builder.Properties(id).HaveConversion(typeof(TypedIdColumn<>).MakeGenericType(id));

        Json<Resources>(builder);
        Json<HostFacts>(builder);
        Json<AgentExecutable>(builder);
        Json<AgentRoll>(builder);
        Json<IReadOnlyList<ObservedFacility>>(builder);
        Json<IReadOnlyList<InterfaceDrops>>(builder);
        Json<IReadOnlyList<PortRule>>(builder);
        Json<IReadOnlyList<string>>(builder);
        Json<VmSpec>(builder);
        Json<IReadOnlyList<VmNic>>(builder);
        Json<StorageNeeds>(builder);
        Json<IoLimits>(builder);
        Json<IReadOnlyList<VmSnapshot>>(builder);
        Json<ObservedMachine>(builder);
        Json<ObservedVolume>(builder);
        Json<IReadOnlyList<OperationStep>>(builder);
        Json<CommandBody>(builder);
        Json<PlacementDecision>(builder);
        Json<PlacementPolicy>(builder);
        Json<IReadOnlyDictionary<HostId, DateTimeOffset?>>(builder);
        Json<IReadOnlyDictionary<string, long>>(builder);
    }

    private static void Json<T>(ModelConfigurationBuilder builder) => builder.Properties<T>().HaveConversion<JsonTextConverter<T>, JsonTextComparer<T>>();

    private static IEnumerable<Type> TypedIds { get; } =
        [.. typeof(VmId).Assembly.GetTypes().Where(t => t.IsValueType && t.GetInterfaces().Any(i => i.IsGenericType && i.GetGenericTypeDefinition() == typeof(ITypedId<>)))];
}

internal sealed class TypedIdColumn<T>() : ValueConverter<T, Guid>(id => id.Value, value => FromGuid(value)) where T : struct, ITypedId<T>
{
    // A static abstract member cannot stand in an expression tree.
    private static T FromGuid(Guid value) => T.From(value);
}

internal sealed class UnixMillisecondsConverter() : ValueConverter<DateTimeOffset, long>(t => t.ToUnixTimeMilliseconds(), ms => DateTimeOffset.FromUnixTimeMilliseconds(ms));

internal sealed class GenerationColumn() : ValueConverter<Generation, long>(g => g.Value, v => new Generation(v));

internal sealed class EpochColumn() : ValueConverter<Epoch, long>(e => e.Value, v => new Epoch(v));
