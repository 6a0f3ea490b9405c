using System.Buffers.Binary;
using System.Numerics;

namespace Plinth.Agents.Ledger;

/// <summary>
/// An append-only file of records, each <c>length, CRC-32C of length and payload, payload</c> (little-endian, 4 + 4 + n bytes).
/// A record that a crash has cut is not there; what stands before it is. Not safe for use from several threads.
/// </summary>
internal sealed class Journal : IDisposable
{
    private const int HeaderBytes = 8;

    /// <summary>The desired state of a host with thousands of VMs is about 4 MiB; a greater length is not one.</summary>
    public const int MaxRecordBytes = 32 * 1024 * 1024;

    private static readonly byte[] Magic = "PLINTHJ1"u8.ToArray();

    private readonly string _path;
    private FileStream _file;

    private Journal(string path, FileStream file) => (_path, _file) = (path, file);

    public long SizeBytes => _file.Length;

    /// <summary>The journal in <paramref name="path"/>, made where there is none, and its whole records in order.</summary>
    /// <exception cref="InvalidDataException">The file is something else: it is not touched.</exception>
    /// <exception cref="IOException">Another process has it.</exception>
    public static (Journal Journal, IReadOnlyList<byte[]> Records) Open(string path)
    {
        File.Delete(path + ".new");
        if (!File.Exists(path)) DurableFile.Replace(path, Magic);
        var file = OpenFile(path);
        try
        {
            var content = new byte[file.Length];
            file.ReadExactly(content);
            if (!content.AsSpan().StartsWith(Magic)) throw new InvalidDataException($"{path} is no journal of this agent; move it away to begin without memory.");
            var records = Read(content, out var whole);
            if (whole < content.Length) file.SetLength(whole);
            file.Position = whole;
            return (new Journal(path, file), records);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Hands the records to the kernel: they survive the death of the process, and with <paramref name="durable"/> a power cut.</summary>
    public void Append(IEnumerable<byte[]> payloads, bool durable)
    {
        using var buffer = new MemoryStream();
        foreach (var payload in payloads) Write(buffer, payload);
        var start = _file.Position;
        try
        {
            _file.Write(buffer.GetBuffer(), 0, (int)buffer.Length);
            if (durable) _file.Flush(flushToDisk: true);
        }
        catch (IOException)
        {
            // A half-written record would hide every later one.
            _file.SetLength(start);
            _file.Position = start;
            throw;
        }
    }

    /// <summary>The journal holds just these records from now on.</summary>
    public void Compact(IEnumerable<byte[]> payloads)
    {
        using var buffer = new MemoryStream();
        buffer.Write(Magic);
        foreach (var payload in payloads) Write(buffer, payload);
        DurableFile.Replace(_path, buffer.GetBuffer().AsSpan(0, (int)buffer.Length));
        _file.Dispose();
        _file = OpenFile(_path);
        _file.Position = _file.Length;
    }

    public void Dispose() => _file.Dispose();

    private static FileStream OpenFile(string path)
    {
        try
        {
            // FileShare.None is an advisory lock: a second agent on the same data must not start.
            return new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.None, bufferSize: 0);
        }
        catch (IOException e) when (e is not FileNotFoundException and not DirectoryNotFoundException)
        {
            throw new IOException($"{path} is in use: another agent runs on the same data directory. Stop it, or give this one another --data.", e);
        }
    }

    private static List<byte[]> Read(byte[] content, out long whole)
    {
        var records = new List<byte[]>();
        var at = Magic.Length;
        while (content.Length - at >= HeaderBytes)
        {
            var length = BinaryPrimitives.ReadUInt32LittleEndian(content.AsSpan(at));
            if (length > MaxRecordBytes || length > content.Length - at - HeaderBytes) break;
            var payload = content.AsSpan(at + HeaderBytes, (int)length);
            if (BinaryPrimitives.ReadUInt32LittleEndian(content.AsSpan(at + 4)) != Checksum(length, payload)) break;
            records.Add(payload.ToArray());
            at += HeaderBytes + (int)length;
        }
        whole = at;
        return records;
    }

    private static void Write(MemoryStream to, byte[] payload)
    {
        if (payload.Length > MaxRecordBytes) throw new InvalidOperationException($"a record of {payload.Length} bytes; at most {MaxRecordBytes} are possible");
        Span<byte> header = stackalloc byte[HeaderBytes];
        BinaryPrimitives.WriteUInt32LittleEndian(header, (uint)payload.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(header[4..], Checksum((uint)payload.Length, payload));
        to.Write(header);
        to.Write(payload);
    }

    private static uint Checksum(uint length, ReadOnlySpan<byte> payload)
    {
        var crc = BitOperations.Crc32C(uint.MaxValue, length);
        while (payload.Length >= 8)
        {
            crc = BitOperations.Crc32C(crc, BinaryPrimitives.ReadUInt64LittleEndian(payload));
            payload = payload[8..];
        }
        foreach (var b in payload) crc = BitOperations.Crc32C(crc, b);
        return ~crc;
    }
}
