using System.Security.Cryptography;
using CsCheck;
using Plinth.Core.Audit;
using Plinth.Core.Primitives;

namespace Plinth.Core.Tests.Audit;

public class LedgerVerifierTests
{
    private static readonly DateTimeOffset Start = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly NoteSigner Signer = new("plinth.example/audit", ECDsa.Create(ECCurve.NamedCurves.nistP256));

    [Fact]
    public void A_ledger_agrees_with_all_its_checkpoints()
    {
        var entries = Entries(20);
        var verdict = LedgerVerifier.Verify(entries, [Sign(entries, 0), Sign(entries, 7), Sign(entries, 20)], Signer.Verifier);
        Assert.Equal(20, verdict.Value!.Entries);
    }

    [Fact]
    public void Whatever_is_changed_moved_removed_or_cut_off_shows() => Gen.Select(Gen.Int[0, 18], Gen.Int[0, 3]).Sample((at, kind) =>
    {
        var entries = Entries(20);
        var notes = new[] { Sign(entries, 20) };
        var broken = entries.ToList();
        switch (kind)
        {
            case 0: broken[at] = broken[at] with { Detail = broken[at].Detail + "!" }; break;
            case 1: (broken[at], broken[at + 1]) = (broken[at + 1], broken[at]); break;
            case 2: broken.RemoveAt(at); break;
            default: broken.RemoveRange(at, broken.Count - at); break;
        }
        Assert.Equal("ledger_broken", LedgerVerifier.Verify(broken, notes, Signer.Verifier).Refusals.Single().Code);
    });

    [Fact]
    public void A_fork_shows_in_its_two_checkpoints()
    {
        var (one, two) = (Entries(5), Entries(5));
        two[4] = two[4] with { Actor = "mallory" };
        Assert.Contains("forked", LedgerVerifier.Verify(one, [Sign(one, 5), Sign(two, 5)], Signer.Verifier).Reason);
    }

    [Fact]
    public void Fields_that_read_alike_in_a_row_do_not_hash_alike()
    {
        var entry = Entries(1)[0];
        AuditEntry[] alike =
        [
            entry,
            entry with { Actor = entry.Actor + entry.Action, Action = "" },
            entry with { Actor = "", Action = entry.Actor + entry.Action },
            entry with { RemoteAddress = "" },
            entry with { Detail = "192.0.2.1" },
            entry with { RemoteAddress = "192.0.2.1" },
            entry with { Project = null },
        ];
        Assert.Equal(alike.Length, alike.Select(e => Convert.ToHexString(e.LeafHash())).Distinct().Count());
    }

    [Fact]
    public void The_canonical_form_is_what_the_documentation_says()
    {
        var entry = new AuditEntry(7, DateTimeOffset.FromUnixTimeMilliseconds(1), "User", "u", "é", "vm.create", "vm/1", null, "done", "", null);
        Assert.Equal(
            "00000015" + Convert.ToHexStringLower("plinth audit entry v1"u8) + "0000000137" + "0000000131" + "0000000455736572" + "0000000175" + "00000002c3a9"
            + "00000009766d2e637265617465" + "00000004766d2f31" + "ffffffff" + "00000004646f6e65" + "00000000" + "ffffffff",
            Convert.ToHexStringLower(entry.CanonicalBytes()));
    }

    [Fact]
    public void An_export_is_judged_by_itself_and_by_what_was_kept_elsewhere()
    {
        var entries = Entries(30);
        var text = Export(entries, [10, 20, 30]);
        Assert.Equal((30, 30), (Judge(text).Value!.Entries, Judge(text).Value!.Signed));
        Assert.Equal(30, LedgerExport.Verify(new StringReader(text), Signer.Verifier.ToString(), Sign(entries, 7)).Value!.Entries);
        Assert.Contains("nothing in it is signed", Judge(Export([], [])).Reason, StringComparison.Ordinal);
        // Another's key, and a whole forged export under a key of its own.
        var other = new NoteSigner("plinth.example/audit", ECDsa.Create(ECCurve.NamedCurves.nistP256));
        Assert.Equal("bad_note", LedgerExport.Verify(new StringReader(text), other.Verifier.ToString()).Refusals.Single().Code);
        var forged = entries.ToArray();
        forged[3] = forged[3] with { Actor = "mallory" };
        Assert.True(Judge(Export(forged, [30], other)).Succeeded);
        Assert.False(LedgerExport.Verify(new StringReader(Export(forged, [30], other)), Signer.Verifier.ToString()).Succeeded);
    }

