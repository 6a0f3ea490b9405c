using System.Collections.Concurrent;
using System.Security.Cryptography;
using Plinth.Agents.Ledger;
using Plinth.Agents.Machines;
using Plinth.Core.Machines;
using Plinth.Core.Protocol;

namespace Plinth.Agents.Reconcile;

/// <summary>Where the bytes of images come from.</summary>
internal interface IImageSource
{
    /// <summary>The bytes from <paramref name="from"/> on. The stream may begin earlier or later than asked: its first position is told.</summary>
    /// <exception cref="HypervisorException">The console has no such image, or does not answer.</exception>
    Task<(Stream Bytes, long From)> Open(string digest, long from, CancellationToken stop);
}

/// <summary>
/// Brings images to this host: one download per digest however many VMs wait for it, resumed where it was cut, and visible
/// under its name only after the digest was verified.
/// </summary>
internal sealed class ImageFetcher(IHypervisor hypervisor, IImageSource source, TimeProvider time, AgentLog log)
{
    // Image servers and disks are shared by everything else on the host.
    private const int DownloadsAtOnce = 2;

    private static readonly TimeSpan TellProgressEvery = TimeSpan.FromMilliseconds(500);

    private readonly ConcurrentDictionary<string, Download> _downloads = new();
    private readonly SemaphoreSlim _room = new(DownloadsAtOnce);

    /// <summary>Raised with the digest when progress was made, or the download ended either way.</summary>
    public event Action<string>? Changed;

    public bool Has(ImageReference image) => !hypervisor.NeedsImageBytes || File.Exists(hypervisor.ImagePath(image));

    /// <summary>How the image's download stands; begun, or begun again after a failure, where it is due. Null once the image is here.</summary>
    public Download? Ensure(ImageReference image, CancellationToken stop)
    {
        if (Has(image))
        {
            _downloads.TryRemove(image.Digest, out _);
            return null;
        }
        var download = _downloads.GetOrAdd(image.Digest, _ => new Download(image));
        lock (download)
        {
            if (!download.Running && (download.RetryAt is null || download.RetryAt <= time.GetUtcNow()))
            {
                download.Running = true;
                _ = Task.Run(() => Run(download, stop), CancellationToken.None);
            }
        }
        return download;
    }

    private async Task Run(Download download, CancellationToken stop)
    {
        try
        {
            await _room.WaitAsync(stop);
            try
            {
                await Fetch(download, stop);
            }
            finally
            {
                _room.Release();
            }
            Ended(download, null);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
        }
        catch (HypervisorException e)
        {
            Ended(download, new MachineProblem(e.Code, e.Message, StepKind.Disk, e.Final));
        }
        catch (Exception e) when (e is IOException or HttpRequestException or UnauthorizedAccessException or OperationCanceledException)
        {
            Ended(download, new MachineProblem("image_fetch", $"Fetching image {download.Image.Digest[..19]}… failed: {e.Message}. It is tried again and goes on where it was.", StepKind.Disk, false));
        }
    }

    private void Ended(Download download, MachineProblem? problem)
    {
        lock (download)
        {
            download.Running = false;
            download.Problem = problem;
            download.Failures = problem is null ? 0 : download.Failures + 1;
            download.RetryAt = problem is null ? null : problem.Final ? DateTimeOffset.MaxValue : time.GetUtcNow() + Backoff.After(download.Failures);
        }
        if (problem is not null) log.Warn(problem.Message);
        Changed?.Invoke(download.Image.Digest);
    }

    private async Task Fetch(Download download, CancellationToken stop)
    {
        var image = download.Image;
        var path = hypervisor.ImagePath(image);
        var part = path + ".part";
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        await using (var file = new FileStream(part, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read, 1 << 16, FileOptions.Asynchronous))
        {
            var held = file.Length > image.SizeBytes ? 0 : file.Length;
            var (bytes, from) = await source.Open(image.Digest, held, stop);
            await using (bytes)
            {
                if (from > held) throw new IOException($"the console sent bytes from {from} on; {held} was asked for");
                file.SetLength(from);
                file.Position = 0;
                await Hash(file, hash, stop);
                await Copy(bytes, file, hash, download, stop);
            }
            if (file.Length != image.SizeBytes)
                throw new IOException($"{file.Length} of {image.SizeBytes} bytes arrived");
            file.Flush(flushToDisk: true);
        }
        var digest = "sha256:" + Convert.ToHexStringLower(hash.GetHashAndReset());
        if (digest != image.Digest)
        {
            File.Delete(part);
            throw new HypervisorException("image_digest", $"The console sent other bytes than image {image.Digest} ({digest}); they were thrown away. Upload the image again.");
        }
        File.Move(part, path, overwrite: true);
        DurableFile.SyncDirectory(Path.GetDirectoryName(path)!);
        log.Info($"image {image.Digest[..19]}… is here, {image.SizeBytes / 1048576} MiB");
    }

    private static async Task Hash(FileStream file, IncrementalHash hash, CancellationToken stop)
    {
        var buffer = new byte[1 << 16];
        int read;
        while ((read = await file.ReadAsync(buffer, stop)) > 0) hash.AppendData(buffer, 0, read);
    }

    private async Task Copy(Stream from, FileStream to, IncrementalHash hash, Download download, CancellationToken stop)
    {
        var buffer = new byte[1 << 16];
        var told = time.GetTimestamp();
        int read;
        while ((read = await from.ReadAsync(buffer, stop)) > 0)
        {
            if (to.Position + read > download.Image.SizeBytes)
                throw new HypervisorException("image_digest", $"The console sent more than the {download.Image.SizeBytes} bytes of image {download.Image.Digest}. Upload the image again.");
            await to.WriteAsync(buffer.AsMemory(0, read), stop);
            hash.AppendData(buffer, 0, read);
            download.DoneBytes = to.Position;
            if (time.GetElapsedTime(told) < TellProgressEvery) continue;
            told = time.GetTimestamp();
            Changed?.Invoke(download.Image.Digest);
        }
    }
}

/// <summary>The state of one image's download.</summary>
internal sealed class Download(ImageReference image)
{
    public ImageReference Image { get; } = image;
    public bool Running { get; set; }
    public long DoneBytes { get; set; }
    public int Failures { get; set; }
    public DateTimeOffset? RetryAt { get; set; }
    public MachineProblem? Problem { get; set; }

    public Progress Progress => new("fetching image", DoneBytes, Image.SizeBytes);
}
