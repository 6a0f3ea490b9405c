using System.Text;
using Plinth.Core.Primitives;
using Plinth.Web.Application;

namespace Plinth.Web.Api;

/// <summary>A whole list as CSV (RFC 4180, UTF-8), written as it is read: memory holds one window of it.</summary>
internal static class CsvExport
{
    private const int Window = Lists.MaxLimit;

    /// <summary>What a spreadsheet takes for the beginning of a formula.</summary>
    private const string FormulaStarts = "=+-@\t\r\n＝＋－＠";

    public static async Task<IResult> Answer<T>(HttpContext http, string fileName, Func<Window, Task<Result<Page<T>>>> read, IReadOnlyList<(string Name, Func<T, string?> Value)> columns)
    {
        var first = await read(new Window(Window));
        if (!first.Succeeded) return Problems.Result(first.Refusals);
        http.Response.Headers.ContentDisposition = $"attachment; filename=\"{fileName}\"";
        return Results.Stream(async stream =>
        {
            await using var writer = new StreamWriter(stream, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false)) { NewLine = "\r\n" };
            await writer.WriteLineAsync(string.Join(',', columns.Select(c => c.Name)));
            for (var page = first; ;)
            {
                foreach (var item in page.Value!.Items) await writer.WriteLineAsync(string.Join(',', columns.Select(c => Cell(c.Value(item)))));
                await writer.FlushAsync(http.RequestAborted);
                if (page.Value!.Next is not { } next) break;
                page = await read(new Window(Window, next));
                // Half a list must not look like a whole one: the connection breaks.
                if (!page.Succeeded) throw new InvalidOperationException($"the list could not be read on for its CSV: {page.Reason}");
            }
        }, "text/csv; charset=utf-8");
    }

    /// <summary>One cell: quoted where it must be, and never a formula.</summary>
    public static string Cell(string? text)
    {
        if (string.IsNullOrEmpty(text)) return "";
        if (FormulaStarts.Contains(text[0], StringComparison.Ordinal)) text = "'" + text;
        return text.AsSpan().ContainsAny("\",\r\n") ? $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : text;
    }

    public static string Time(DateTimeOffset? at) => at?.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.fffZ", System.Globalization.CultureInfo.InvariantCulture) ?? "";
}