    /// <summary>Whoever edits the export, with or without mending the hash beside the entry, is found, and the entry or its neighbours are named.</summary>
    [Fact]
    public void The_first_broken_entry_is_named() => Gen.Select(Gen.Int[0, 28], Gen.Int[0, 4]).Sample((at, kind) =>
    {
        var entries = Entries(30);
        var lines = Export(entries, [10, 20, 30]).TrimEnd().Split('\n').ToList();
        var place = 4 + at;
        var mended = entries[at] with { Actor = "mallory" };
        switch (kind)
        {
            case 0: lines[place] = lines[place].Replace("alice", "mallory", StringComparison.Ordinal); break;
            case 1: lines[place] = LedgerExport.Line(LedgerLine.Of(mended, mended.LeafHash())); break;
            case 2: lines.RemoveAt(place); break;
            case 3: (lines[place], lines[place + 1]) = (lines[place + 1], lines[place]); break;
            default: lines.RemoveRange(place, lines.Count - place); break;
        }
        var reason = Judge(string.Join('\n', lines) + '\n').Reason;
        var (block, sequence) = (at / 10 * 10, entries[at].Sequence);
        Assert.Contains(kind switch
        {
            0 => $"entry {sequence} (vm.create on vm/{at + 1} by mallory,",
            1 => $"after entry {(block == 0 ? 0 : entries[block - 1].Sequence)} and up to entry {entries[block + 9].Sequence}, one was changed",
            2 => "",
            3 => $"entry {sequence} (vm.create on vm/{at + 1} by alice, ",
            _ => "were cut off",
        }, reason, StringComparison.Ordinal);
        if (kind == 3) Assert.Contains($"stands after entry {entries[at + 1].Sequence}", reason, StringComparison.Ordinal);
    });

    [Theory]
    [InlineData("")]
    [InlineData("{}")]
    [InlineData("not json")]
    [InlineData("{\"format\":\"plinth audit export v2\",\"key\":\"\",\"checkpoint\":null,\"sizes\":0,\"at\":\"2026-03-01T12:00:00Z\"}")]
    public void What_is_no_export_is_said_to_be_none(string text) => Assert.Equal("bad_export", Judge(text).Refusals.Single().Code);

    [Fact]
    public void A_line_that_is_no_entry_is_named()
    {
        var lines = Export(Entries(5), [5]).TrimEnd().Split('\n');
        var whole = lines[4];
        foreach (var broken in new[] { whole[..^10], whole.Replace(",\"leaf\"", ",\"leaves\"", StringComparison.Ordinal), "{}", "null" })
        {
            lines[4] = broken;
            Assert.Contains("line 5 ", Judge(string.Join('\n', lines)).Reason, StringComparison.Ordinal);
        }
        lines[4] = System.Text.RegularExpressions.Regex.Replace(whole, "\"at\":[0-9]+", "\"at\":9223372036854775807");
        Assert.Contains("a time that there is not", Judge(string.Join('\n', lines)).Reason, StringComparison.Ordinal);
        Assert.Contains("ends before the 1 sizes", Judge(lines[0]).Reason, StringComparison.Ordinal);
    }

    private static Result<LedgerVerdict> Judge(string export) => LedgerExport.Verify(new StringReader(export));

    private static string Export(IReadOnlyList<AuditEntry> entries, int[] sizes, NoteSigner? signer = null)
    {
        string[] lines =
        [
            LedgerExport.Line(new LedgerHead(LedgerExport.Format, (signer ?? Signer).Verifier.ToString(), sizes.Length == 0 ? null : Sign(entries, sizes[^1], signer), sizes.Length, Start)),
            .. sizes.Select(s => LedgerExport.Line(new LedgerSize(s, Convert.ToBase64String(Root(entries, s))))),
            .. entries.Select(e => LedgerExport.Line(LedgerLine.Of(e, e.LeafHash()))),
        ];
        return string.Join('\n', lines) + '\n';
    }

    private static AuditEntry[] Entries(int count) =>
    [
        .. Enumerable.Range(1, count).Select(i => new AuditEntry(
            i * 2, Start.AddSeconds(i), "User", "u1", "alice", "vm.create", $"vm/{i}", new ProjectId(new Guid("01900000-0000-7000-8000-000000000002")), "done", $"entry {i}", null)),
    ];

    private static string Sign(IReadOnlyList<AuditEntry> entries, int size, NoteSigner? signer = null) => (signer ?? Signer).Sign(new Checkpoint("plinth.example/audit", size, Root(entries, size)).Text).ToString();

    private static byte[] Root(IReadOnlyList<AuditEntry> entries, int size)
    {
        var range = new CompactRange();
        foreach (var entry in entries.Take(size)) range.Append(entry.LeafHash());
        return range.Root();
    }
}
