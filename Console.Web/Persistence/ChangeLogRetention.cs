using System.Globalization;
using Microsoft.EntityFrameworkCore;
using Plinth.Web.Persistence.Rows;

namespace Plinth.Web.Persistence;

/// <summary>
/// Keeps the change log as long as policy says. Of every thing the newest entry below the horizon stays, so that each moment
/// from the horizon on can still be rebuilt.
/// </summary>
public static class ChangeLogRetention
{
    private const string HorizonKey = "change-log.horizon";
    // One write holds up the others for as long as this many deletions take, a few tens of milliseconds.
    private const int MaxPerWrite = 2_000;

    /// <summary>The oldest version that can be rebuilt; 0 while nothing was removed.</summary>
    public static async Task<long> Horizon(ConsoleDb db, CancellationToken stop) =>
        await db.Settings.AsNoTracking().SingleOrDefaultAsync(s => s.Key == HorizonKey, stop) is { } s ? long.Parse(s.Value, CultureInfo.InvariantCulture) : 0;

    /// <summary>Removes what is older than <paramref name="keepFrom"/> and superseded by then. Gives the number of entries removed.</summary>
    public static async Task<int> Prune(IConsoleStore store, DateTimeOffset keepFrom, CancellationToken stop)
    {
        long horizon;
        await using (var db = store.Read()) horizon = await db.ChangeLog.Where(c => c.At < keepFrom).MaxAsync(c => (long?)c.Version, stop) ?? 0;
        if (horizon == 0) return 0;
        await store.Write(async scope =>
        {
            var row = await scope.Db.Settings.SingleOrDefaultAsync(s => s.Key == HorizonKey, stop) ?? scope.Db.Add(new SettingRow { Key = HorizonKey, Value = "0" }).Entity;
            row.Value = Math.Max(horizon, long.Parse(row.Value, CultureInfo.InvariantCulture)).ToString(CultureInfo.InvariantCulture);
            row.UpdatedAt = scope.Now;
            return 0;
        }, stop);
        var total = 0;
        while (true)
        {
            var removed = await store.Write(scope => Superseded(scope.Db, horizon).OrderBy(c => c.Version).Take(MaxPerWrite).ExecuteDeleteAsync(stop), stop);
            total += removed;
            if (removed < MaxPerWrite) return total;
        }
    }

    // Removed oldest first: else the entries of a deleted thing would outlive the entry that says so.
    // Superseded by a newer entry that is itself not newer than the horizon; or the end of something deleted by then.
    private static IQueryable<ChangeLogRow> Superseded(ConsoleDb db, long horizon) =>
        db.ChangeLog.Where(c => c.Version <= horizon
            && (c.Deleted || db.ChangeLog.Any(n => n.Kind == c.Kind && n.Id == c.Id && n.Version > c.Version && n.Version <= horizon)));
}
