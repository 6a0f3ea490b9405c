using System.Security.Cryptography;
using System.Text;
using Plinth.Core.Machines;
using Plinth.Core.Primitives;
using Plinth.Tests.PostgreSql;
using Plinth.Web.Application;
using Plinth.Web.Application.Catalogue;
using Plinth.Web.Application.Servers;
using Plinth.Web.Persistence;
using Plinth.Web.Persistence.Rows;

namespace Plinth.Web.Tests.Application;

/// <summary>One server's images beside others whose answers a test chooses.</summary>
[Collection(PostgresCollection.Name)]
public sealed class ImageCopiesTests(PostgresServer server) : Stage
{
    private const string One = "https://one:8443", Two = "https://two:8443";
    private static readonly byte[] Bytes = Encoding.UTF8.GetBytes(new string('x', 300_000));
    private static readonly string Digest = "sha256:" + Convert.ToHexStringLower(SHA256.HashData(Bytes));

    protected override async Task<DatabaseSettings> NewDatabase() => DatabaseSettings.Postgres(await server.NewDatabase());

    private ImageCopies Copies => The<ImageCopies>();
    private string File_ => Path.Combine(DataFile("images"), Digest.Replace(':', '-'));

    /// <summary>An image that another server took, and these others.</summary>
    private Task Set(params string[] hubs) => Store.Write(scope =>
    {
        scope.Db.Images.Add(new ImageRow { Id = ImageId.New(scope.Now), Name = "mini", Format = "raw", Digest = Digest, SizeBytes = Bytes.Length, MinDiskGib = 1, MinMemoryMib = 64, State = ImageState.Ready, CreatedAt = scope.Now });
        // By the database's clock, which is no simulated one.
        foreach (var hub in hubs) scope.Db.Servers.Add(new ServerRow { Id = ServerId.New(scope.Now), Name = new Uri(hub).Host, PortalUrl = hub, HubUrl = hub, ProductVersion = "1", StartedAt = scope.Now, SeenAt = DateTimeOffset.UtcNow });
        return Task.FromResult(0);
    }, Stop);

    [Fact]
    public async Task An_image_is_taken_from_the_server_that_has_it()
    {
        await Set(One, Two);
        Peers.Answer = hub => hub == Two ? new MemoryStream(Bytes) : throw new HttpRequestException("does not have it either");
        await Copies.Pass(Stop);
        Assert.Equal(Bytes, await File.ReadAllBytesAsync(File_));
        Assert.Equal(new ServerImagesView(1, 0, null), Copies.Current);
        Assert.Equal([One, Two], Peers.Asked);
        await Copies.Pass(Stop);
        Assert.Equal(2, Peers.Asked.Count);
    }

    [Fact]
    public async Task Where_nobody_has_it_that_is_said_and_it_is_tried_again()
    {
        await Set(One);
        await Copies.Pass(Stop);
        Assert.Equal(new ServerImagesView(0, 1, "mini: one: does not have it either. It is tried again every 15 s."), Copies.Current);
        Peers.Answer = _ => new MemoryStream(Bytes);
        await Copies.Pass(Stop);
        Assert.Equal(new ServerImagesView(1, 0, null), Copies.Current);
    }

    [Fact]
    public async Task A_server_alone_says_that_nobody_is_there_to_ask()
    {
        await Set();
        await Copies.Pass(Stop);
        Assert.Equal(new ServerImagesView(0, 1, "mini: no other server is there to take it from. It is tried again every 15 s."), Copies.Current);
        Assert.Empty(Peers.Asked);
    }

