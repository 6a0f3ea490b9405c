using Microsoft.EntityFrameworkCore;
using Plinth.Core.Primitives;
using Plinth.Web.Application.Identity;
using Plinth.Web.Persistence;

namespace Plinth.Web.Application.Operations;

/// <summary>The answer to whoever has asked for long work: the operation as it stands now.</summary>
internal sealed class OperationAnswers(IConsoleStore store, AccessControl access)
{
    /// <param name="begun">The id of the operation, or why there is none.</param>
    public async Task<Result<OperationView>> Of(Caller caller, Result<Guid> begun, CancellationToken stop)
    {
        if (!begun.Succeeded) return Result<OperationView>.No(begun.Refusals);
        await using var db = store.Read();
        var id = new OperationId(begun.Value);
        return (await access.Veil(db, caller, stop)).Of(OperationViews.View(await db.Operations.SingleAsync(o => o.Id == id, stop)));
    }
}
