using Plinth.Agents.Machines;
using Plinth.Core.Protocol;

namespace Plinth.Agents.Storage;

/// <summary>Whether fetched image bytes may lie under a disk.</summary>
internal static class Images
{
    private const long Gib = 1024L * 1024 * 1024;

    /// <exception cref="HypervisorException">"image_missing" until it is fetched; "image_unusable" or "disk_too_small" for good.</exception>
    public static void Check(string path, ImageReference image, int diskSizeGib)
    {
        DomainRules.Check(image);
        var file = new FileInfo(path);
        if (!file.Exists) throw new HypervisorException("image_missing", $"The image {image.Digest} is not on this host yet; it has to be fetched first.");
        if (file.Length != image.SizeBytes)
            throw new HypervisorException("image_missing", $"The image {image.Digest} is incomplete on this host: {file.Length} of {image.SizeBytes} bytes; it has to be fetched again.");
        var virtualSize = image.Format == "qcow2" ? VirtualSize(path, image) : file.Length;
        if (virtualSize > diskSizeGib * Gib)
            throw new HypervisorException("disk_too_small", $"A disk of {diskSizeGib} GiB cannot hold the image, which needs {(virtualSize + Gib - 1) / Gib} GiB.", final: true);
    }

    private static long VirtualSize(string path, ImageReference image)
    {
        try
        {
            var header = Qcow2Header.Read(path);
            // An image that names another file would let its author read any file of the host from inside a guest.
            if (header.RefersElsewhere) throw new HypervisorException("image_unusable", $"The image {image.Digest} refers to another file and is not used; flatten it with qemu-img convert.", final: true);
            return header.VirtualSizeBytes;
        }
        catch (InvalidDataException e)
        {
            throw new HypervisorException("image_unusable", $"The image {image.Digest} is said to be qcow2 and is not.", final: true, e);
        }
    }
}
