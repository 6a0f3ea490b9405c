using Microsoft.EntityFrameworkCore;
using Plinth.Core.Audit;
using Plinth.Web.Persistence;
using Plinth.Web.Persistence.Auditing;

namespace Plinth.Web.Application.Upkeep;

/// <summary>What the last look at the whole audit ledger found.</summary>
internal sealed record LedgerState(DateTimeOffset At, long Entries, string? Fault);

/// <summary>Reads the audit ledger from its beginning and compares it with what was signed.</summary>
internal sealed class LedgerCheck(IConsoleStore store, AuditKey key)
{
    public async Task<LedgerState> Run(DateTimeOffset now, CancellationToken stop)
    {
        var verifier = (await key.Signer(stop)).Verifier;
        await using var db = store.Read();
        if (await db.AuditCheckpoints.OrderByDescending(c => c.Size).FirstOrDefaultAsync(stop) is not { } newest) return new LedgerState(now, 0, null);
        var last = await db.AuditLeaves.Where(l => l.Index == newest.Size - 1).Select(l => l.Sequence).SingleOrDefaultAsync(stop);
        var entries = db.AuditEntries.Where(e => e.Sequence <= last).OrderBy(e => e.Sequence).AsEnumerable().Select(AuditTree.Entry);
        var verdict = LedgerVerifier.Verify(entries, [newest.Note], verifier);
        return new LedgerState(now, newest.Size, verdict.Succeeded ? null : string.Join(' ', verdict.Refusals.Select(r => r.Message)));
    }
}
