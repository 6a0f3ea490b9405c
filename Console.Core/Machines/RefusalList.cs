using System.Text;
using Plinth.Core.Primitives;

namespace Plinth.Core.Machines;

/// <summary>Collects everything that is wrong with one request, so that the caller hears all of it at once.</summary>
public sealed class RefusalList
{
    /// <summary>More than this helps nobody; a hostile request with 10,000 bad labels gets a bounded answer.</summary>
    public const int Most = 50;

    private readonly List<Refusal> _refusals = [];

    public IReadOnlyList<Refusal> All => _refusals;
    public bool Any => _refusals.Count > 0;

    public void Add(Refusal refusal)
    {
        if (_refusals.Count < Most) _refusals.Add(refusal);
    }

    public void Invalid(string field, string code, string message) => Add(Refusal.Invalid(field, code, message));

    /// <summary>The input in quotes, shortened, with everything unprintable escaped: what a refusal may repeat.</summary>
    public static string Quote(string value)
    {
        var text = new StringBuilder("\"");
        foreach (var c in value.Length > 40 ? value[..40] : value)
        {
            if (c is '"' or '\\') text.Append('\\').Append(c);
            else if (c is < ' ' or > '~') text.Append("\\u").Append(((int)c).ToString("x4"));
            else text.Append(c);
        }
        return text.Append(value.Length > 40 ? "…\"" : "\"").ToString();
    }
}
