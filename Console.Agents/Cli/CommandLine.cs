using System.Globalization;
using Plinth.Agents.Session;

namespace Plinth.Agents.Cli;

/// <summary>What is wrong with the command line; the message says what to write instead.</summary>
internal sealed class UsageException(string message) : Exception(message);

/// <summary>The words after the command: options with a value, and flags.</summary>
internal sealed class CommandLine
{
    private readonly Dictionary<string, string> _values = [];
    private readonly HashSet<string> _flags = [];

    public CommandLine(IEnumerable<string> words, IReadOnlyCollection<string> options, IReadOnlyCollection<string> flags)
    {
        using var word = words.GetEnumerator();
        while (word.MoveNext())
        {
            var (name, inline) = word.Current.Split('=', 2) is [var n, var v] && n.StartsWith("--", StringComparison.Ordinal) ? (n, v) : (word.Current, null);
            if (flags.Contains(name) && inline is null)
            {
                _flags.Add(name);
            }
            else if (options.Contains(name))
            {
                if (inline is null && !word.MoveNext()) throw new UsageException($"{name} needs a value.");
                if (!_values.TryAdd(name, inline ?? word.Current)) throw new UsageException($"{name} is given twice.");
            }
            else
            {
                throw new UsageException($"'{word.Current}' is not known here; {(options.Count + flags.Count == 0 ? "nothing more is expected" : "one of " + string.Join(", ", options.Concat(flags)) + " is expected")}.");
            }
        }
    }

    public bool Has(string flag) => _flags.Contains(flag);

    public string? Value(string option) => _values.GetValueOrDefault(option);

    public string Required(string option) => Value(option) is { Length: > 0 } value ? value : throw new UsageException($"{option} is needed.");

    public int Number(string option, int from, int to) =>
        int.TryParse(Required(option), NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= from && number <= to
            ? number
            : throw new UsageException($"{option} is a whole number from {from} to {to}, not '{Value(option)}'.");

    /// <summary>The ticket that --join-file, or --console, --token and --ca-fingerprint, give; null where none of them is there.</summary>
    public JoinTicket? Ticket()
    {
        if (Value("--join-file") is { } path)
        {
            if (Value("--console") is not null || Value("--token") is not null || Value("--ca-fingerprint") is not null) throw new UsageException("--join-file takes the place of --console, --token and --ca-fingerprint.");
            return JoinFile.Read(path).Ticket(0);
        }
        if (Value("--console") is null && Value("--token") is null && Value("--ca-fingerprint") is null) return null;
        return JoinFile.Check(Required("--console"), Required("--token"), Required("--ca-fingerprint"));
    }
}
