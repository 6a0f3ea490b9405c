using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Plinth.Core.Primitives;

namespace Plinth.Core.Audit;

/// <summary>The first line of an export.</summary>
/// <param name="Format">"plinth audit export v1".</param>
/// <param name="Key">That verifies checkpoints, as the console has it: whoever judges compares it with the one that they kept.</param>
/// <param name="Checkpoint">The newest, a signed note; null for an empty ledger.</param>
/// <param name="Sizes">How many of the lines that follow are sizes.</param>
public sealed record LedgerHead(string Format, string Key, string? Checkpoint, int Sizes, DateTimeOffset At);

/// <summary>A size that a checkpoint was made of, and its root (base64). Shows between which two the ledger was changed.</summary>
public sealed record LedgerSize(long Size, string Root);

/// <summary>One entry, in the order of the leaves, with the leaf hash that the ledger has for it (base64).</summary>
/// <param name="At">In Unix milliseconds.</param>
public sealed record LedgerLine(
    long Sequence, long At, string ActorKind, string ActorId, string Actor, string Action, string Target, Guid? Project, string Outcome, string Detail, string? RemoteAddress, string Leaf)
{
    public static LedgerLine Of(AuditEntry e, byte[] leaf) => new(
        e.Sequence, e.At.ToUnixTimeMilliseconds(), e.ActorKind, e.ActorId, e.Actor, e.Action, e.Target, e.Project?.Value, e.Outcome, e.Detail, e.RemoteAddress, Convert.ToBase64String(leaf));

    public AuditEntry Entry() => new(Sequence, DateTimeOffset.FromUnixTimeMilliseconds(At), ActorKind, ActorId, Actor, Action, Target, Project is { } p ? new ProjectId(p) : null, Outcome, Detail, RemoteAddress);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow, RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(LedgerHead))]
[JsonSerializable(typeof(LedgerSize))]
[JsonSerializable(typeof(LedgerLine))]
internal sealed partial class LedgerJson : JsonSerializerContext;

/// <summary>
/// The whole ledger as lines of JSON: a head, the sizes that checkpoints were made of, then every entry. <see cref="Verify"/> needs nothing else but a
/// key that was kept elsewhere, and says which entry is the first that is not what was signed.
/// </summary>
public static class LedgerExport
{
    public const string Format = "plinth audit export v1";

    public static string Line(LedgerHead head) => JsonSerializer.Serialize(head, LedgerJson.Default.LedgerHead);

    public static string Line(LedgerSize size) => JsonSerializer.Serialize(size, LedgerJson.Default.LedgerSize);

    public static string Line(LedgerLine line) => JsonSerializer.Serialize(line, LedgerJson.Default.LedgerLine);

    /// <param name="keptKey">The verifier key that was kept elsewhere; null trusts the export's own, which says less.</param>
    /// <param name="keptCheckpoints">Signed notes that were kept elsewhere: they show what was cut off or rewritten since.</param>
    public static Result<LedgerVerdict> Verify(TextReader export, string? keptKey = null, params IReadOnlyList<string> keptCheckpoints)
    {
        var lines = 0;
        try
        {
            if (Next(LedgerJson.Default.LedgerHead) is not { Format: Format } head) throw new FormatException("line 1 is not the head of an export");
            var key = NoteVerifierKey.Parse(keptKey ?? head.Key);
            if (!key.Succeeded) return Result<LedgerVerdict>.No(key.Refusals);
            var hints = new Dictionary<long, byte[]>();
            for (var i = 0; i < head.Sizes; i++)
            {
                var size = Next(LedgerJson.Default.LedgerSize) ?? throw new FormatException($"it ends before the {head.Sizes} sizes that it announces");
                hints[size.Size] = Convert.FromBase64String(size.Root);
            }
            var verdict = LedgerVerifier.Verify(Entries(), hints, [.. keptCheckpoints, .. head.Checkpoint is { } newest ? [newest] : Array.Empty<string>()], key.Value);
            if (verdict.Succeeded && verdict.Value.Signed == 0) return LedgerVerifier.Broken("nothing in it is signed");
            return verdict.Succeeded && verdict.Value.Signed < verdict.Value.Entries ? LedgerVerifier.Broken($"{verdict.Value.Entries - verdict.Value.Signed} entries stand after what any checkpoint signs") : verdict;
        }
        catch (FormatException e)
        {
            return Refusal.Invalid("export", "bad_export", $"This is no export of an audit ledger: {e.Message}.");
        }

        IEnumerable<(AuditEntry, byte[]?)> Entries()
        {
            while (Next(LedgerJson.Default.LedgerLine) is { } line)
            {
                if (line.At is < -62_135_596_800_000 or > 253_402_300_799_999) throw new FormatException($"line {lines} has a time that there is not");
                yield return (line.Entry(), Convert.FromBase64String(line.Leaf));
            }
        }

        // Null at the end.
        T? Next<T>(JsonTypeInfo<T> form) where T : class
        {
            if (export.ReadLine() is not { } text) return null;
            lines++;
            try
            {
                return JsonSerializer.Deserialize(text, form) ?? throw new FormatException($"line {lines} holds nothing");
            }
            catch (JsonException)
            {
                throw new FormatException($"line {lines} is not {(form.Type == typeof(LedgerLine) ? "an entry" : form.Type == typeof(LedgerSize) ? "a size and its root" : "the head of an export")}");
            }
        }
    }
}
