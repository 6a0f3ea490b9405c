using Microsoft.EntityFrameworkCore;
using Plinth.Core.Primitives;
using Plinth.Core.State;
using Plinth.Web.Persistence;
using Plinth.Web.Persistence.Leading;
using Plinth.Web.Persistence.Rows;

namespace Plinth.Web.Application.Servers;

/// <summary>The servers of this console, as people and checks see them.</summary>
internal sealed class ServerViews(Leases leases, IConsoleStore store, DatabaseSettings database, ServerIdentity self, TimeProvider time) : IServerRegistry
{
    /// <summary>A server that has missed so many looks is missed.</summary>
    public static readonly TimeSpan Silent = 3 * Leadership.Life;

    public async Task<IReadOnlyList<ServerView>> All(CancellationToken stop)
    {
        var (lease, servers, at) = await leases.Look(time.GetUtcNow(), stop);
        return [.. servers.Select(s => Of(s, lease, at))];
    }

    public async Task<bool> IsKnown(ServerId server, CancellationToken stop)
    {
        await using var db = store.Read();
        return await db.Servers.AnyAsync(s => s.Id == server, stop);
    }

    public ServerView Of(ServerRow row, LeaderLease? lease, DateTimeOffset at)
    {
        // Where only one server can be, there is nobody who would have to hear it.
        var alone = database.Engine == DatabaseEngine.Sqlite && row.Id == self.Id;
        var leads = lease is not null && lease.Holder == row.Id && (alone || lease.Until > at);
        return new ServerView(row.Id, row.Name, row.PortalUrl, row.HubUrl, row.ProductVersion, row.Id == self.Id, leads, leads ? lease!.Since : null, row.StartedAt, alone ? at : row.SeenAt, !alone && at - row.SeenAt > Silent,
            row is { ImagesHeld: { } held, ImagesLacking: { } lacking } ? new ServerImagesView(held, lacking, row.ImagesReason) : null);
    }
}
