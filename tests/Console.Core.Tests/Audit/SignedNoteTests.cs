using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Plinth.Core.Audit;

namespace Plinth.Core.Tests.Audit;

public class SignedNoteTests
{
    private static readonly JsonElement Data = JsonDocument.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "data", "signed-note", "signed-note-vectors.json"))).RootElement;

    public static TheoryData<string, string> Published()
    {
        var cases = new TheoryData<string, string>();
        foreach (var v in Data.GetProperty("vectors").EnumerateArray()) cases.Add(v.GetProperty("vkey").GetString()!, v.GetProperty("note").GetString()!);
        return cases;
    }

    public static TheoryData<string> BadKeys()
    {
        var cases = new TheoryData<string>();
        foreach (var v in Data.GetProperty("bad_vkeys").EnumerateArray()) cases.Add(v.GetString()!);
        return cases;
    }

    [Theory, MemberData(nameof(Published))]
    public void Published_notes_verify_and_keep_their_form(string key, string text)
    {
        var known = NoteVerifierKey.Parse(key).Value!;
        var note = SignedNote.Parse(text).Value!;
        Assert.True(note.Verify(known).Succeeded);
        Assert.Equal(text, note.ToString());
        Assert.Equal(key, known.ToString());
    }

    [Theory, MemberData(nameof(Published))]
    public void One_changed_letter_or_bit_is_refused(string key, string text)
    {
        var known = NoteVerifierKey.Parse(key).Value!;
        var note = SignedNote.Parse(text).Value!;
        Assert.False((note with { Text = "x" + note.Text }).Verify(known).Succeeded);
        for (var at = 0; at < 64; at += 7)
        {
            var broken = note.Signatures[0].Value.ToArray();
            broken[at] ^= 1;
            Assert.False((note with { Signatures = [note.Signatures[0] with { Value = broken }] }).Verify(known).Succeeded);
        }
    }

    [Theory, MemberData(nameof(BadKeys))]
    public void Bad_keys_are_refused(string key) => Assert.Equal("bad_note_key", NoteVerifierKey.Parse(key).Refusals.Single().Code);

    [Theory]
    [InlineData("no signatures\n")]
    [InlineData("no signatures\n\n")]
    [InlineData("no last newline\n\n\u2014 name AAAAAAAA")]
    [InlineData("control \u0001 character\n\n\u2014 name AAAAAAAA\n")]
    [InlineData("no dash\n\n- name AAAAAAAA\n")]
    [InlineData("no base64\n\n\u2014 name A?AAAAAA\n")]
    [InlineData("too short\n\n\u2014 name AAAA\n")]
    [InlineData("a plus in the name\n\n\u2014 na+me AAAAAAAA\n")]
    public void Malformed_notes_are_refused(string text) => Assert.Equal("bad_note", SignedNote.Parse(text).Refusals.Single().Code);

    [Fact]
    public void Bytes_that_are_no_text_are_refused() =>
        Assert.Equal("bad_note", SignedNote.Parse([.. "text "u8, 0xff, .. "\n\n\u2014 name AAAAAAAA\n"u8]).Refusals.Single().Code);

    [Fact]
    public void More_than_a_hundred_signatures_are_refused()
    {
        var line = "\u2014 name AAAAAAAA\n";
        Assert.True(SignedNote.Parse("text\n\n" + string.Concat(Enumerable.Repeat(line, 100))).Succeeded);
        Assert.False(SignedNote.Parse("text\n\n" + string.Concat(Enumerable.Repeat(line, 101))).Succeeded);
    }

    [Fact]
    public void A_note_signed_here_verifies_with_its_published_key_beside_signatures_of_strangers()
    {
        using var mine = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var (signer, stranger) = (new NoteSigner("plinth.example/audit", mine), new NoteSigner("plinth.example/audit", other));
        var note = signer.Sign("text\n") is var own ? own with { Signatures = [.. stranger.Sign("another text\n").Signatures, .. own.Signatures] } : null!;
        var key = NoteVerifierKey.Parse(signer.Verifier.ToString()).Value!;
        var read = SignedNote.Parse(note.ToString()).Value!;
        Assert.True(read.Verify(key).Succeeded);
        Assert.False(read.Verify(stranger.Verifier).Succeeded);
        Assert.False(read.Verify(key, stranger.Verifier).Succeeded);
        Assert.False(read.Verify().Succeeded);
    }

    [Theory]
    [InlineData("plinth\n7\n" + Root + "\n", true)]
    [InlineData("plinth\n7\n" + Root + "\nextension\n", true)]
    [InlineData("plinth\n07\n" + Root + "\n", false)]
    [InlineData("plinth\n-7\n" + Root + "\n", false)]
    [InlineData("plinth\n7\nAAAA\n", false)]
    [InlineData("\n7\n" + Root + "\n", false)]
    [InlineData("plinth\n7\n", false)]
    public void Checkpoints_are_read_strictly(string text, bool good) => Assert.Equal(good, Checkpoint.Parse(text).Succeeded);

    [Fact]
    public void A_checkpoint_comes_back_as_it_was_signed()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var signer = new NoteSigner("plinth.example/audit", key);
        var checkpoint = new Checkpoint("plinth.example/audit", 7, Convert.FromBase64String(Root));
        var note = signer.Sign(checkpoint.Text).ToString();
        Assert.Equivalent(checkpoint, Checkpoint.Open(note, signer.Verifier).Value);
        Assert.Equal("bad_note", Checkpoint.Open(note.Replace("\n7\n", "\n8\n", StringComparison.Ordinal), signer.Verifier).Refusals.Single().Code);
    }

    private const string Root = "XcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg=";
}
