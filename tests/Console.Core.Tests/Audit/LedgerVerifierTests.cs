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

    private static AuditEntry[] Entries(int count) =>
    [
        .. Enumerable.Range(1, count).Select(i => new AuditEntry(
            i * 2, Start.AddSeconds(i), "User", "u1", "alice", "vm.create", $"vm/{i}", new ProjectId(new Guid("01900000-0000-7000-8000-000000000002")), "done", $"entry {i}", null)),
    ];

    private static string Sign(IReadOnlyList<AuditEntry> entries, int size)
    {
        var range = new CompactRange();
        foreach (var entry in entries.Take(size)) range.Append(entry.LeafHash());
        return Signer.Sign(new Checkpoint("plinth.example/audit", size, range.Root()).Text).ToString();
    }
}
