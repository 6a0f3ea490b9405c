using System.Text.Json;
using Plinth.Core.Audit;

namespace Plinth.Core.Tests.Audit;

/// <summary>The published vectors, every file of them.</summary>
public class MerkleVectorTests
{
    private static readonly string Data = Path.Combine(AppContext.BaseDirectory, "data", "merkle");
    private static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web);

    private sealed record InclusionCase(ulong LeafIdx, ulong TreeSize, ulong? Start, ulong? End, byte[]? Root, byte[]? LeafHash, byte[][]? Proof, bool WantErr);

    private sealed record ConsistencyCase(ulong Size1, ulong Size2, ulong Start, ulong End, ulong Size, byte[]? Root1, byte[]? Root2, byte[][]? Proof, bool WantErr);

    [Fact]
    public void Inclusion() => Check<InclusionCase>("inclusion", 98, c => c.WantErr, c =>
        MerkleVerifier.Inclusion(c.LeafIdx, c.TreeSize, c.LeafHash ?? [], c.Proof ?? [], c.Root ?? []));

    [Fact]
    public void Consistency() => Check<ConsistencyCase>("consistency", 98, c => c.WantErr, c =>
        MerkleVerifier.Consistency(c.Size1, c.Size2, c.Root1 ?? [], c.Root2 ?? [], c.Proof ?? []));

    [Fact]
    public void Subtree_inclusion() => Check<InclusionCase>("subtreeinclusion", 200, c => c.WantErr, c =>
        MerkleVerifier.SubtreeInclusion(c.LeafIdx, c.Start ?? 0, c.End ?? 0, c.LeafHash ?? [], c.Proof ?? [], c.Root ?? []));

    [Fact]
    public void Subtree_consistency() => Check<ConsistencyCase>("subtreeconsistency", 110, c => c.WantErr, c =>
        MerkleVerifier.SubtreeConsistency(c.Start, c.End, c.Size, c.Root1 ?? [], c.Root2 ?? [], c.Proof ?? []));

    [Fact]
    public void Reference_tree_of_the_rfc()
    {
        using var tree = JsonDocument.Parse(File.ReadAllText(Path.Combine(Data, "rfc6962-reference-tree.json")));
        var roots = tree.RootElement.GetProperty("root_hex_by_size").EnumerateArray().Select(r => r.GetString()).ToArray();
        var range = new CompactRange();
        Assert.Equal(roots[0], Convert.ToHexStringLower(range.Root()));
        foreach (var leaf in tree.RootElement.GetProperty("leaf_inputs_hex").EnumerateArray())
        {
            range.Append(MerkleHash.Leaf(Convert.FromHexString(leaf.GetString()!)));
            Assert.Equal(roots[range.Size], Convert.ToHexStringLower(range.Root()));
        }
        Assert.Equal(roots.Length, range.Size + 1);
    }

    private static void Check<T>(string folder, int atLeast, Func<T, bool> wantError, Func<T, bool> verify)
    {
        var files = Directory.GetFiles(Path.Combine(Data, "testdata", folder), "*.json", SearchOption.AllDirectories);
        Assert.True(files.Length >= atLeast, $"only {files.Length} vectors in {folder}");
        var wrong = files.Where(f => JsonSerializer.Deserialize<T>(File.ReadAllText(f), Options) is { } c && verify(c) == wantError(c)).Order(StringComparer.Ordinal).ToArray();
        Assert.True(wrong.Length == 0, string.Join("\n", wrong));
    }
}
