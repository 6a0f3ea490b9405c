using System.Security.Cryptography;
using Microsoft.EntityFrameworkCore;
using Plinth.Core.Machines;
using Plinth.Core.Primitives;
using Plinth.Web.Persistence;

namespace Plinth.Web.Application.Catalogue;

/// <summary>The bytes of images on the console's own disk, named by digest. A file stands under its name only when it is whole and checked.</summary>
internal sealed class ImageFiles(ApplicationSettings settings, IConsoleStore store, DatabaseSettings database) : IImageContent
{
    private const int BufferBytes = 128 * 1024;

    public async Task<string?> PathOf(string digest, CancellationToken stop)
    {
        if (!IsDigest(digest)) return null;
        await using var db = store.Read();
        var known = await db.Images.AnyAsync(i => i.Digest == digest && i.State == ImageState.Ready, stop);
        return known && File.Exists(Final(digest)) ? Final(digest) : null;
    }

    public async Task<bool> IsAwaited(string digest, CancellationToken stop)
    {
        if (database.Engine != DatabaseEngine.Postgres || !IsDigest(digest)) return false;
        await using var db = store.Read();
        return await db.Images.AnyAsync(i => i.Digest == digest && i.State == ImageState.Ready, stop) && !Has(digest);
    }

    public bool Has(string digest) => File.Exists(Final(digest));

    /// <summary>"sha256:" + 64 lower-case hex digits; nothing else ever becomes part of a path.</summary>
    public static bool IsDigest(string digest) =>
        digest.Length == 71 && digest.StartsWith("sha256:", StringComparison.Ordinal) && digest.AsSpan(7).IndexOfAnyExcept("0123456789abcdef") < 0;

    /// <summary>All that are here.</summary>
    public IReadOnlyList<string> Digests() => !Directory.Exists(settings.Images) ? []
        : [.. Directory.EnumerateFiles(settings.Images).Select(f => Path.GetFileName(f).Replace('-', ':')).Where(IsDigest)];

    /// <summary>Streams to a temporary file, compares size and digest on the way, and gives it its name.</summary>
    /// <param name="taken">Told after each piece how many bytes have come.</param>
    public async Task<Refusal?> Take(string digest, long sizeBytes, Stream content, CancellationToken stop, Action<long>? taken = null)
    {
        Directory.CreateDirectory(settings.Images);
        var temporary = Path.Combine(settings.Images, $".upload-{Guid.NewGuid():N}");
        try
        {
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            long length = 0;
            await using (var file = new FileStream(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None, BufferBytes, FileOptions.Asynchronous))
            {
                var buffer = new byte[BufferBytes];
                for (int read; (read = await content.ReadAsync(buffer, stop)) > 0;)
                {
                    length += read;
                    if (length > sizeBytes) return Refusal.Invalid("content", "size_mismatch", $"The content is longer than the {sizeBytes} bytes that were announced. Nothing was kept; send the file that the image was created for.");
                    hash.AppendData(buffer, 0, read);
                    await file.WriteAsync(buffer.AsMemory(0, read), stop);
                    taken?.Invoke(length);
                }
                file.Flush(flushToDisk: true);
            }
            if (length < sizeBytes) return Refusal.Invalid("content", "size_mismatch", $"The content ended after {length} of {sizeBytes} bytes. Nothing was kept; send it again.");
            var actual = "sha256:" + Convert.ToHexStringLower(hash.GetHashAndReset());
            if (actual != digest) return Refusal.Invalid("content", "digest_mismatch", $"The content has the digest {actual}; {digest} was announced. Nothing was kept; send the file that the image was created for.");
            File.Move(temporary, Final(digest), overwrite: true);
            return null;
        }
        finally
        {
            File.Delete(temporary);
        }
    }

    public void Remove(string digest) => File.Delete(Final(digest));

    /// <summary>What a killed upload left behind.</summary>
    public void RemoveLeftovers()
    {
        if (!Directory.Exists(settings.Images)) return;
        foreach (var file in Directory.EnumerateFiles(settings.Images, ".upload-*")) File.Delete(file);
    }

    private string Final(string digest) => Path.Combine(settings.Images, digest.Replace(':', '-'));
}
