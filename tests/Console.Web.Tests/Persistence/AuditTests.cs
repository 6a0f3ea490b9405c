using Microsoft.AspNetCore.DataProtection;
using Microsoft.EntityFrameworkCore;
using Plinth.Core.Audit;
using Plinth.Core.Identity;
using Plinth.Web.Application;
using Plinth.Web.Application.Identity;
using Plinth.Web.Persistence;
using Plinth.Web.Persistence.Auditing;

namespace Plinth.Web.Tests.Persistence;

/// <summary>The audit ledger on one engine: append-only in the database itself, provable, and checked offline.</summary>
public abstract class AuditTests : StoreSuite
{
    private static readonly Caller Reader = new(new Principal(PrincipalKind.User, "u1", "alice"), "192.0.2.1");
    private readonly IDataProtectionProvider _protection = new EphemeralDataProtectionProvider();

    private AuditSequencer NewSequencer() => new(Store, new AuditKey(Store, _protection));

    private AuditLog NewLog()
    {
        var key = new AuditKey(Store, _protection);
        return new AuditLog(Store, new AccessControl(Store, TimeProvider.System), new AuditSequencer(Store, key), key);
    }

    private Task Append(int count, string action = "vm.create") => Store.Write(s =>
    {
        for (var i = 0; i < count; i++) s.Audit(Reader.Principal, Reader.RemoteAddress, action, $"vm/{i}", null, AuditOutcomes.Done, $"é {i}");
        return Task.FromResult(0);
    });

    [Theory]
    [InlineData("UPDATE \"AuditEntries\" SET \"Detail\" = 'x'")]
    [InlineData("DELETE FROM \"AuditEntries\" WHERE \"Sequence\" = 2")]
    [InlineData("UPDATE \"AuditLeaves\" SET \"Index\" = 99 WHERE \"Index\" = 1")]
    [InlineData("DELETE FROM \"AuditLeaves\"")]
    [InlineData("UPDATE \"AuditCheckpoints\" SET \"Note\" = 'x'")]
    [InlineData("DELETE FROM \"AuditCheckpoints\"")]
    public async Task The_database_refuses_to_change_or_remove(string sql) => await Refused(sql);

    protected async Task Refused(string sql)
    {
        await Append(3);
        await NewSequencer().Advance(default);
        await using var db = Contexts.CreateDbContext();
        var e = await Assert.ThrowsAnyAsync<Exception>(() => db.Database.ExecuteSqlRawAsync(sql));
        Assert.Contains("append-only", e.Message);
        Assert.Equal((3, 3, 1), (await db.AuditEntries.CountAsync(), await db.AuditLeaves.CountAsync(), await db.AuditCheckpoints.CountAsync()));
    }

    [Fact]
    public async Task Leaves_follow_the_order_of_entries_over_batches_restarts_and_failed_writes()
    {
        await Append(3);
        Assert.Equal(3, await NewSequencer().Advance(default));
        await Assert.ThrowsAsync<InvalidDataException>(() => Store.Write<int>(s =>
        {
            s.Audit(Principal.System, null, "vm.create", "vm/x", null, AuditOutcomes.Done);
            throw new InvalidDataException();
        }));
        await Append(450);
        var (first, second) = (NewSequencer().Advance(default), NewSequencer().Advance(default));
        var both = await Task.WhenAll(first, second);
        Assert.All(both, n => Assert.Equal(453, n));
        Assert.Equal(453, await NewSequencer().Advance(default));
        await using var db = Store.Read();
        var leaves = await db.AuditLeaves.OrderBy(l => l.Index).ToListAsync();
        Assert.Equal(Enumerable.Range(0, 453).Select(i => (long)i), leaves.Select(l => l.Index));
        Assert.Equal(await db.AuditEntries.OrderBy(e => e.Sequence).Select(e => e.Sequence).ToListAsync(), leaves.Select(l => l.Sequence));
    }

