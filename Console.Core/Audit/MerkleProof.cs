using System.Numerics;

namespace Plinth.Core.Audit;

/// <summary>Consecutive leaves of one tree, as a proof needs them: <see cref="Nodes"/> are the complete subtrees they consist of, from left to right.</summary>
public readonly record struct LeafRange(long Start, long Count)
{
    public static LeafRange Of(long start, long count) => new(start, count);

    public IReadOnlyList<NodeAddress> Nodes
    {
        get
        {
            var nodes = new List<NodeAddress>();
            for (var (at, left) = (Start, Count); left > 0;)
            {
                var level = BitOperations.Log2((ulong)left);
                nodes.Add(new NodeAddress(level, at >> level));
                at += 1L << level;
                left -= 1L << level;
            }
            return nodes;
        }
    }

    /// <summary>The hash over the range, from the hashes of its complete subtrees.</summary>
    public byte[] Fold(Func<NodeAddress, byte[]> hash) =>
        Count == 0 ? MerkleHash.Empty : Nodes.Reverse().Select(hash).Aggregate((right, left) => MerkleHash.Node(left, right));
}

/// <summary>
/// Which parts of a tree prove something (RFC 6962 §2.1.1, §2.1.2). A proof is the hashes of these ranges in this order;
/// the addresses of their nodes say what to read before any hash is computed.
/// </summary>
public static class MerkleProof
{
    /// <summary>That leaf <paramref name="index"/> is in the tree of <paramref name="size"/> leaves.</summary>
    public static IReadOnlyList<LeafRange> Inclusion(long index, long size)
    {
        if (index < 0 || index >= size) throw new ArgumentOutOfRangeException(nameof(index), index, $"the tree has {size} leaves");
        var path = new List<LeafRange>();
        Walk(index, 0, size, path);
        return path;

        static void Walk(long index, long start, long count, List<LeafRange> path)
        {
            if (count == 1) return;
            var left = LargestPowerBelow(count);
            if (index - start < left)
            {
                Walk(index, start, left, path);
                path.Add(new LeafRange(start + left, count - left));
            }
            else
            {
                Walk(index, start + left, count - left, path);
                path.Add(new LeafRange(start, left));
            }
        }
    }

    /// <summary>That the tree of <paramref name="from"/> leaves is the beginning of the tree of <paramref name="to"/> leaves.</summary>
    public static IReadOnlyList<LeafRange> Consistency(long from, long to)
    {
        if (from < 1 || from > to) throw new ArgumentOutOfRangeException(nameof(from), from, $"must be from 1 to {to}");
        var path = new List<LeafRange>();
        Walk(from, 0, to, known: true, path);
        return path;

        static void Walk(long m, long start, long count, bool known, List<LeafRange> path)
        {
            if (m == count)
            {
                // The old root itself is known to the verifier.
                if (!known) path.Add(new LeafRange(start, count));
                return;
            }
            var left = LargestPowerBelow(count);
            if (m <= left)
            {
                Walk(m, start, left, known, path);
                path.Add(new LeafRange(start + left, count - left));
            }
            else
            {
                Walk(m - left, start + left, count - left, known: false, path);
                path.Add(new LeafRange(start, left));
            }
        }
    }

    /// <summary>The largest power of two that is smaller than <paramref name="n"/> (at least 2).</summary>
    private static long LargestPowerBelow(long n) => 1L << BitOperations.Log2((ulong)(n - 1));
}
