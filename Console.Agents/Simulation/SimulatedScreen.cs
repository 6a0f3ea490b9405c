using System.Buffers.Binary;
using System.Text;
using System.Threading.Channels;
using Plinth.Agents.Machines;

namespace Plinth.Agents.Simulation;

/// <summary>
/// The screen of a simulated guest for one viewer: an RFB 3.8 server (RFC 6143) that shows one still picture, which says that nothing
/// runs here. Raw encoding in whatever true-colour form the viewer asks for; keys and pointer are read and have no effect.
/// </summary>
internal sealed class SimulatedScreen
{
    // Pictures that wait to be read. A viewer that asks for more is not listened to until it has read some.
    private const int MaxWaiting = 4;
    private const int MaxClipboardBytes = 1024 * 1024;

    private enum Stage { Version, Security, ClientInit, Messages }

    private readonly Channel<byte[]> _output = Channel.CreateBounded<byte[]>(MaxWaiting);
    private readonly SimulatedPicture _picture;
    private readonly string _name;
    private readonly List<byte> _input = [];
    private Stage _stage;
    private PixelForm _form = PixelForm.Native;

    public SimulatedScreen(string name, Action<SimulatedScreen> closed)
    {
        (_name, _picture) = (name, new SimulatedPicture(name));
        Viewer = new ViewerStream(_output.Reader, Take, () =>
        {
            End();
            closed(this);
        });
        _output.Writer.TryWrite("RFB 003.008\n"u8.ToArray());
    }

    public Stream Viewer { get; }

    /// <summary>The machine went off: the stream ends.</summary>
    public void End() => _output.Writer.TryComplete();

    private async ValueTask Take(ReadOnlyMemory<byte> bytes, CancellationToken stop)
    {
        _input.AddRange(bytes.Span);
        try
        {
            while (Next(out var answer))
                if (answer is not null) await _output.Writer.WriteAsync(answer, stop);
        }
        catch (ChannelClosedException)
        {
            // Ended meanwhile.
        }
        catch (InvalidDataException)
        {
            End();
        }
    }

    /// <summary>Takes one whole message off the input; false where none has arrived.</summary>
    private bool Next(out byte[]? answer)
    {
        answer = null;
        var need = Length();
        if (need == 0 || _input.Count < need) return false;
        var message = _input[..need].ToArray();
        _input.RemoveRange(0, need);
        answer = Answer(message);
        return true;
    }

    /// <summary>Length of the message that begins the input; 0 where too little has arrived to tell.</summary>
    private int Length() => _stage switch
    {
        Stage.Version => 12,
        Stage.Security or Stage.ClientInit => 1,
        _ when _input.Count == 0 => 0,
        _ => _input[0] switch
        {
            0 => 20,
            2 => _input.Count < 4 ? 0 : 4 + 4 * Word(2),
            3 => 10,
            4 => 8,
            5 => 6,
            6 => _input.Count < 8 ? 0 : 8 + Clipboard(),
            _ => throw new InvalidDataException($"message type {_input[0]} is none of RFB 3.8"),
        },
    };

    private byte[]? Answer(byte[] message)
    {
        switch (_stage)
        {
            case Stage.Version:
                _stage = Stage.Security;
                // One security type: none. The ticket was the key.
                return [1, 1];
            case Stage.Security:
                _stage = Stage.ClientInit;
                return message[0] == 1 ? [0, 0, 0, 0] : throw new InvalidDataException("a security type that was not offered");
            case Stage.ClientInit:
                _stage = Stage.Messages;
                // As QEMU does where sharing is forced: who wants to be the only viewer is turned away.
                return message[0] != 0 ? ServerInit() : throw new InvalidDataException("a viewer that does not share");
        }
        switch (message[0])
        {
            case 0:
                _form = PixelForm.Read(message.AsSpan(4));
                return null;
            case 3:
                // A still picture has no increments: such a request is answered when something changes, so never.
                return message[1] == 0 ? Update() : null;
            default:
                return null;
        }
    }

    private byte[] ServerInit()
    {
        var name = Encoding.UTF8.GetBytes(_name + " (simulated)");
        var init = new byte[24 + name.Length];
        BinaryPrimitives.WriteUInt16BigEndian(init, SimulatedPicture.Width);
        BinaryPrimitives.WriteUInt16BigEndian(init.AsSpan(2), SimulatedPicture.Height);
        PixelForm.Native.Write(init.AsSpan(4));
        BinaryPrimitives.WriteInt32BigEndian(init.AsSpan(20), name.Length);
        name.CopyTo(init, 24);
        return init;
    }

    /// <summary>One rectangle, the whole picture, raw.</summary>
    private byte[] Update()
    {
        var update = new byte[16 + SimulatedPicture.Width * SimulatedPicture.Height * _form.Bytes];
        update[3] = 1;
        BinaryPrimitives.WriteUInt16BigEndian(update.AsSpan(8), SimulatedPicture.Width);
        BinaryPrimitives.WriteUInt16BigEndian(update.AsSpan(10), SimulatedPicture.Height);
        var at = 16;
        foreach (var colour in _picture.Pixels()) at += _form.Put(update.AsSpan(at), colour);
        return update;
    }

    private int Word(int at) => (_input[at] << 8) | _input[at + 1];

    // A negative length is the extended clipboard's, which was not offered.
    private int Clipboard()
    {
        var length = (Word(4) << 16) | Word(6);
        return length is >= 0 and <= MaxClipboardBytes ? length : throw new InvalidDataException($"a clipboard of {length} bytes");
    }
}

/// <summary>How a pixel is written: bytes, their order, and where red, green and blue stand (RFC 6143 §7.4).</summary>
internal readonly record struct PixelForm(int Bytes, bool BigEndian, int RedMax, int GreenMax, int BlueMax, int RedShift, int GreenShift, int BlueShift)
{
    public static readonly PixelForm Native = new(4, false, 255, 255, 255, 16, 8, 0);

    public static PixelForm Read(ReadOnlySpan<byte> form) =>
        form[3] != 0 && form[0] is 8 or 16 or 32
            ? new(form[0] / 8, form[2] != 0, BinaryPrimitives.ReadUInt16BigEndian(form[4..]), BinaryPrimitives.ReadUInt16BigEndian(form[6..]), BinaryPrimitives.ReadUInt16BigEndian(form[8..]), form[10] & 31, form[11] & 31, form[12] & 31)
            : throw new InvalidDataException("a pixel form without true colour");

    public void Write(Span<byte> form)
    {
        (form[0], form[1], form[2], form[3]) = ((byte)(Bytes * 8), 24, (byte)(BigEndian ? 1 : 0), 1);
        BinaryPrimitives.WriteUInt16BigEndian(form[4..], (ushort)RedMax);
        BinaryPrimitives.WriteUInt16BigEndian(form[6..], (ushort)GreenMax);
        BinaryPrimitives.WriteUInt16BigEndian(form[8..], (ushort)BlueMax);
        (form[10], form[11], form[12]) = ((byte)RedShift, (byte)GreenShift, (byte)BlueShift);
    }

    /// <param name="colour">0xRRGGBB.</param>
    public int Put(Span<byte> pixel, uint colour)
    {
        var value = ((colour >> 16 & 255) * (uint)RedMax / 255 << RedShift) | ((colour >> 8 & 255) * (uint)GreenMax / 255 << GreenShift) | ((colour & 255) * (uint)BlueMax / 255 << BlueShift);
        for (var i = 0; i < Bytes; i++) pixel[i] = (byte)(value >> 8 * (BigEndian ? Bytes - 1 - i : i));
        return Bytes;
    }
}
