using System.Buffers.Binary;
using System.Text;
using Xunit;
using Xunit.Sdk;

namespace Plinth.Agents.Tests.Hypervisor;

/// <summary>Looks at a screen as noVNC does, as little as it can: RFB 3.8, no password, raw encoding, 32-bit pixels.</summary>
internal sealed class RfbViewer(Stream screen) : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(300);
    private const int MaxPixels = 4096 * 4096;

    public int Width { get; private set; }
    public int Height { get; private set; }
    public string Name { get; private set; } = "";

    /// <param name="shared">False asks the server to send all other viewers away.</param>
    public static async Task<RfbViewer> Open(Stream screen, bool shared)
    {
        var viewer = new RfbViewer(screen);
        Assert.Equal("RFB 003.008\n", Encoding.ASCII.GetString(await viewer.Read(12)));
        await screen.WriteAsync("RFB 003.008\n"u8.ToArray());
        var kinds = await viewer.Read((await viewer.Read(1))[0]);
        Assert.Contains((byte)1, kinds);
        await screen.WriteAsync(new byte[] { 1 });
        Assert.Equal([0, 0, 0, 0], await viewer.Read(4));
        await screen.WriteAsync(new[] { (byte)(shared ? 1 : 0) });
        var init = await viewer.Read(24);
        (viewer.Width, viewer.Height) = (BinaryPrimitives.ReadUInt16BigEndian(init), BinaryPrimitives.ReadUInt16BigEndian(init.AsSpan(2)));
        viewer.Name = Encoding.UTF8.GetString(await viewer.Read(BinaryPrimitives.ReadInt32BigEndian(init.AsSpan(20))));
        // 32 bits, little-endian, red at 0, green at 8, blue at 16: noVNC's.
        await screen.WriteAsync(new byte[] { 0, 0, 0, 0, 32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 0, 8, 16, 0, 0, 0 });
        // Raw alone.
        await screen.WriteAsync(new byte[] { 2, 0, 0, 1, 0, 0, 0, 0 });
        return viewer;
    }

    /// <summary>Asks for the whole picture and gives how many colours the answer has.</summary>
    public async Task<int> Colours()
    {
        var request = new byte[10];
        request[0] = 3;
        BinaryPrimitives.WriteUInt16BigEndian(request.AsSpan(6), (ushort)Width);
        BinaryPrimitives.WriteUInt16BigEndian(request.AsSpan(8), (ushort)Height);
        await screen.WriteAsync(request);
        while ((await Read(1))[0] is var kind and not 0)
        {
            // A bell is nothing but itself; anything else was not asked for.
            if (kind != 2) throw new XunitException($"the server sent message {kind} where a picture was awaited");
        }
        await Read(1);
        var colours = new HashSet<int>();
        for (var left = BinaryPrimitives.ReadUInt16BigEndian(await Read(2)); left > 0; left--)
        {
            var head = await Read(12);
            var pixels = BinaryPrimitives.ReadUInt16BigEndian(head.AsSpan(4)) * BinaryPrimitives.ReadUInt16BigEndian(head.AsSpan(6));
            Assert.Equal(0, BinaryPrimitives.ReadInt32BigEndian(head.AsSpan(8)));
            Assert.InRange(pixels, 1, MaxPixels);
            var data = await Read(pixels * 4);
            for (var i = 0; i < data.Length; i += 4) colours.Add(BinaryPrimitives.ReadInt32LittleEndian(data.AsSpan(i)) & 0xffffff);
        }
        return colours.Count;
    }

    public ValueTask Press(uint keysym)
    {
        var key = new byte[16];
        (key[0], key[1], key[8]) = (4, 1, 4);
        BinaryPrimitives.WriteUInt32BigEndian(key.AsSpan(4), keysym);
        BinaryPrimitives.WriteUInt32BigEndian(key.AsSpan(12), keysym);
        return screen.WriteAsync(key);
    }

    public async Task UntilEnd()
    {
        using var deadline = new CancellationTokenSource(Patience);
        var rest = new byte[4096];
        try
        {
            while (await screen.ReadAsync(rest, deadline.Token) > 0)
            {
            }
        }
        catch (IOException)
        {
            // QEMU went with something unread.
        }
    }

    public ValueTask DisposeAsync() => screen.DisposeAsync();

    private async Task<byte[]> Read(int count)
    {
        using var deadline = new CancellationTokenSource(Patience);
        var bytes = new byte[count];
        await screen.ReadExactlyAsync(bytes, deadline.Token);
        return bytes;
    }
}
