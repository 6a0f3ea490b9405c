using System.Buffers.Binary;

namespace Plinth.Agents.Storage;

/// <summary>The first fields of a qcow2 file, as far as an image may be trusted by them.</summary>
internal readonly record struct Qcow2Header(long VirtualSizeBytes, bool RefersElsewhere)
{
    private const uint Magic = 0x514649fb;
    private const int Length = 80;
    // Incompatible feature bit 2: the data is in another file.
    private const ulong ExternalDataFile = 4;

    /// <summary>
    /// magic, version, backing file offset (8), backing file size, cluster bits, virtual size (24), …, in version 3 incompatible features (72).
    /// </summary>
    /// <exception cref="InvalidDataException">The file does not begin like a qcow2 file.</exception>
    public static Qcow2Header Read(string path)
    {
        using var file = File.OpenHandle(path);
        Span<byte> header = stackalloc byte[Length];
        var read = RandomAccess.Read(file, header, 0);
        if (read < Length || BinaryPrimitives.ReadUInt32BigEndian(header) != Magic) throw new InvalidDataException($"{path} does not begin like a qcow2 file");
        var version = BinaryPrimitives.ReadUInt32BigEndian(header[4..]);
        var backing = BinaryPrimitives.ReadUInt64BigEndian(header[8..]);
        var features = version >= 3 ? BinaryPrimitives.ReadUInt64BigEndian(header[72..]) : 0;
        return new Qcow2Header(BinaryPrimitives.ReadInt64BigEndian(header[24..]), backing != 0 || (features & ExternalDataFile) != 0);
    }
}
