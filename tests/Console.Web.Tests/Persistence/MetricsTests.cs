using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Plinth.Core.Primitives;
using Plinth.Web.Persistence;
using Plinth.Web.Persistence.Metrics;

namespace Plinth.Web.Tests.Persistence;

/// <summary>The metrics on one engine: what was measured comes back, once, and nothing else.</summary>
public abstract class MetricsTests : IAsyncLifetime
{
    private static readonly DateTimeOffset Noon = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);
    private readonly FakeTimeProvider _time = new(Noon);
    private readonly MetricSubject _vm = MetricSubject.Of(VmId.New(Noon));
    private DatabaseSettings _settings = null!;
    private MetricsStore _metrics = null!;

    protected abstract Task<DatabaseSettings> NewDatabase();

    public async Task InitializeAsync()
    {
        _settings = await NewDatabase();
        _metrics = NewStore();
    }

    public async Task DisposeAsync() => await _metrics.DisposeAsync();

    private MetricsStore NewStore() => new(_settings, _time, NullLogger<MetricsStore>.Instance);

    private static MetricSample At(MetricSubject subject, DateTimeOffset at, double value) => new(subject, at, [value, value + 1, value + 2, 0, 0, 0, 0]);

    private async Task Report(TimeSpan length, double value, TimeSpan? jitter = null)
    {
        for (var end = _time.GetUtcNow() + length; _time.GetUtcNow() < end; _time.Advance(TimeSpan.FromSeconds(10)))
        {
            var late = jitter is { } j && _time.GetUtcNow().Second / 10 % 2 == 1 ? j : TimeSpan.Zero;
            _metrics.Append([At(_vm, _time.GetUtcNow() + late, value)]);
        }
        await _metrics.Flush(default);
    }

    [Fact]
    public async Task Samples_come_back_every_ten_seconds_and_gaps_stay_gaps()
    {
        await Report(TimeSpan.FromMinutes(5), 20);
        _time.Advance(TimeSpan.FromMinutes(2));
        await Report(TimeSpan.FromMinutes(3), 40);
        var window = await _metrics.Read(_vm, TimeSpan.FromMinutes(10), default);
        var cpu = window[VmMetric.CpuPercent];
        Assert.Equal((10, 60), (window.StepSeconds, cpu.Length));
        Assert.Equal([30, 18, 12], new[] { cpu.Count(v => v == 20), cpu.Count(v => v == 40), cpu.Count(v => v is null) });
        Assert.Equal(21, window[VmMetric.StealPercent].First(v => v is not null));
        Assert.Equal(_time.GetUtcNow().AddSeconds(-10), window.NewestAt);
    }

    [Fact]
    public async Task A_reporter_that_is_a_little_late_each_second_time_leaves_no_gap()
    {
        await Report(TimeSpan.FromMinutes(10), 5, TimeSpan.FromSeconds(3));
        var cpu = (await _metrics.Read(_vm, TimeSpan.FromMinutes(5), default))[VmMetric.CpuPercent];
        Assert.All(cpu, v => Assert.Equal(5, v));
    }

    [Fact]
    public async Task The_same_sample_again_changes_nothing()
    {
        _metrics.Append([At(_vm, Noon, 1), At(_vm, Noon, 99)]);
        await _metrics.Flush(default);
        _metrics.Append([At(_vm, Noon, 99)]);
        await _metrics.Flush(default);
        Assert.Equal(new MetricCounts(1, 2, 0, 0), _metrics.Counts);
        Assert.Equal(1, (await _metrics.Read(_vm, TimeSpan.FromMinutes(1), default))[VmMetric.CpuPercent].Single(v => v is not null));
    }

    [Fact]
    public async Task What_cannot_be_a_measurement_is_refused_and_counted()
    {
        _metrics.Append([
            At(_vm, Noon, double.NaN), At(_vm, Noon, double.PositiveInfinity), At(_vm, Noon.AddMinutes(1), 1), At(_vm, Noon.AddHours(-2), 1),
            new MetricSample(_vm, Noon, [1, 2]),
        ]);
        await _metrics.Flush(default);
        Assert.Equal(new MetricCounts(0, 0, 5, 0), _metrics.Counts);
        Assert.Null((await _metrics.Read(_vm, TimeSpan.FromMinutes(10), default)).NewestAt);
    }

    [Fact]
    public async Task Minutes_are_exact_means_and_outlive_the_samples_and_a_restart()
    {
        await Report(TimeSpan.FromSeconds(30), 10);
        await Report(TimeSpan.FromSeconds(30), 20);
        await _metrics.RollUp(default);
        await _metrics.DisposeAsync();
        _metrics = NewStore();
        await Report(TimeSpan.FromMinutes(1), 30);
        await _metrics.RollUp(default);
        _time.Advance(TimeSpan.FromHours(3));
        await _metrics.RollUp(default);
        var window = await _metrics.Read(_vm, TimeSpan.FromHours(6), default);
        Assert.Equal(60, window.StepSeconds);
        Assert.Equal([15.0, 30.0], window[VmMetric.CpuPercent].Where(v => v is not null).Select(v => v!.Value));
        Assert.Null((await _metrics.Read(_vm, TimeSpan.FromHours(1), default)).NewestAt);
    }

    [Fact]
    public async Task A_late_sample_corrects_its_minute()
    {
        await Report(TimeSpan.FromMinutes(5), 10);
        await _metrics.RollUp(default);
        _metrics.Append([At(_vm, Noon.AddSeconds(65), 80)]);
        _time.Advance(TimeSpan.FromMinutes(50));
        await _metrics.RollUp(default);
        Assert.Equal(20, (await _metrics.Read(_vm, TimeSpan.FromHours(2), default))[VmMetric.CpuPercent].Max());
    }

    [Fact]
    public async Task Minutes_are_forgotten_after_thirty_five_days()
    {
        await Report(TimeSpan.FromMinutes(2), 10);
        await _metrics.RollUp(default);
        _time.Advance(TimeSpan.FromDays(34));
        await _metrics.RollUp(default);
        Assert.NotNull((await _metrics.Read(_vm, TimeSpan.FromDays(35), default)).NewestAt);
        _time.Advance(TimeSpan.FromDays(1.1));
        await _metrics.RollUp(default);
        Assert.Null((await _metrics.Read(_vm, TimeSpan.FromDays(35), default)).NewestAt);
    }

    [Theory]
    [InlineData(1, 10, 10, 1)]
    [InlineData(3600, 3600, 10, 360)]
    [InlineData(6 * 3600, 6 * 3600, 60, 360)]
    [InlineData(7 * 86400, 7 * 86400, 26 * 60, 388)]
    [InlineData(1e9, 35 * 86400, 126 * 60, 400)]
    public async Task A_range_is_answered_with_at_most_four_hundred_values(double seconds, int covered, int step, int values)
    {
        var window = await _metrics.Read(_vm, TimeSpan.FromSeconds(seconds), default);
        Assert.Equal((step, values), (window.StepSeconds, window[VmMetric.CpuPercent].Length));
        Assert.True(window.StepSeconds * values >= covered);
    }
}