    [Fact]
    public async Task The_stored_ledger_passes_the_offline_check_and_a_doctored_copy_does_not()
    {
        await Append(7);
        var log = NewLog();
        var early = (await log.Checkpoint(Caller.System, default)).Value!;
        await Append(6);
        var late = (await log.Checkpoint(Caller.System, default)).Value!;
        Assert.Equal((7, 13), (early.Size, late.Size));
        var key = NoteVerifierKey.Parse(late.VerifierKey).Value!;
        await using var db = Store.Read();
        var entries = (await db.AuditEntries.OrderBy(e => e.Sequence).ToListAsync()).Select(AuditTree.Entry).ToList();
        var verdict = LedgerVerifier.Verify(entries, [early.Note, late.Note], key);
        Assert.Equal((13, late.RootHash), (verdict.Value!.Entries, Convert.ToBase64String(verdict.Value.Root)));
        entries[3] = entries[3] with { Actor = "mallory" };
        Assert.Equal("ledger_broken", LedgerVerifier.Verify(entries, [late.Note], key).Refusals.Single().Code);
    }

    [Fact]
    public async Task An_export_of_the_stored_ledger_passes_the_offline_check_and_tells_of_a_changed_row()
    {
        var log = NewLog();
        await Append(5);
        var early = (await log.Checkpoint(Caller.System, default)).Value!;
        await Append(450);
        var lines = await (await log.Export(Caller.System, default)).Value!.ToListAsync();
        Assert.Equal(455, LedgerExport.Verify(new StringReader(string.Join('\n', lines)), early.VerifierKey, early.Note).Value!.Entries);
        var broken = lines.Select(l => l.Replace("\"detail\":\"é 17\"", "\"detail\":\"é 71\"", StringComparison.Ordinal).Replace("\\u00E9 17\"", "\\u00E9 71\"", StringComparison.Ordinal));
        Assert.Contains("does not give the hash that the ledger has for it", LedgerExport.Verify(new StringReader(string.Join('\n', broken)), early.VerifierKey).Reason, StringComparison.Ordinal);
        // A tail that is cut off shows against a checkpoint that was kept.
        var later = (await log.Checkpoint(Caller.System, default)).Value!;
        Assert.Contains("were cut off", LedgerExport.Verify(new StringReader(string.Join('\n', lines.SkipLast(3))), early.VerifierKey, later.Note).Reason, StringComparison.Ordinal);
        Assert.Equal("forbidden", (await log.Export(new Caller(Principal.Anonymous, null), default)).Refusals[0].Code);
    }

    [Fact]
    public async Task Tiles_give_the_root_that_the_checkpoint_signs_and_the_entries_that_their_hashes_are_of()
    {
        var log = NewLog();
        await Append(300);
        var checkpoint = (await log.Checkpoint(Caller.System, default)).Value!;
        Assert.Equal(checkpoint.Note, await log.PublicCheckpoint(default));
        var full = (await log.Tile(Caller.System, new TileAddress(0, 0, 256), default)).Value!;
        var part = (await log.Tile(Caller.System, new TileAddress(0, 1, 44), default)).Value!;
        var range = new CompactRange();
        foreach (var hash in full.Chunk(32).Concat(part.Chunk(32))) range.Append(hash);
        Assert.Equal(checkpoint.RootHash, Convert.ToBase64String(range.Root()));
        var above = (await log.Tile(Caller.System, new TileAddress(1, 0, 1), default)).Value!;
        var first = new CompactRange();
        foreach (var hash in full.Chunk(32)) first.Append(hash);
        Assert.Equal(first.Root(), above);
        Assert.Null((await log.Tile(Caller.System, new TileAddress(0, 1, 45), default)).Value);
        Assert.Null((await log.Tile(Caller.System, new TileAddress(0, 2, 1), default)).Value);

        var bundle = (await log.TileEntries(Caller.System, new TileAddress(0, 1, 44), default)).Value!;
        var hashes = new List<byte[]>();
        for (var at = 0; at < bundle.Length;)
        {
            var length = (bundle[at] << 8) | bundle[at + 1];
            hashes.Add(MerkleHash.Leaf(bundle.AsSpan(at + 2, length).ToArray()));
            at += 2 + length;
        }
        Assert.Equal(part.Chunk(32).Select(Convert.ToHexString), hashes.Select(Convert.ToHexString));
        Assert.Equal("forbidden", (await log.Tile(new Caller(Principal.Anonymous, null), new TileAddress(0, 0, 1), default)).Refusals[0].Code);
    }

