using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Plinth.Core.Primitives;

namespace Plinth.Core.Audit;

/// <summary>What the ledger says of one act. Words, not enums: an entry must read the same when the code has moved on.</summary>
/// <param name="Sequence">Names the entry; its leaf index is given later, in the same order.</param>
/// <param name="At">In whole milliseconds.</param>
public sealed record AuditEntry(
    long Sequence,
    DateTimeOffset At,
    string ActorKind,
    string ActorId,
    string Actor,
    string Action,
    string Target,
    ProjectId? Project,
    string Outcome,
    string Detail,
    string? RemoteAddress)
{
    private const string Domain = "plinth audit entry v1";
    private const uint Absent = uint.MaxValue;

    /// <summary>
    /// The one form that is hashed: the domain and each field in the order above, as UTF-8 after its length in four bytes,
    /// big-endian; numbers and Unix milliseconds in decimal; ff ff ff ff for what is absent. No two entries share it.
    /// </summary>
    public byte[] CanonicalBytes()
    {
        var bytes = new MemoryStream();
        Span<byte> length = stackalloc byte[4];
        foreach (var field in Fields())
        {
            var text = field is null ? null : Encoding.UTF8.GetBytes(field);
            BinaryPrimitives.WriteUInt32BigEndian(length, text is null ? Absent : (uint)text.Length);
            bytes.Write(length);
            bytes.Write(text);
        }
        return bytes.ToArray();
    }

    public byte[] LeafHash() => MerkleHash.Leaf(CanonicalBytes());

    private string?[] Fields() =>
    [
        Domain, Sequence.ToString(CultureInfo.InvariantCulture), At.ToUnixTimeMilliseconds().ToString(CultureInfo.InvariantCulture),
        ActorKind, ActorId, Actor, Action, Target, Project?.Value.ToString("D"), Outcome, Detail, RemoteAddress,
    ];
}
