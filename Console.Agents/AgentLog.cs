using System.Globalization;

namespace Plinth.Agents;

/// <summary>One line per event on standard error: time, level, host, sentence. Tokens, keys and user data never come here.</summary>
internal sealed class AgentLog(TextWriter to, TimeProvider time, string? prefix = null)
{
    public static AgentLog Silent { get; } = new(TextWriter.Null, TimeProvider.System);

    public void Info(string sentence) => Write("info", sentence);

    public void Warn(string sentence) => Write("warn", sentence);

    public void Fault(string doing, Exception e) => Write("fail", $"{doing}: {e}");

    /// <summary>The same log with the name of one host of a simulated fleet before each sentence.</summary>
    public AgentLog For(string host) => new(to, time, host);

    private void Write(string level, string sentence)
    {
        // What guests and consoles send must not be able to forge lines.
        var line = sentence.ReplaceLineEndings(" | ");
        var stamp = time.GetUtcNow().ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture);
        lock (to) to.WriteLine(prefix is null ? $"{stamp} {level} {line}" : $"{stamp} {level} {prefix}: {line}");
    }
}
