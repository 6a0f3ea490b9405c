using Microsoft.AspNetCore.WebUtilities;

namespace Plinth.Web.Components.Lists;

/// <summary>The rows that were picked, as a URL carries them: 22 characters each, so that a full selection fits into any URL.</summary>
public sealed class Selection
{
    /// <summary>A URL of more than about 4,000 characters is cut somewhere on its way.</summary>
    public const int Most = 100;

    private readonly List<Guid> _ids;

    private Selection(IEnumerable<Guid> ids) => _ids = [.. ids.Distinct().Take(Most)];

    public static Selection None { get; } = new([]);

    public IReadOnlyList<Guid> Ids => _ids;
    public int Count => _ids.Count;

    public bool Has(Guid id) => _ids.Contains(id);

    /// <summary>What is no id in the text is left out: a damaged link selects less, never something else.</summary>
    public static Selection Read(string? text) => string.IsNullOrEmpty(text) ? None : new Selection(text.Split('.').Select(Id).OfType<Guid>());

    public static Selection Of(IEnumerable<Guid> ids) => new(ids);

    public Selection With(Guid id, bool picked) => new(picked ? _ids.Append(id) : _ids.Where(i => i != id));

    /// <summary>Null where nothing is picked.</summary>
    public string? Text => _ids.Count == 0 ? null : string.Join('.', _ids.Select(i => WebEncoders.Base64UrlEncode(i.ToByteArray())));

    private static Guid? Id(string text)
    {
        try
        {
            return WebEncoders.Base64UrlDecode(text) is { Length: 16 } bytes ? new Guid(bytes) : null;
        }
        catch (FormatException)
        {
            return null;
        }
    }
}
