using System.Data.Common;

namespace Plinth.Web.Persistence.Metrics;

/// <summary>From samples to minutes, and what is forgotten when.</summary>
internal static class MetricsRetention
{
    public const long MinuteMs = 60_000;

    /// <summary>
    /// Makes every minute that is over from the samples themselves, so that doing it again, or after late samples, gives the right mean.
    /// </summary>
    /// <param name="unrolledFrom">The oldest minute with samples since the last time; after a restart the stored progress says where to begin.</param>
    public static async Task RollUp(DbConnection connection, DbTransaction transaction, long unrolledFrom, DateTimeOffset now, CancellationToken stop)
    {
        var until = now.ToUnixTimeMilliseconds() / MinuteMs;
        await using var progress = MetricsDatabase.Command(connection, transaction, "SELECT minute FROM progress");
        var from = Math.Min(unrolledFrom, await progress.ExecuteScalarAsync(stop) is long minute ? minute : 0);
        // A minute whose beginning is already forgotten must not be made from its rest.
        from = Math.Max(from, (now - MetricsStore.RawKept).ToUnixTimeMilliseconds() / MinuteMs + 1);
        await MetricsDatabase.Execute(connection, transaction, $"""
            INSERT INTO minutes
            SELECT s.subject, s.at / {MinuteMs}, COUNT(*), {Each("AVG(s.{0})")}
            FROM subjects CROSS JOIN samples s WHERE s.subject = subjects.id AND s.at >= @from AND s.at < @until
            GROUP BY s.subject, s.at / {MinuteMs}
            ON CONFLICT (subject, minute) DO UPDATE SET n = excluded.n, {Each("{0} = excluded.{0}")}
            """, stop, ("from", from * MinuteMs), ("until", until * MinuteMs));
        await MetricsDatabase.Execute(connection, transaction, "INSERT INTO progress VALUES (1, @until) ON CONFLICT (one) DO UPDATE SET minute = excluded.minute", stop, ("until", until));
    }

    public static async Task Forget(DbConnection connection, DbTransaction transaction, DateTimeOffset now, CancellationToken stop)
    {
        var (samples, minutes) = ((now - MetricsStore.RawKept).ToUnixTimeMilliseconds(), (now - MetricsStore.MinutesKept).ToUnixTimeMilliseconds());
        // By subject, because that is the key's first column: a plain "older than" would read the whole table.
        await MetricsDatabase.Execute(connection, transaction,
            "DELETE FROM samples WHERE subject IN (SELECT id FROM subjects) AND at < @before", stop, ("before", samples));
        await MetricsDatabase.Execute(connection, transaction,
            "DELETE FROM minutes WHERE subject IN (SELECT id FROM subjects) AND minute < @before", stop, ("before", minutes / MinuteMs));
        await MetricsDatabase.Execute(connection, transaction, "DELETE FROM subjects WHERE last_at < @before", stop, ("before", minutes));
    }

    private static string Each(string format) => string.Join(", ", Enumerable.Range(0, MetricSample.Width).Select(i => string.Format(System.Globalization.CultureInfo.InvariantCulture, format, $"v{i}")));
}