    [Theory]
    [InlineData(false, "digest_mismatch")]
    [InlineData(true, "size_mismatch")]
    public async Task Other_bytes_are_thrown_away_and_not_asked_for_at_once_again(bool longer, string code)
    {
        await Set(One);
        Peers.Answer = _ => new MemoryStream(longer ? [.. Bytes, 1] : [.. Bytes[..^1], 1]);
        await Copies.Pass(Stop);
        await Copies.Pass(Stop);
        Assert.Single(Peers.Asked);
        Assert.Equal($"mini: one sent other bytes ({code}). It is tried again every 15 s.", Copies.Current!.Reason);
        Assert.Empty(Directory.EnumerateFiles(DataFile("images")));
        Time.Advance(TimeSpan.FromMinutes(11));
        Peers.Answer = _ => new MemoryStream(Bytes);
        await Copies.Pass(Stop);
        Assert.Equal(0, Copies.Current.Lacking);
    }

    [Fact]
    public async Task A_server_that_falls_silent_is_given_up_and_its_beginning_thrown_away()
    {
        await Set(One);
        var stuck = new StuckStream(Bytes[..1000]);
        Peers.Answer = _ => stuck;
        var pass = Copies.Pass(Stop);
        await stuck.Waits.Task.WaitAsync(TimeSpan.FromSeconds(20));
        Assert.Equal("mini is being taken from one: 0 of 0 MB.", Copies.Current!.Reason);
        Time.Advance(ImageCopies.Stalled);
        await pass;
        Assert.Equal("mini: one sent nothing for 30 s. It is tried again every 15 s.", Copies.Current.Reason);
        Assert.Empty(Directory.EnumerateFiles(DataFile("images")));
    }

    [Fact]
    public async Task What_was_deleted_elsewhere_is_removed_and_what_nobody_knows_is_left_alone()
    {
        await Set(One);
        Peers.Answer = _ => new MemoryStream(Bytes);
        await Copies.Pass(Stop);
        var stranger = Path.Combine(DataFile("images"), "sha256-" + new string('b', 64));
        await File.WriteAllTextAsync(stranger, "somebody's");
        await Store.Write(scope =>
        {
            scope.Db.Images.Remove(scope.Db.Images.Single(i => i.Digest == Digest));
            return Task.FromResult(0);
        }, Stop);
        await Copies.Pass(Stop);
        await Copies.Pass(Stop);
        Assert.False(File.Exists(File_));
        Assert.True(File.Exists(stranger));
        Assert.Equal(new ServerImagesView(0, 0, null), Copies.Current);
    }

    [Fact]
    public async Task Bytes_that_every_server_has_lost_are_uploaded_again()
    {
        await Set();
        var image = Assert.Single(Ok(await Catalogue.Images(Ana, new Window(), Stop)).Items);
        Assert.Equal("digest_mismatch", No(await Catalogue.PutImageContent(Ana, image.Id, new MemoryStream([.. Bytes[..^1], 1]), Stop)).Code);
        Ok(await Catalogue.PutImageContent(Ana, image.Id, new MemoryStream(Bytes), Stop));
        Assert.True(The<ImageFiles>().Has(Digest));
        Assert.Equal("image_ready", No(await Catalogue.PutImageContent(Ana, image.Id, new MemoryStream(Bytes), Stop)).Code);
    }

    /// <summary>Gives its beginning and then waits for ever.</summary>
    private sealed class StuckStream(byte[] beginning) : MemoryStream(beginning)
    {
        public TaskCompletionSource Waits { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (await base.ReadAsync(buffer, cancellationToken) is > 0 and var read) return read;
            Waits.TrySetResult();
            await Task.Delay(Timeout.Infinite, cancellationToken);
            return 0;
        }
    }
}

/// <summary>SQLite has one server: nothing is looked at.</summary>
public sealed class ImageCopiesOfOneServerTests : Stage
{
    [Fact]
    public async Task One_server_does_nothing_and_shows_nothing()
    {
        await The<ImageCopies>().Pass(Stop);
        Assert.Null(The<ImageCopies>().Current);
        Assert.False(await The<IImageContent>().IsAwaited("sha256:" + new string('a', 64), Stop));
    }
}
