using System.Text;
using Plinth.Agents.Machines.Serial;
using Plinth.Core.Primitives;
using Xunit;

namespace Plinth.Agents.Tests.Machines;

public sealed class SerialLogTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("plinth-serial-");
    private readonly VmId _vm = VmId.New(DateTimeOffset.UnixEpoch);

    public void Dispose() => _directory.Delete(recursive: true);

    [Fact]
    public void Each_byte_is_read_once_also_after_a_cut_and_a_rotation()
    {
        var log = new SerialLog(_directory.FullName, _vm);
        var position = 0L;
        Assert.Empty(log.Read(ref position));
        Assert.False(log.EverStarted);
        log.Begin();
        Assert.True(log.EverStarted);
        File.AppendAllText(log.Path, "boot");
        Assert.Equal("boot", Text(log.Read(ref position)));
        Assert.Empty(log.Read(ref position));
        log.Begin();
        File.AppendAllText(log.Path, "new");
        Assert.Equal("new", Text(log.Read(ref position)));
        File.Move(log.Path, log.Path + ".0");
        Assert.Empty(log.Read(ref position));
        File.AppendAllText(log.Path, "r");
        Assert.Equal("r", Text(log.Read(ref position)));
        log.Remove();
        Assert.Empty(_directory.GetFiles());
    }

    [Fact]
    public void A_guest_cannot_fill_the_disk()
    {
        var log = new SerialLog(_directory.FullName, _vm);
        log.Begin();
        using var writer = new FileStream(log.Path, FileMode.Append, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete);
        writer.Write(new byte[5 * 1024 * 1024]);
        writer.Flush();
        SerialLog.Trim(_directory.FullName);
        Assert.Equal(0, new FileInfo(log.Path).Length);
    }

    private static string Text(byte[] bytes) => Encoding.UTF8.GetString(bytes);
}
