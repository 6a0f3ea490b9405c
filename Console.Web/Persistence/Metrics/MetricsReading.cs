using System.Data.Common;

namespace Plinth.Web.Persistence.Metrics;

/// <summary>From rows to evenly spaced means.</summary>
internal static class MetricsReading
{
    private const int RawStepSeconds = 10;
    // What a chart can show; a longer range takes wider steps.
    private const int MaxValues = 400;

    public static async Task<MetricWindow> Read(DbConnection connection, MetricSubject subject, TimeSpan range, DateTimeOffset now, CancellationToken stop)
    {
        var seconds = Math.Clamp(range.TotalSeconds, RawStepSeconds, MetricsStore.MinutesKept.TotalSeconds);
        var raw = seconds <= MetricsStore.RawKept.TotalSeconds;
        var step = raw ? RawStepSeconds : 60 * (int)Math.Ceiling(seconds / 60 / MaxValues);
        var count = (int)Math.Ceiling(seconds / step);
        var rows = await Rows(connection, subject, raw, now.ToUnixTimeMilliseconds() - (long)count * step * 1000, stop);

        // The grid ends with the newest sample in the middle of a step, so that a host that reports every 10 s, a little
        // early or late each time, fills every step. Minutes lie on whole minutes anyway.
        var stepMs = step * 1000L;
        var end = raw && rows.Count > 0 ? rows[^1].At + stepMs / 2 : (now.ToUnixTimeMilliseconds() / stepMs + 1) * stepMs;
        var start = end - count * stepMs;
        var (sums, weights) = (new double[MetricSample.Width, count], new long[count]);
        foreach (var (at, n, values) in rows)
        {
            var slot = (at - start) / stepMs;
            if (at < start || slot >= count) continue;
            weights[slot] += n;
            for (var metric = 0; metric < MetricSample.Width; metric++) sums[metric, slot] += values[metric] * n;
        }
        var means = Enumerable.Range(0, MetricSample.Width)
            .Select(metric => Enumerable.Range(0, count).Select(i => weights[i] == 0 ? (double?)null : sums[metric, i] / weights[i]).ToArray())
            .ToArray();
        return new MetricWindow(DateTimeOffset.FromUnixTimeMilliseconds(start), step, means, rows.Count == 0 ? null : DateTimeOffset.FromUnixTimeMilliseconds(rows[^1].At));
    }

    private static async Task<List<(long At, long Weight, double[] Values)>> Rows(DbConnection connection, MetricSubject subject, bool raw, long from, CancellationToken stop)
    {
        var columns = string.Join(", ", Enumerable.Range(0, MetricSample.Width).Select(i => $"r.v{i}"));
        var sql = raw
            ? $"SELECT r.at, 1, {columns} FROM subjects s JOIN samples r ON r.subject = s.id WHERE s.kind = @kind AND s.uuid = @uuid AND r.at >= @from ORDER BY r.at"
            : $"SELECT r.minute * {MetricsRetention.MinuteMs}, r.n, {columns} FROM subjects s JOIN minutes r ON r.subject = s.id WHERE s.kind = @kind AND s.uuid = @uuid AND r.minute >= @from ORDER BY r.minute";
        await using var command = MetricsDatabase.Command(connection, null, sql,
            ("kind", (int)subject.Kind), ("uuid", subject.Id.ToString("N")), ("from", raw ? from : from / MetricsRetention.MinuteMs));
        await using var reader = await command.ExecuteReaderAsync(stop);
        var rows = new List<(long, long, double[])>();
        while (await reader.ReadAsync(stop))
        {
            var values = new double[MetricSample.Width];
            for (var i = 0; i < values.Length; i++) values[i] = reader.GetDouble(i + 2);
            rows.Add((reader.GetInt64(0), reader.GetInt64(1), values));
        }
        return rows;
    }
}
