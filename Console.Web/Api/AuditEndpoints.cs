using Plinth.Core.Identity;
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
    }
}
