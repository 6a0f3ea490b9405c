using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Plinth.Core.Primitives;

/// <summary>A typed identity: a UUIDv7 (sortable by creation time) that cannot be mistaken for another kind's.</summary>
public interface ITypedId<TSelf> where TSelf : struct, ITypedId<TSelf>
{
    Guid Value { get; }
    static abstract TSelf From(Guid value);
}

/// <summary>Writes a typed id as its plain UUID string ("0193…-…"), the only form that leaves the process.</summary>
public sealed class TypedIdConverter<T> : JsonConverter<T> where T : struct, ITypedId<T>
{
    public override T Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        reader.TryGetGuid(out var value) ? T.From(value) : throw new JsonException("a UUID is expected");

    public override void Write(Utf8JsonWriter writer, T value, JsonSerializerOptions options) =>
        writer.WriteStringValue(value.Value);

    public override T ReadAsPropertyName(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        T.From(Guid.Parse(reader.GetString()!));

    public override void WriteAsPropertyName(Utf8JsonWriter writer, [DisallowNull] T value, JsonSerializerOptions options) =>
        writer.WritePropertyName(value.Value.ToString());
}

/// <summary>A host, from its enrolment on.</summary>
[JsonConverter(typeof(TypedIdConverter<HostId>))]
public readonly record struct HostId(Guid Value) : ITypedId<HostId>
{
    public static HostId From(Guid value) => new(value);
    public static HostId New(DateTimeOffset now) => new(Guid.CreateVersion7(now));
    public override string ToString() => Value.ToString();
}

/// <summary>A virtual machine; also its libvirt domain UUID.</summary>
[JsonConverter(typeof(TypedIdConverter<VmId>))]
public readonly record struct VmId(Guid Value) : ITypedId<VmId>
{
    public static VmId From(Guid value) => new(value);
    public static VmId New(DateTimeOffset now) => new(Guid.CreateVersion7(now));
    public override string ToString() => Value.ToString();
}

/// <summary>A disk image that VMs start from.</summary>
[JsonConverter(typeof(TypedIdConverter<ImageId>))]
public readonly record struct ImageId(Guid Value) : ITypedId<ImageId>
{
    public static ImageId From(Guid value) => new(value);
    public static ImageId New(DateTimeOffset now) => new(Guid.CreateVersion7(now));
    public override string ToString() => Value.ToString();
}

/// <summary>A named size.</summary>
[JsonConverter(typeof(TypedIdConverter<FlavorId>))]
public readonly record struct FlavorId(Guid Value) : ITypedId<FlavorId>
{
    public static FlavorId From(Guid value) => new(value);
    public static FlavorId New(DateTimeOffset now) => new(Guid.CreateVersion7(now));
    public override string ToString() => Value.ToString();
}

/// <summary>A network that VMs attach to.</summary>
[JsonConverter(typeof(TypedIdConverter<NetworkId>))]
public readonly record struct NetworkId(Guid Value) : ITypedId<NetworkId>
{
    public static NetworkId From(Guid value) => new(value);
    public static NetworkId New(DateTimeOffset now) => new(Guid.CreateVersion7(now));
    public override string ToString() => Value.ToString();
}

/// <summary>A class of storage that disks live on.</summary>
[JsonConverter(typeof(TypedIdConverter<StorageClassId>))]
public readonly record struct StorageClassId(Guid Value) : ITypedId<StorageClassId>
{
    public static StorageClassId From(Guid value) => new(value);
    public static StorageClassId New(DateTimeOffset now) => new(Guid.CreateVersion7(now));
    public override string ToString() => Value.ToString();
}

/// <summary>The project that owns a thing; the boundary between tenants.</summary>
[JsonConverter(typeof(TypedIdConverter<ProjectId>))]
public readonly record struct ProjectId(Guid Value) : ITypedId<ProjectId>
{
    public static ProjectId From(Guid value) => new(value);
    public static ProjectId New(DateTimeOffset now) => new(Guid.CreateVersion7(now));
    public override string ToString() => Value.ToString();
}

/// <summary>The organization that owns projects.</summary>
[JsonConverter(typeof(TypedIdConverter<OrganizationId>))]
public readonly record struct OrganizationId(Guid Value) : ITypedId<OrganizationId>
{
    public static OrganizationId From(Guid value) => new(value);
    public static OrganizationId New(DateTimeOffset now) => new(Guid.CreateVersion7(now));
    public override string ToString() => Value.ToString();
}

/// <summary>A piece of long work.</summary>
[JsonConverter(typeof(TypedIdConverter<OperationId>))]
public readonly record struct OperationId(Guid Value) : ITypedId<OperationId>
{
    public static OperationId From(Guid value) => new(value);
    public static OperationId New(DateTimeOffset now) => new(Guid.CreateVersion7(now));
    public override string ToString() => Value.ToString();
}

/// <summary>A one-shot command to an agent; its effect happens once however often it is delivered.</summary>
[JsonConverter(typeof(TypedIdConverter<CommandId>))]
public readonly record struct CommandId(Guid Value) : ITypedId<CommandId>
{
    public static CommandId From(Guid value) => new(value);
    public static CommandId New(DateTimeOffset now) => new(Guid.CreateVersion7(now));
    public override string ToString() => Value.ToString();
}

/// <summary>A volume: a disk of its own, that can be attached to one VM after another.</summary>
[JsonConverter(typeof(TypedIdConverter<VolumeId>))]
public readonly record struct VolumeId(Guid Value) : ITypedId<VolumeId>
{
    public static VolumeId From(Guid value) => new(value);
    public static VolumeId New(DateTimeOffset now) => new(Guid.CreateVersion7(now));
    public override string ToString() => Value.ToString();
}

/// <summary>A snapshot of a VM.</summary>
[JsonConverter(typeof(TypedIdConverter<SnapshotId>))]
public readonly record struct SnapshotId(Guid Value) : ITypedId<SnapshotId>
{
    public static SnapshotId From(Guid value) => new(value);
    public static SnapshotId New(DateTimeOffset now) => new(Guid.CreateVersion7(now));
    public override string ToString() => Value.ToString();
}

/// <summary>A stored placement decision.</summary>
[JsonConverter(typeof(TypedIdConverter<DecisionId>))]
public readonly record struct DecisionId(Guid Value) : ITypedId<DecisionId>
{
    public static DecisionId From(Guid value) => new(value);
    public static DecisionId New(DateTimeOffset now) => new(Guid.CreateVersion7(now));
    public override string ToString() => Value.ToString();
}

/// <summary>A one-time token that lets one agent join.</summary>
[JsonConverter(typeof(TypedIdConverter<JoinTokenId>))]
public readonly record struct JoinTokenId(Guid Value) : ITypedId<JoinTokenId>
{
    public static JoinTokenId From(Guid value) => new(value);
    public static JoinTokenId New(DateTimeOffset now) => new(Guid.CreateVersion7(now));
    public override string ToString() => Value.ToString();
}

/// <summary>A person who signs in.</summary>
[JsonConverter(typeof(TypedIdConverter<UserId>))]
public readonly record struct UserId(Guid Value) : ITypedId<UserId>
{
    public static UserId From(Guid value) => new(value);
    public static UserId New(DateTimeOffset now) => new(Guid.CreateVersion7(now));
    public override string ToString() => Value.ToString();
}

/// <summary>A list as somebody wants to see it again.</summary>
[JsonConverter(typeof(TypedIdConverter<SavedViewId>))]
public readonly record struct SavedViewId(Guid Value) : ITypedId<SavedViewId>
{
    public static SavedViewId From(Guid value) => new(value);
    public static SavedViewId New(DateTimeOffset now) => new(Guid.CreateVersion7(now));
    public override string ToString() => Value.ToString();
}

/// <summary>One server of the console, for the life of its data directory.</summary>
[JsonConverter(typeof(TypedIdConverter<ServerId>))]
public readonly record struct ServerId(Guid Value) : ITypedId<ServerId>
{
    public static ServerId From(Guid value) => new(value);
    public static ServerId New(DateTimeOffset now) => new(Guid.CreateVersion7(now));
    public override string ToString() => Value.ToString();
}

/// <summary>An API client.</summary>
[JsonConverter(typeof(TypedIdConverter<ClientId>))]
public readonly record struct ClientId(Guid Value) : ITypedId<ClientId>
{
    public static ClientId From(Guid value) => new(value);
    public static ClientId New(DateTimeOffset now) => new(Guid.CreateVersion7(now));
    public override string ToString() => Value.ToString();
}

/// <summary>A request for a higher quota.</summary>
[JsonConverter(typeof(TypedIdConverter<QuotaRequestId>))]
public readonly record struct QuotaRequestId(Guid Value) : ITypedId<QuotaRequestId>
{
    public static QuotaRequestId From(Guid value) => new(value);
    public static QuotaRequestId New(DateTimeOffset now) => new(Guid.CreateVersion7(now));
    public override string ToString() => Value.ToString();
}

/// <summary>A role that somebody asked for, for a few hours.</summary>
[JsonConverter(typeof(TypedIdConverter<ElevationId>))]
public readonly record struct ElevationId(Guid Value) : ITypedId<ElevationId>
{
    public static ElevationId From(Guid value) => new(value);
    public static ElevationId New(DateTimeOffset now) => new(Guid.CreateVersion7(now));
    public override string ToString() => Value.ToString();
}

/// <summary>A passkey of a person.</summary>
[JsonConverter(typeof(TypedIdConverter<PasskeyId>))]
public readonly record struct PasskeyId(Guid Value) : ITypedId<PasskeyId>
{
    public static PasskeyId From(Guid value) => new(value);
    public static PasskeyId New(DateTimeOffset now) => new(Guid.CreateVersion7(now));
    public override string ToString() => Value.ToString();
}

/// <summary>A stay of somebody who signed in, or a token of theirs.</summary>
[JsonConverter(typeof(TypedIdConverter<SessionId>))]
public readonly record struct SessionId(Guid Value) : ITypedId<SessionId>
{
    public static SessionId From(Guid value) => new(value);
    public static SessionId New(DateTimeOffset now) => new(Guid.CreateVersion7(now));
    public override string ToString() => Value.ToString();
}

/// <summary>A role that somebody has somewhere.</summary>
[JsonConverter(typeof(TypedIdConverter<RoleBindingId>))]
public readonly record struct RoleBindingId(Guid Value) : ITypedId<RoleBindingId>
{
    public static RoleBindingId From(Guid value) => new(value);
    public static RoleBindingId New(DateTimeOffset now) => new(Guid.CreateVersion7(now));
    public override string ToString() => Value.ToString();
}
