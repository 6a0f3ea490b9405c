using System.Text;
using Xunit.Sdk;

namespace Plinth.Agents.Tests.Hypervisor;

/// <summary>Reads a serial console as a person would: looks for words in their order, with a deadline.</summary>
internal sealed class ConsoleReader(Stream console) : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(300);

    private readonly StringBuilder _seen = new();
    private readonly byte[] _buffer = new byte[4096];
    private int _from;

    /// <summary>Reads until <paramref name="words"/> appear after what was waited for before.</summary>
    /// <returns>What stood between.</returns>
    public async Task<string> Until(string words)
    {
        using var deadline = new CancellationTokenSource(Patience);
        int at;
        while ((at = _seen.ToString().IndexOf(words, _from, StringComparison.Ordinal)) < 0)
        {
            if (!await Read(words, deadline.Token)) throw new XunitException($"the console ended before '{words}'; it showed: {_seen}");
        }
        var between = _seen.ToString(_from, at - _from);
        _from = at + words.Length;
        return between;
    }

    public async Task UntilEnd()
    {
        using var deadline = new CancellationTokenSource(Patience);
        while (await Read("the end", deadline.Token))
        {
        }
    }

    public ValueTask Type(string keys) => console.WriteAsync(Encoding.UTF8.GetBytes(keys));

    public int Times(string words) => _seen.ToString().Split(words).Length - 1;

    public ValueTask DisposeAsync() => console.DisposeAsync();

    private async Task<bool> Read(string awaited, CancellationToken deadline)
    {
        try
        {
            var read = await console.ReadAsync(_buffer, deadline);
            _seen.Append(Encoding.UTF8.GetString(_buffer, 0, read));
            return read > 0;
        }
        catch (OperationCanceledException)
        {
            throw new XunitException($"'{awaited}' did not appear on the console within {Patience.TotalSeconds:0} s; it shows: {_seen}");
        }
    }
}