    [Fact]
    public async Task Every_entry_and_every_earlier_checkpoint_is_proved_by_the_use_case()
    {
        var log = NewLog();
        await Append(11);
        var checkpoint = (await log.Checkpoint(Caller.System, default)).Value!;
        var root = Convert.FromBase64String(checkpoint.RootHash);
        var page = (await log.List(Caller.System, new AuditQuery(), new Window(), default)).Value!;
        Assert.Equal(11, page.Total);
        var index = 10;
        foreach (var entry in page.Items)
        {
            var proof = (await log.InclusionProof(Caller.System, entry.Sequence, checkpoint.Size, default)).Value!;
            Assert.True(MerkleVerifier.Inclusion((ulong)index--, (ulong)checkpoint.Size, Convert.FromBase64String(entry.LeafHash!), [.. proof.Select(Convert.FromBase64String)], root));
        }
        await Append(10);
        var later = (await log.Checkpoint(Caller.System, default)).Value!;
        var consistency = (await log.ConsistencyProof(Caller.System, checkpoint.Size, later.Size, default)).Value!;
        Assert.True(MerkleVerifier.Consistency((ulong)checkpoint.Size, (ulong)later.Size, root, Convert.FromBase64String(later.RootHash), [.. consistency.Select(Convert.FromBase64String)]));
    }

    [Fact]
    public async Task Numbers_that_name_nothing_are_refused_with_the_range()
    {
        var log = NewLog();
        Assert.Null((await log.Checkpoint(Caller.System, default)).Value);
        Assert.Equal("bad_tree_size", (await log.InclusionProof(Caller.System, 1, 1, default)).Refusals[0].Code);
        await Append(5);
        await log.Checkpoint(Caller.System, default);
        Assert.Equal("bad_tree_size", (await log.InclusionProof(Caller.System, 1, 6, default)).Refusals[0].Code);
        Assert.Equal("bad_tree_size", (await log.InclusionProof(Caller.System, 1, -1, default)).Refusals[0].Code);
        Assert.Equal("entry_not_found", (await log.InclusionProof(Caller.System, long.MaxValue, 5, default)).Refusals[0].Code);
        Assert.Equal("entry_not_in_tree", (await log.InclusionProof(Caller.System, 5, 2, default)).Refusals[0].Code);
        Assert.Equal("bad_tree_size", (await log.ConsistencyProof(Caller.System, 0, 5, default)).Refusals[0].Code);
        Assert.Equal("bad_tree_size", (await log.ConsistencyProof(Caller.System, 1, long.MaxValue, default)).Refusals[0].Code);
        Assert.Equal("forbidden", (await log.List(new Caller(Principal.Anonymous, null), new AuditQuery(), new Window(), default)).Refusals[0].Code);
    }

    [Fact]
    public async Task Pages_are_newest_first_filtered_and_complete()
    {
        await Append(30);
        await Append(12, "sign-in");
        var log = NewLog();
        var seen = new List<long>();
        string? cursor = null;
        do
        {
            var page = (await log.List(Caller.System, new AuditQuery(Action: "sign", Actor: "lic", Target: "vm/"), new Window(5, cursor), default)).Value!;
            Assert.Equal(12, page.Total);
            seen.AddRange(page.Items.Select(i => i.Sequence));
            cursor = page.Next;
        } while (cursor is not null);
        Assert.Equal(12, seen.Count);
        Assert.Equal(seen.OrderDescending(), seen);
        Assert.Empty((await log.List(Caller.System, new AuditQuery(Actor: "%"), new Window(), default)).Value!.Items);
    }
}

public sealed class SqliteAuditTests(SqliteDirectory files) : AuditTests, IClassFixture<SqliteDirectory>
{
    protected override Task<DatabaseSettings> NewDatabase() => Task.FromResult(files.NewDatabase());

    [Theory]
    [InlineData("INSERT OR REPLACE INTO \"AuditEntries\" SELECT \"Sequence\", 0, \"ActorKind\", 'x', 'x', 'x', 'x', NULL, 'x', 'x', NULL FROM \"AuditEntries\" WHERE \"Sequence\" = 2")]
    [InlineData("REPLACE INTO \"AuditCheckpoints\" (\"Size\", \"RootHash\", \"Note\", \"At\") VALUES (3, x'00', 'x', 0)")]
    public Task Replacing_is_refused_too(string sql) => Refused(sql);
}

[Collection(PostgresCollection.Name)]
public sealed class PostgresAuditTests(PostgresServer server) : AuditTests
{
    protected override async Task<DatabaseSettings> NewDatabase() => DatabaseSettings.Postgres(await server.NewDatabase());

    [Theory]
    [InlineData("TRUNCATE \"AuditEntries\" CASCADE")]
    [InlineData("TRUNCATE \"AuditCheckpoints\"")]
    public Task Truncating_is_refused_too(string sql) => Refused(sql);
}
