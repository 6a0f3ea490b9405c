using System.Globalization;
using Microsoft.EntityFrameworkCore;
using Plinth.Core.Machines;
using Plinth.Web.Application.Catalogue;
using Plinth.Web.Persistence;
using Plinth.Web.Persistence.Mapping;
using Plinth.Web.Persistence.Rows;

namespace Plinth.Web.Application.Servers;

/// <summary>
/// Gives this server the images that another one took, one after the other, and removes those that were deleted elsewhere. Where only one
/// server can be it does nothing.
/// </summary>
internal sealed class ImageCopies(IConsoleStore store, ImageFiles files, ServerViews servers, IPeerImages peers, DatabaseSettings database, TimeProvider time, ILogger<ImageCopies> log)
{
    /// <summary>How often it looks and tries again, unless it is woken.</summary>
    public static readonly TimeSpan Every = TimeSpan.FromSeconds(15);
    /// <summary>A server that sends nothing for so long is given up.</summary>
    public static readonly TimeSpan Stalled = TimeSpan.FromSeconds(30);
    // Damaged bytes stay damaged until a person acts; an image may have many gigabytes.
    private static readonly TimeSpan DamagedAgain = TimeSpan.FromMinutes(10);

    private readonly Dictionary<(Guid Server, string Digest), (DateTimeOffset Until, string Reason)> _damaged = [];
    // Files that no image of this database ever named are somebody else's: they are looked up once, and left alone.
    private HashSet<string> _strangers = [];
    private string? _failure;

    private sealed record Wanted(string Name, string Digest, long SizeBytes);

    /// <summary>How this server stands; null until its first look, and where only one server can be.</summary>
    public ServerImagesView? Current { get; private set; }

    public async Task Pass(CancellationToken stop)
    {
        if (database.Engine != DatabaseEngine.Postgres) return;
        // Files before rows: a file that comes after this look is not judged by rows that were read before it.
        var there = files.Digests();
        Wanted[] ready;
        HashSet<string> named;
        await using (var db = store.Read())
        {
            named = [.. await db.Images.Select(i => i.Digest).ToListAsync(stop)];
            ready = [.. await db.Images.Where(i => i.State == ImageState.Ready).OrderBy(i => i.Name).Select(i => new Wanted(i.Name, i.Digest, i.SizeBytes)).ToListAsync(stop)];
        }
        await Forget([.. there.Where(d => !named.Contains(d))], stop);

        var failures = new List<string>();
        foreach (var image in Lacking(ready).DistinctBy(i => i.Digest).ToArray())
            if (await Fetch(image, ready, stop) is { } failure) failures.Add(failure);
        var reason = failures.Count == 0 ? null : $"{failures[0]}{(failures.Count > 1 ? $" So it is with {failures.Count - 1} more." : "")} It is tried again every {Every.TotalSeconds:0} s.";
        if (reason is not null && reason != _failure) log.LogWarning("This server lacks images. {Reason}", reason);
        _failure = reason;
        Tell(ready, reason);
    }

    private IEnumerable<Wanted> Lacking(Wanted[] ready) => ready.Where(i => !files.Has(i.Digest));

    private void Tell(Wanted[] ready, string? reason)
    {
        var lacking = Lacking(ready).Count();
        Current = new ServerImagesView(ready.Length - lacking, lacking, lacking == 0 ? null : reason);
    }

    /// <summary>Null when the image is here, otherwise why it is not.</summary>
    private async Task<string?> Fetch(Wanted image, Wanted[] ready, CancellationToken stop)
    {
        var others = (await servers.All(stop)).Where(s => !s.Here && !s.Silent).ToArray();
        if (others.Length == 0) return $"{image.Name}: no other server is there to take it from.";
        var reasons = new List<string>();
        foreach (var other in others)
        {
            if (_damaged.TryGetValue((other.Id.Value, image.Digest), out var known) && time.GetUtcNow() < known.Until)
            {
                reasons.Add(known.Reason);
                continue;
            }
            Tell(ready, $"{image.Name} is asked of {other.Name}.");
            if (await Fetch(image, other, ready, stop) is not { } reason)
            {
                log.LogInformation("Image {Name} is here, taken from {Server} ({Megabytes} MB).", image.Name, other.Name, image.SizeBytes / 1_000_000);
                return null;
            }
            reasons.Add(reason);
        }
        return $"{image.Name}: {string.Join("; ", reasons)}.";
    }

    private async Task<string?> Fetch(Wanted image, ServerView other, Wanted[] ready, CancellationToken stop)
    {
        using var stalled = new CancellationTokenSource(Stalled, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(stop, stalled.Token);
        try
        {
            var refused = await peers.Read(other.HubUrl, image.Digest, content => files.Take(image.Digest, image.SizeBytes, content, both.Token, taken =>
            {
                stalled.CancelAfter(Stalled);
                Tell(ready, string.Create(CultureInfo.InvariantCulture, $"{image.Name} is being taken from {other.Name}: {taken / 1_000_000} of {image.SizeBytes / 1_000_000} MB."));
            }), both.Token);
            if (refused is null) return null;
            var reason = $"{other.Name} sent other bytes ({refused.Code})";
            _damaged[(other.Id.Value, image.Digest)] = (time.GetUtcNow() + DamagedAgain, reason);
            return reason;
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            return $"{other.Name} sent nothing for {Stalled.TotalSeconds:0} s";
        }
        catch (Exception e) when (e is HttpRequestException or IOException or UnauthorizedAccessException)
        {
            return $"{other.Name}: {(e.InnerException ?? e).Message.TrimEnd('.')}";
        }
    }

    /// <summary>Removes those that this console says were deleted. A file is not removed because nothing is known of it: the database may be the wrong one.</summary>
    private async Task Forget(HashSet<string> unnamed, CancellationToken stop)
    {
        _strangers.IntersectWith(unnamed);
        unnamed.ExceptWith(_strangers);
        if (unnamed.Count == 0) return;
        await using var db = store.Read();
        var deleted = (await db.ChangeLog.Where(c => c.Kind == LogKinds.Image && c.Deleted).Select(c => c.Document).ToListAsync(stop)).Select(d => StoredJson.Read<ImageRow>(d).Digest).ToHashSet();
        foreach (var digest in unnamed.Where(deleted.Contains))
        {
            files.Remove(digest);
            log.LogInformation("The file of image {Digest} is removed: the image was deleted.", digest);
        }
        _strangers.UnionWith(unnamed.Where(d => !deleted.Contains(d)));
    }
}
