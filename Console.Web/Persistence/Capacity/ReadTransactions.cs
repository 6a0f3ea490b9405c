using System.Data;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;

namespace Plinth.Web.Persistence.Capacity;

public static class ReadTransactions
{
    /// <summary>All reads until disposal see the database at one moment. Holds up no writer on either engine.</summary>
    public static async Task<IDbContextTransaction> BeginReadAsync(this ConsoleDb db, CancellationToken stop)
    {
        if (db.Database.IsNpgsql()) return await db.Database.BeginTransactionAsync(IsolationLevel.RepeatableRead, stop);
        await db.Database.OpenConnectionAsync(stop);
        // Deferred: an immediate transaction would take the write lock.
        var transaction = ((SqliteConnection)db.Database.GetDbConnection()).BeginTransaction(deferred: true);
        return (await db.Database.UseTransactionAsync(transaction, stop))!;
    }
}
