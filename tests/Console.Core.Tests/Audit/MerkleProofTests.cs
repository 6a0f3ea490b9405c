using CsCheck;
using Plinth.Core.Audit;

namespace Plinth.Core.Tests.Audit;

/// <summary>Proofs made from complete subtrees alone are accepted, and only for what they prove.</summary>
public class MerkleProofTests
{
    private const int Largest = 130;

    private static readonly (List<byte[]> Leaves, Dictionary<NodeAddress, byte[]> Nodes, List<byte[]> Roots) Tree = Grow();

    [Fact]
    public void Every_leaf_of_every_small_tree_is_proved_and_no_other_leaf_passes_for_it()
    {
        for (var size = 1; size <= Largest; size++)
            for (var index = 0; index < size; index++)
            {
                var proof = Hashes(MerkleProof.Inclusion(index, size));
                Assert.True(MerkleVerifier.Inclusion((ulong)index, (ulong)size, Tree.Leaves[index], proof, Tree.Roots[size]));
                Assert.False(MerkleVerifier.Inclusion((ulong)index, (ulong)size, Tree.Leaves[(index + 1) % Largest], proof, Tree.Roots[size]));
            }
    }

    [Fact]
    public void Every_beginning_of_every_small_tree_is_proved_and_no_other_root_passes_for_it()
    {
        for (var to = 1; to <= Largest; to++)
            for (var from = 1; from <= to; from++)
            {
                var proof = Hashes(MerkleProof.Consistency(from, to));
                Assert.True(MerkleVerifier.Consistency((ulong)from, (ulong)to, Tree.Roots[from], Tree.Roots[to], proof));
                Assert.False(MerkleVerifier.Consistency((ulong)from, (ulong)to, Tree.Roots[from - 1], Tree.Roots[to], proof));
            }
    }

    [Fact]
    public void A_range_goes_on_from_its_stored_edge_as_if_it_had_never_stopped() => Gen.Select(Gen.Int[0, Largest], Gen.Int[0, Largest]).Sample((a, b) =>
    {
        var (from, to) = (Math.Min(a, b), Math.Max(a, b));
        var range = new CompactRange(from, [.. CompactRange.Edge(from).Select(n => Tree.Nodes[n])]);
        for (var i = from; i < to; i++) range.Append(Tree.Leaves[i]);
        Assert.Equal(Tree.Roots[to], range.Root());
        Assert.Equal(Tree.Roots[to], LeafRange.Of(0, to).Fold(n => Tree.Nodes[n]));
    });

    [Fact]
    public void Verifiers_answer_any_numbers() => Gen.Select(Gen.ULong, Gen.ULong, Gen.ULong, Gen.Int[0, 70]).Sample((a, b, c, length) =>
    {
        var proof = Enumerable.Repeat(new byte[MerkleHash.Bytes], length).ToArray();
        var root = new byte[MerkleHash.Bytes];
        Assert.False(MerkleVerifier.SubtreeInclusion(a, b, c, root, proof, root));
        // Only the whole tree is consistent with itself by equal roots alone.
        if (MerkleVerifier.SubtreeConsistency(a, b, c, root, root, proof)) Assert.True(a == 0 && b == c && b > 0 && length == 0);
    });

    private static byte[][] Hashes(IReadOnlyList<LeafRange> proof) => [.. proof.Select(r => r.Fold(n => Tree.Nodes[n]))];

    private static (List<byte[]>, Dictionary<NodeAddress, byte[]>, List<byte[]>) Grow()
    {
        var (leaves, nodes, range) = (new List<byte[]>(), new Dictionary<NodeAddress, byte[]>(), new CompactRange());
        var roots = new List<byte[]> { range.Root() };
        for (var i = 0; i < Largest; i++)
        {
            leaves.Add(MerkleHash.Leaf(BitConverter.GetBytes(i)));
            nodes[new NodeAddress(0, i)] = leaves[i];
            foreach (var (address, hash) in range.Append(leaves[i])) nodes[address] = hash;
            roots.Add(range.Root());
        }
        return (leaves, nodes, roots);
    }
}
