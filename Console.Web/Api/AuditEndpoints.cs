using System.Globalization;
using System.Text;
using Plinth.Core.Audit;
using Plinth.Core.Identity;
using Plinth.Core.Primitives;
using Plinth.Web.Application;
using Plinth.Web.Security;

namespace Plinth.Web.Api;

internal static class AuditEndpoints
{
    public static void Map(RouteGroupBuilder api)
    {
        var audit = api.MapGroup("/audit").WithTags("Audit");

        audit.MapGet("", async (HttpContext http, IAuditLog use, string? action, string? actor, string? target, string? limit, string? cursor, string? offset) =>
                Answers.Ok(await use.List(http.Caller(), new AuditQuery(Inputs.Text(action, "action"), Inputs.Text(actor, "actor"), Inputs.Text(target, "target")), Inputs.Window(limit, cursor, offset), http.RequestAborted)))
            .Needs(Permissions.AuditRead).Describe<Page<AuditEntryView>>("List audit entries", "Newest first. leafHash is null until the sequencer has taken the entry up.");

        audit.MapGet("/checkpoint", async (HttpContext http, IAuditLog use) => Answers.Ok(await use.Checkpoint(http.Caller(), http.RequestAborted)))
            .Needs(Permissions.AuditRead).Describe<CheckpointView>("The newest signed checkpoint", "A C2SP signed note; null while the ledger is empty.");

        audit.MapGet("/proofs/inclusion", async (HttpContext http, IAuditLog use, string? sequence, string? size) =>
                Answers.Ok(await use.InclusionProof(http.Caller(), Inputs.Position(sequence, "sequence"), Inputs.Position(size, "size"), http.RequestAborted)))
            .Needs(Permissions.AuditRead).Describe<IReadOnlyList<string>>("Prove that an entry is in the ledger", "RFC 6962 audit path from the entry's leaf to the root of the tree of that size; base64.");

        audit.MapGet("/proofs/consistency", async (HttpContext http, IAuditLog use, string? from, string? to) =>
                Answers.Ok(await use.ConsistencyProof(http.Caller(), Inputs.Position(from, "from"), Inputs.Position(to, "to"), http.RequestAborted)))
            .Needs(Permissions.AuditRead).Describe<IReadOnlyList<string>>("Prove that the ledger only grew", "RFC 6962 consistency proof between two sizes; base64.");

        audit.MapGet("/export", async (HttpContext http, IAuditLog use) => await Export(http, await use.Export(http.Caller(), http.RequestAborted)))
            .Needs(Permissions.AuditRead).DescribeFile("The whole ledger as JSON lines");

        audit.MapGet("/log/checkpoint", async (HttpContext http, IAuditLog use) => Results.Text(await use.PublicCheckpoint(http.RequestAborted), "text/plain; charset=utf-8"))
            .AllowAnonymous().ExcludeFromDescription();

        audit.MapGet("/log/tile/entries/{**tile}", async (HttpContext http, string tile, IAuditLog use) => await Tile(http, TileAddress.Parse(0, tile), use.TileEntries))
            .Needs(Permissions.AuditRead).DescribeFile("Entries of the log, in the layout of C2SP tlog-tiles");

        audit.MapGet("/log/tile/{level}/{**tile}", async (HttpContext http, string level, string tile, IAuditLog use) => await Tile(http, int.TryParse(level, NumberStyles.None, CultureInfo.InvariantCulture, out var l) ? TileAddress.Parse(l, tile) : null, use.Tile))
            .Needs(Permissions.AuditRead).DescribeFile("Hashes of the log, in the layout of C2SP tlog-tiles");
    }

    private static async Task<IResult> Tile(HttpContext http, TileAddress? tile, Func<Caller, TileAddress, CancellationToken, Task<Result<byte[]?>>> read)
    {
        // The right to read comes before the question whether there is such a tile.
        var found = await read(http.Caller(), tile ?? new TileAddress(0, long.MaxValue / TileAddress.Width / 2, 1), http.RequestAborted);
        if (!found.Succeeded) return Problems.Result(found.Refusals);
        if (tile is null || found.Value is null) return Problems.Result([Refusal.NotFound("tile_not_found", "The log has no such tile.")]);
        http.Response.Headers.CacheControl = tile.Value.Count == TileAddress.Width ? "private, max-age=31536000, immutable" : "no-cache";
        return Results.Bytes(found.Value, "application/octet-stream");
    }

    private static Task<IResult> Export(HttpContext http, Result<IAsyncEnumerable<string>> lines)
    {
        if (!lines.Succeeded) return Task.FromResult(Problems.Result(lines.Refusals));
        http.Response.Headers.ContentDisposition = "attachment; filename=\"audit.jsonl\"";
        return Task.FromResult(Results.Stream(async stream =>
        {
            await using var writer = new StreamWriter(stream, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false)) { NewLine = "\n" };
            await foreach (var line in lines.Value!) await writer.WriteLineAsync(line);
        }, "application/jsonl; charset=utf-8"));
    }
}
