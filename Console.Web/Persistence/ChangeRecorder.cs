using System.Collections.Concurrent;
using System.Reflection;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.ChangeTracking;
using Plinth.Web.Persistence.Mapping;
using Plinth.Web.Persistence.Rows;

namespace Plinth.Web.Persistence;

/// <summary>Raises versions and appends change-log entries for what a context is about to save.</summary>
internal static class ChangeRecorder
{
    private static readonly ConcurrentDictionary<Type, HashSet<string>> Heartbeats = new();

    /// <exception cref="InvalidOperationException">A row of the fleet is changed outside of <see cref="IConsoleStore.Write{T}"/>.</exception>
    public static void Record(ConsoleDb db)
    {
        db.ChangeTracker.DetectChanges();
        var changed = db.ChangeTracker.Entries().Where(e => e.State is EntityState.Added or EntityState.Modified or EntityState.Deleted).ToArray();
        foreach (var entry in changed)
        {
            if (db.Scope is null && entry.Entity is ILogged or IVersioned or AuditEntryRow or ChangeLogRow)
                throw new InvalidOperationException($"{entry.Metadata.DisplayName()} is changed outside of a write of the store: its change would miss the change log");
            if (entry.State == EntityState.Modified && SaysNothingNew(entry)) continue;
            if (entry.Entity is IVersioned versioned && entry.State != EntityState.Deleted) versioned.Version++;
            if (entry.Entity is ILogged logged)
                db.Scope!.Log(new ChangeLogRow
                {
                    At = db.Scope.Now,
                    Kind = logged.LogKind,
                    Id = logged.LogId,
                    Project = logged.LogProject,
                    Document = StoredJson.Write(logged.LogDocument),
                    Deleted = entry.State == EntityState.Deleted,
                });
        }
    }

    private static bool SaysNothingNew(EntityEntry entry)
    {
        var heartbeats = Heartbeats.GetOrAdd(entry.Metadata.ClrType, t =>
            [.. t.GetProperties().Where(p => p.GetCustomAttribute<HeartbeatAttribute>() is not null).Select(p => p.Name)]);
        return entry.Properties.All(p => !p.IsModified || heartbeats.Contains(p.Metadata.Name));
    }
}