public sealed class SqliteMetricsTests(SqliteDirectory files) : MetricsTests, IClassFixture<SqliteDirectory>
{
    protected override Task<DatabaseSettings> NewDatabase() => Task.FromResult(files.NewDatabase());
}

[Collection(PostgresCollection.Name)]
public sealed class PostgresMetricsTests(PostgresServer server) : MetricsTests
{
    protected override async Task<DatabaseSettings> NewDatabase() => DatabaseSettings.Postgres(await server.NewDatabase());
}

/// <summary>Runs alone: it measures the processor time of the whole process.</summary>
[CollectionDefinition(nameof(MetricsCostTests), DisableParallelization = true)]
public sealed class MetricsCostCollection;

[Collection(nameof(MetricsCostTests))]
public sealed class MetricsCostTests(SqliteDirectory files) : IClassFixture<SqliteDirectory>
{
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 3, 1, 12, 0, 0, TimeSpan.Zero));

    [Fact]
    public async Task Two_hundred_hosts_of_ten_vms_cost_less_than_a_fiftieth_of_a_core()
    {
        await using var metrics = new MetricsStore(files.NewDatabase(), _time, NullLogger<MetricsStore>.Instance);
        var subjects = Enumerable.Range(0, 2_200).Select(i => MetricSubject.Of(VmId.New(_time.GetUtcNow()))).ToArray();
        metrics.Append([.. subjects.Select(s => Sample(s, 1))]);
        await metrics.Flush(default);
        await metrics.RollUp(default);
        var best = double.MaxValue;
        // The best of three minutes: the machine is shared, and the claim is about this code.
        for (var minute = 0; minute < 3; minute++)
        {
            var before = Environment.CpuUsage.TotalTime;
            for (var round = 0; round < 6; round++)
            {
                _time.Advance(TimeSpan.FromSeconds(10));
                metrics.Append([.. subjects.Select(s => Sample(s, round))]);
                await metrics.Flush(default);
            }
            await metrics.RollUp(default);
            best = Math.Min(best, (Environment.CpuUsage.TotalTime - before).TotalSeconds / 60);
        }
        Assert.Equal(2_200 * 19, metrics.Counts.Stored);
        Assert.True(best < 0.02, $"{best:P2} of a core");
    }

    private MetricSample Sample(MetricSubject subject, double value) => new(subject, _time.GetUtcNow(), [value, 0, 0, 0, 0, 0, 0]);
}
