namespace Plinth.Web.Security.SignIn;

/// <summary>A page that works before anybody is known and without scripts: the portal's stylesheet, a title, and what it says.</summary>
internal static class PlainPage
{
    private const string Mark = """<svg viewBox="0 0 24 24" width="22" height="22" aria-hidden="true"><path d="M8 3.5h8v9H8z" fill="currentColor" opacity=".38"/><path d="M5.5 14h13v3h-13z" fill="currentColor" opacity=".7"/><path d="M3 18.5h18v3H3z" fill="currentColor"/></svg>""";

    // The portal's own stylesheet, without its scripts: there is nothing to be interactive about.
    public static IResult Of(string title, string body, int status = StatusCodes.Status200OK) => Results.Content($$"""
        <!DOCTYPE html>
        <html lang="en">
        <head>
          <meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark"><title>{{title}} · Plinth</title>
          <script src="/js/theme.js"></script>
          <link rel="stylesheet" href="/app.css"><link rel="icon" href="/favicon.svg" type="image/svg+xml">
        </head>
        <body>
          <div class="plain">
            <header><span class="brand">{{Mark}}<span>Plinth</span></span></header>
            <main><h1>{{title}}</h1>{{body}}</main>
          </div>
        </body>
        </html>
        """, "text/html; charset=utf-8", statusCode: status);
}
