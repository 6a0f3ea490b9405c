using System.IO.Compression;
using Microsoft.AspNetCore.ResponseCompression;

namespace Plinth.Web.Hosting;

/// <summary>Everything textual travels compressed. Over https too: antiforgery tokens are masked anew in each answer, and nothing else that is secret stands beside input of others.</summary>
public static class Compression
{
    private static readonly string[] FurtherTypes = ["image/svg+xml", "application/problem+json", "application/manifest+json", "application/openapi+json", "font/ttf"];

    public static void AddCompression(this IServiceCollection services)
    {
        services.AddResponseCompression(o =>
        {
            o.EnableForHttps = true;
            o.Providers.Add<BrotliCompressionProvider>();
            o.Providers.Add<GzipCompressionProvider>();
            o.MimeTypes = ResponseCompressionDefaults.MimeTypes.Concat(FurtherTypes);
        });
        // Between the two levels lie 3 % of size and a third of the time.
        services.Configure<BrotliCompressionProviderOptions>(o => o.Level = CompressionLevel.Fastest);
        services.Configure<GzipCompressionProviderOptions>(o => o.Level = CompressionLevel.Fastest);
    }
}
