namespace Plinth.Web.Security;

/// <summary>
/// Whether a browser sent the request from one of the console's own pages. Browsers say so themselves and scripts cannot change it:
/// <c>Sec-Fetch-Site</c>, or <c>Origin</c> where that is missing. A request with neither does not come from a page.
/// </summary>
public static class SameOrigin
{
    public static bool Holds(HttpRequest request)
    {
        if (request.Headers["Sec-Fetch-Site"].ToString() is { Length: > 0 } site) return site is "same-origin" or "none";
        if (request.Headers.Origin.ToString() is not { Length: > 0 } origin) return true;
        return Uri.TryCreate(origin, UriKind.Absolute, out var from)
            && from.Scheme == request.Scheme
            && string.Equals(from.Authority, new Uri($"{request.Scheme}://{request.Host}").Authority, StringComparison.OrdinalIgnoreCase);
    }
}
