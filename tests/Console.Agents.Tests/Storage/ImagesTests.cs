using System.Buffers.Binary;
using Plinth.Agents.Machines;
using Plinth.Agents.Storage;
using Plinth.Core.Primitives;
using Plinth.Core.Protocol;
using Xunit;

namespace Plinth.Agents.Tests.Storage;

public sealed class ImagesTests : IDisposable
{
    private readonly string _path = Path.GetTempFileName();

    public void Dispose() => File.Delete(_path);

    [Fact]
    public void A_plain_image_that_fits() => Assert.Equal("", Code(Qcow2(version: 3, backing: 0, gib: 2, features: 0), diskGib: 2));

    [Fact]
    public void One_that_is_larger_than_the_disk() => Assert.Equal("disk_too_small", Code(Qcow2(version: 3, backing: 0, gib: 3, features: 0), diskGib: 2));

    [Fact]
    public void One_that_names_a_backing_file_of_the_host() => Assert.Equal("image_unusable", Code(Qcow2(version: 2, backing: 104, gib: 1, features: 0), diskGib: 2));

    [Fact]
    public void One_that_keeps_its_data_in_another_file() => Assert.Equal("image_unusable", Code(Qcow2(version: 3, backing: 0, gib: 1, features: 4), diskGib: 2));

    [Fact]
    public void One_that_is_something_else() => Assert.Equal("image_unusable", Code(new byte[512], diskGib: 2));

    [Fact]
    public void One_that_is_not_all_there() => Assert.Equal("image_missing", Code(Qcow2(3, 0, 1, 0), diskGib: 2, missingBytes: 1));

    private string Code(byte[] content, int diskGib, int missingBytes = 0)
    {
        File.WriteAllBytes(_path, content);
        var image = new ImageReference(new ImageId(Guid.Empty), "sha256:" + new string('c', 64), content.Length + missingBytes, "qcow2");
        return Record.Exception(() => Images.Check(_path, image, diskGib)) switch
        {
            null => "",
            HypervisorException e => e.Code,
            var other => other.ToString(),
        };
    }

    private static byte[] Qcow2(uint version, ulong backing, ulong gib, ulong features)
    {
        var bytes = new byte[512];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, 0x514649fb);
        BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(4), version);
        BinaryPrimitives.WriteUInt64BigEndian(bytes.AsSpan(8), backing);
        BinaryPrimitives.WriteUInt64BigEndian(bytes.AsSpan(24), gib << 30);
        BinaryPrimitives.WriteUInt64BigEndian(bytes.AsSpan(72), features);
        return bytes;
    }
}
