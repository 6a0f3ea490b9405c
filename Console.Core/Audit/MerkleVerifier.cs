using System.Numerics;

namespace Plinth.Core.Audit;

/// <summary>
/// Checks proofs with nothing but hashes in hand. Total: any input gives an answer, whatever its sizes. The subtree forms are
/// those of Merkle Tree Certificates (draft-ietf-plants-merkle-tree-certs); with a start of 0 they are those of RFC 6962.
/// </summary>
public static class MerkleVerifier
{
    /// <summary>Is the leaf at <paramref name="index"/> part of the tree of <paramref name="size"/> leaves with that root?</summary>
    public static bool Inclusion(ulong index, ulong size, byte[] leafHash, IReadOnlyList<byte[]> proof, byte[] root) =>
        SubtreeInclusion(index, 0, size, leafHash, proof, root);

    /// <summary>Is the tree of <paramref name="size1"/> leaves the beginning of that of <paramref name="size2"/>? A proof from the empty tree proves nothing and is refused.</summary>
    public static bool Consistency(ulong size1, ulong size2, byte[] root1, byte[] root2, IReadOnlyList<byte[]> proof) =>
        size1 > 0 && SubtreeConsistency(0, size1, size2, root1, root2, proof);

    /// <summary>Is the leaf part of the subtree [start, end) with that root?</summary>
    public static bool SubtreeInclusion(ulong index, ulong start, ulong end, byte[] leafHash, IReadOnlyList<byte[]> proof, byte[] root)
    {
        if (!IsSubtree(start, end) || index < start || index >= end || !AreHashes([leafHash, root, .. proof])) return false;
        var (at, last) = (index - start, end - start - 1);
        var hash = leafHash;
        foreach (var sibling in proof)
        {
            if (last == 0) return false;
            if ((at & 1) == 1 || at == last)
            {
                hash = MerkleHash.Node(sibling, hash);
                // A right-edge node without a sibling rises unhashed.
                while ((at & 1) == 0) (at, last) = (at >> 1, last >> 1);
            }
            else
            {
                hash = MerkleHash.Node(hash, sibling);
            }
            (at, last) = (at >> 1, last >> 1);
        }
        return last == 0 && hash.AsSpan().SequenceEqual(root);
    }

    /// <summary>Is the subtree [start, end) with hash <paramref name="root1"/> part of the tree of <paramref name="size"/> leaves with <paramref name="root2"/>?</summary>
    public static bool SubtreeConsistency(ulong start, ulong end, ulong size, byte[] root1, byte[] root2, IReadOnlyList<byte[]> proof)
    {
        if (end > size) return false;
        // The empty subtree is part of every tree; there is nothing to prove.
        if (start == end) return proof.Count == 0 && root1.AsSpan().SequenceEqual(MerkleHash.Empty);
        if (!IsSubtree(start, end) || !AreHashes(proof) || (proof.Count > 0 && !AreHashes([root1]))) return false;
        var (first, last, lastOfTree) = (start, end - 1, size - 1);
        // Down to the node where the subtree's right edge leaves the tree's.
        while (first != last && (last == lastOfTree || (last & 1) == 1)) (first, last, lastOfTree) = (first >> 1, last >> 1, lastOfTree >> 1);
        var next = 0;
        byte[] old, now;
        if (first == last)
        {
            old = now = root1;
        }
        else
        {
            if (proof.Count == 0) return false;
            old = now = proof[next++];
        }
        for (; next < proof.Count; next++)
        {
            if (lastOfTree == 0) return false;
            if ((last & 1) == 1 || last == lastOfTree)
            {
                if (first < last) old = MerkleHash.Node(proof[next], old);
                now = MerkleHash.Node(proof[next], now);
                while ((last & 1) == 0) (first, last, lastOfTree) = (first >> 1, last >> 1, lastOfTree >> 1);
            }
            else
            {
                now = MerkleHash.Node(now, proof[next]);
            }
            (first, last, lastOfTree) = (first >> 1, last >> 1, lastOfTree >> 1);
        }
        return lastOfTree == 0 && old.AsSpan().SequenceEqual(root1) && now.AsSpan().SequenceEqual(root2);
    }

    /// <summary>Only ranges that begin at a multiple of their size rounded up to a power of two are subtrees; an empty one is none.</summary>
    private static bool IsSubtree(ulong start, ulong end)
    {
        if (start >= end) return false;
        if (start == 0) return true;
        var size = end - start;
        return size <= 1UL << 63 && start % BitOperations.RoundUpToPowerOf2(size) == 0;
    }

    private static bool AreHashes(IEnumerable<byte[]> values) => values.All(v => v.Length == MerkleHash.Bytes);
}
