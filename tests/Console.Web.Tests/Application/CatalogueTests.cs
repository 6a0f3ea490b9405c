using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Plinth.Core.Machines;
using Plinth.Core.Primitives;
using Plinth.Web.Application;

namespace Plinth.Web.Tests.Application;

public sealed class CatalogueTests : Stage
{
    private static readonly byte[] Bundled = Encoding.UTF8.GetBytes("bundled bytes");

    protected override IEnumerable<KeyValuePair<string, string?>> Settings
    {
        get
        {
            File.WriteAllBytes(DataFile("mini.qcow2"), Bundled);
            var manifest = new { name = "plinth-mini", description = "tiny", format = "qcow2", file = "mini.qcow2", digest = Digest(Bundled), sizeBytes = Bundled.Length, minDiskGib = 1, minMemoryMib = 96, hasGuestAgent = true, defaultUser = "plinth" };
            File.WriteAllText(DataFile("mini.json"), JsonSerializer.Serialize(manifest));
            return [new("Plinth:BundledImage", DataFile("mini.json"))];
        }
    }

    private static string Digest(byte[] bytes) => "sha256:" + Convert.ToHexStringLower(SHA256.HashData(bytes));

    [Fact]
    public async Task The_bundled_image_and_the_flavors_are_there_once()
    {
        await Restart();
        var image = Assert.Single(Ok(await Catalogue.Images(Ana, new Window(), Stop)).Items);
        Assert.Equal(("plinth-mini", ImageState.Ready, 96), (image.Name, image.State, image.MinMemoryMib));
        Assert.Equal(Bundled, File.ReadAllBytes((await The<IImageContent>().PathOf(image.Digest, Stop))!));
        Assert.Equal(["large", "medium", "small", "tiny"], Ok(await Catalogue.Flavors(Ana, new Window(), Stop)).Items.Select(f => f.Name));
        Ok(await Catalogue.DeleteFlavor(Ana, Ok(await Catalogue.Flavors(Ana, new Window(), Stop)).Items[0].Id, Stop));
        await Restart();
        Assert.Equal(3, Ok(await Catalogue.Flavors(Ana, new Window(), Stop)).Total);
        Assert.Equal("default", Assert.Single(Ok(await The<INetworks>().List(Ana, "default", Stop))).Name);
        Assert.Equal("default", Assert.Single(Ok(await The<IStorageClasses>().List(Ana, Stop))).Name);
        Assert.Equal(("default", "default"), (Ok(await The<ITenancy>().Projects(Ana, Stop))[0].Name, Ok(await The<ITenancy>().Projects(Ana, Stop))[0].Organization));
    }

    [Fact]
    public async Task An_upload_is_checked_before_the_image_is_ready()
    {
        var bytes = Encoding.UTF8.GetBytes("the right content");
        var image = Ok(await Catalogue.CreateImage(Ana, new CreateImage("img", "", "raw", Digest(bytes), bytes.Length, 1, null, false, null), null, Stop));
        Assert.Equal(ImageState.AwaitingContent, image.State);
        Assert.Equal("size_mismatch", await Put(bytes[..5]));
        Assert.Equal("size_mismatch", await Put([.. bytes, 1]));
        Assert.Equal("digest_mismatch", await Put([.. bytes[..^1], 1]));
        Assert.Null(await The<IImageContent>().PathOf(image.Digest, Stop));
        Assert.Empty(Directory.EnumerateFiles(DataFile("images"), ".upload-*"));
        Assert.Equal(ImageState.Ready, Ok(await Catalogue.PutImageContent(Ana, image.Id, new MemoryStream(bytes), Stop)).State);
        Assert.Equal("image_ready", await Put(bytes));
        Ok(await Catalogue.DeleteImage(Ana, image.Id, Stop));
        Assert.Null(await The<IImageContent>().PathOf(image.Digest, Stop));
        foreach (var bad in new[] { "../../etc/passwd", "sha256:../..", "sha256:" + new string('A', 64), "" }) Assert.Null(await The<IImageContent>().PathOf(bad, Stop));

        async Task<string> Put(byte[] content) => No(await Catalogue.PutImageContent(Ana, image.Id, new MemoryStream(content), Stop)).Code;
    }

    [Fact]
    public async Task Bad_images_and_flavors_are_refused_field_by_field()
    {
        var image = await Catalogue.CreateImage(Ana, new CreateImage("A B", "\0", "vmdk", "md5:1", -1, 0, 1, null, "Root"), null, Stop);
        Assert.Equal(["defaultUser", "description", "digest", "format", "minDiskGib", "minMemoryMib", "name", "sizeBytes"], image.Refusals.Select(r => r.Field).Order());
        var flavor = await Catalogue.CreateFlavor(Ana, new CreateFlavor("x", null, 0, null, long.MinValue), null, Stop);
        Assert.Equal(["diskGib", "memoryMib", "vcpus"], flavor.Refusals.Select(r => r.Field).Order());
        Assert.Equal(("name_taken", "name"), (No(await Catalogue.CreateFlavor(Ana, new CreateFlavor("tiny", null, 1, 64, 1), null, Stop)) is var no ? (no.Code, no.Field!) : default));
        Assert.Equal("flavor_not_found", No(await Catalogue.DeleteFlavor(Ana, FlavorId.New(Time.GetUtcNow()), Stop)).Code);
    }

    [Fact]
    public async Task An_image_in_use_stays()
    {
        await Image();
        var create = await Create("web-1");
        var no = No(await Catalogue.DeleteImage(Ana, (await Vm(create)).Image, Stop));
        Assert.Equal("image_in_use", no.Code);
    }
}
