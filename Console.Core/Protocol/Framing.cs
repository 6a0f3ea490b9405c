using System.Text.Json;

namespace Plinth.Core.Protocol;

/// <summary>Cuts messages into frames below the hub's message size limit.</summary>
public static class FrameCutter
{
    /// <summary>A frame's base64 and envelope stay well below SignalR's default of 32 KiB.</summary>
    public const int MaxDataBytes = 20 * 1024;

    public static IReadOnlyList<Frame> Cut(long message, ReadOnlySpan<byte> payload)
    {
        var count = Math.Max(1, (payload.Length + MaxDataBytes - 1) / MaxDataBytes);
        var frames = new Frame[count];
        for (var i = 0; i < count; i++)
        {
            var start = i * MaxDataBytes;
            frames[i] = new Frame(message, i, count, payload.Slice(start, Math.Min(MaxDataBytes, payload.Length - start)).ToArray());
        }
        return frames;
    }

    public static IReadOnlyList<Frame> Cut(long message, AgentMessage body) => Cut(message, JsonSerializer.SerializeToUtf8Bytes(body, ProtocolJson.Default.AgentMessage));

    public static IReadOnlyList<Frame> Cut(long message, ServerMessage body) => Cut(message, JsonSerializer.SerializeToUtf8Bytes(body, ProtocolJson.Default.ServerMessage));
}

/// <summary>Joins the frames of one message at a time; anything out of order is an error of the sender and ends the session.</summary>
public sealed class FrameAssembler
{
    /// <summary>A full report of a host with thousands of VMs is about 1 MiB; more than this is an attack or a defect.</summary>
    public const int MaxMessageBytes = 16 * 1024 * 1024;

    private readonly List<byte[]> _parts = [];
    private long _message;
    private int _count;
    private int _bytes;

    /// <summary>The payload when <paramref name="frame"/> completes it, otherwise null.</summary>
    /// <exception cref="InvalidDataException">The frame does not continue what was begun, or the message is too large.</exception>
    public byte[]? Add(Frame frame)
    {
        if (_parts.Count == 0)
        {
            if (frame.Index != 0 || frame.Count < 1) throw new InvalidDataException($"frame {frame.Index} of {frame.Count} begins message {frame.Message}; frame 0 is expected");
            (_message, _count, _bytes) = (frame.Message, frame.Count, 0);
        }
        else if (frame.Message != _message || frame.Index != _parts.Count || frame.Count != _count)
        {
            throw new InvalidDataException($"frame {frame.Index} of message {frame.Message} arrived; frame {_parts.Count} of message {_message} is expected");
        }
        _bytes += frame.Data.Length;
        if (_bytes > MaxMessageBytes) throw new InvalidDataException($"message {frame.Message} is larger than {MaxMessageBytes} bytes");
        _parts.Add(frame.Data);
        if (_parts.Count < _count) return null;
        var payload = new byte[_bytes];
        var at = 0;
        foreach (var part in _parts)
        {
            part.CopyTo(payload, at);
            at += part.Length;
        }
        _parts.Clear();
        return payload;
    }

    public AgentMessage? AddFromAgent(Frame frame) =>
        Add(frame) is { } payload ? JsonSerializer.Deserialize(payload, ProtocolJson.Default.AgentMessage) ?? throw new InvalidDataException("an empty message") : null;

    public ServerMessage? AddFromServer(Frame frame) =>
        Add(frame) is { } payload ? JsonSerializer.Deserialize(payload, ProtocolJson.Default.ServerMessage) ?? throw new InvalidDataException("an empty message") : null;
}
