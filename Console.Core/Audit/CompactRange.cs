using System.Numerics;

namespace Plinth.Core.Audit;

/// <summary>A complete subtree: 2^<paramref name="Level"/> leaves from leaf <paramref name="Index"/> · 2^<paramref name="Level"/> on.</summary>
public readonly record struct NodeAddress(int Level, long Index);

/// <summary>
/// The right edge of a tree: the hashes of its complete subtrees, largest first. Enough to append and to give the root,
/// with at most one hash per set bit of the size.
/// </summary>
public sealed class CompactRange
{
    private readonly List<byte[]> _edge;

    public CompactRange() : this(0, []) { }

    /// <summary>Goes on from a stored tree.</summary>
    /// <param name="edge">The hashes of <see cref="Edge"/>(<paramref name="size"/>), in that order.</param>
    public CompactRange(long size, IReadOnlyList<byte[]> edge)
    {
        if (size < 0 || BitOperations.PopCount((ulong)size) != edge.Count)
            throw new ArgumentException($"a tree of {size} leaves has {BitOperations.PopCount((ulong)size)} complete subtrees, {edge.Count} are given", nameof(edge));
        (Size, _edge) = (size, [.. edge]);
    }

    public long Size { get; private set; }

    /// <summary>The complete subtrees that make up a tree of that size, largest first.</summary>
    public static IReadOnlyList<NodeAddress> Edge(long size) => LeafRange.Of(0, size).Nodes;

    /// <summary>Adds a leaf. Gives every subtree that it completed above the leaf, lowest first.</summary>
    public IReadOnlyList<(NodeAddress Address, byte[] Hash)> Append(byte[] leafHash)
    {
        var completed = new List<(NodeAddress, byte[])>();
        var hash = leafHash;
        // Each trailing one bit of the size is a complete left sibling waiting for this subtree.
        for (var (level, index) = (0, Size); (index & 1) == 1;)
        {
            hash = MerkleHash.Node(_edge[^1], hash);
            _edge.RemoveAt(_edge.Count - 1);
            (level, index) = (level + 1, index >> 1);
            completed.Add((new NodeAddress(level, index), hash));
        }
        _edge.Add(hash);
        Size++;
        return completed;
    }

    public byte[] Root() => _edge.Count == 0 ? MerkleHash.Empty : Enumerable.Reverse(_edge).Aggregate((right, left) => MerkleHash.Node(left, right));
}
