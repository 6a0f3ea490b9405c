using System.Collections.Concurrent;
using Plinth.Web.Application;

namespace Plinth.Web.Observability;

/// <summary>The newest lines of the log, kept in memory for a diagnostics bundle.</summary>
internal sealed class RecentLog(TimeProvider time) : ILoggerProvider, IRecentLog
{
    // About 1 MB at the most.
    private const int MaxLines = 2_000, MaxLineLength = 500;

    private readonly ConcurrentQueue<string> _lines = new();

    public IReadOnlyList<string> Lines => [.. _lines];

    public ILogger CreateLogger(string categoryName) => new Logger(this, categoryName);

    public void Dispose() { }

    private void Add(string line)
    {
        _lines.Enqueue(line.Length > MaxLineLength ? line[..MaxLineLength] + "…" : line);
        while (_lines.Count > MaxLines) _lines.TryDequeue(out _);
    }

    private sealed class Logger(RecentLog log, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;
        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel)) log.Add($"{log.Now:O} {logLevel} {category}: {formatter(state, exception)}{(exception is null ? "" : " " + exception)}".ReplaceLineEndings(" | "));
        }
    }

    private DateTimeOffset Now => time.GetUtcNow();
}
