using Plinth.Core.Machines;
using Plinth.Core.Primitives;
using Plinth.Web.Persistence.Rows;

namespace Plinth.Web.Application.Catalogue;

/// <summary>Judges requests for images and flavors.</summary>
internal static class CatalogueRules
{
    private const long MaxImageBytes = 1L << 40;

    public static Result<ImageRow> Image(CreateImage request, DateTimeOffset now)
    {
        var refusals = new RefusalList();
        NameRules.CheckName(refusals, "name", request.Name);
        NameRules.CheckDescription(refusals, "description", request.Description);
        if (request.Format is not ("qcow2" or "raw")) refusals.Invalid("format", "bad_format", "The format is \"qcow2\" or \"raw\"; it is stated, never guessed.");
        if (request.Digest is null || !ImageFiles.IsDigest(request.Digest)) refusals.Invalid("digest", "bad_digest", "A digest is needed: \"sha256:\" and 64 lower-case hex digits, as sha256sum prints them.");
        SizeRules.Within(refusals, "sizeBytes", "bytes", request.SizeBytes, 1, MaxImageBytes);
        SizeRules.Within(refusals, "minDiskGib", "GiB of disk", request.MinDiskGib, 1, SizeRules.MaxDiskGib);
        if (request.MinMemoryMib is not null) SizeRules.Within(refusals, "minMemoryMib", "MiB of memory", request.MinMemoryMib, SizeRules.MinMemoryMib, SizeRules.MaxMemoryMib);
        GuestRules.CheckUserName(refusals, "defaultUser", request.DefaultUser);
        if (refusals.Any) return Result<ImageRow>.No(refusals.All);
        return new ImageRow
        {
            Id = ImageId.New(now), Name = request.Name!, Description = request.Description ?? "", State = ImageState.AwaitingContent, Format = request.Format!, Digest = request.Digest!,
            SizeBytes = request.SizeBytes!.Value, MinDiskGib = (int)request.MinDiskGib!.Value, MinMemoryMib = (int)(request.MinMemoryMib ?? SizeRules.MinMemoryMib),
            HasGuestAgent = request.HasGuestAgent ?? false, DefaultUser = request.DefaultUser ?? "root", CreatedAt = now,
        };
    }

    public static Result<FlavorRow> Flavor(CreateFlavor request, DateTimeOffset now)
    {
        var refusals = new RefusalList();
        NameRules.CheckName(refusals, "name", request.Name);
        NameRules.CheckDescription(refusals, "description", request.Description);
        var size = SizeRules.Check(refusals, request.Vcpus, request.MemoryMib, request.DiskGib);
        if (refusals.Any) return Result<FlavorRow>.No(refusals.All);
        return new FlavorRow { Id = FlavorId.New(now), Name = request.Name!, Description = request.Description ?? "", Vcpus = size!.Value.Vcpus, MemoryMib = size.Value.MemoryMib, DiskGib = size.Value.DiskGib, CreatedAt = now };
    }
}
