using Plinth.Core.Inventory;
using Plinth.Core.Primitives;

namespace Plinth.Core.Machines;

/// <summary>The states a person sees; see <see cref="VmLifecycle"/> for the sentence and the moves of each.</summary>
public enum VmState { Requested, Waiting, Creating, Starting, Running, Stopping, Stopped, Paused, Migrating, Restorable, Deleting, Deleted, Failed, Lost }

/// <summary>The two ways to look into a machine: its serial line, and its screen with keyboard and pointer (RFB, the protocol of VNC).</summary>
public enum ConsoleKind { Serial, Vnc }

/// <summary>Whether the machine should be on. Part of the desired host state.</summary>
public enum DesiredPower { Running, Stopped }

/// <summary>What people asked for. Immutable but for labels and description.</summary>
/// <param name="UserName">The login that the seed creates in the guest.</param>
/// <param name="UserData">NoCloud user data given as it is; empty for none.</param>
/// <param name="OnlyHost">The one host that the operator named; null where placement is free to choose.</param>
/// <param name="Hostname">The guest's host name where it is not the VM's name: it was renamed after the seed was made.</param>
/// <param name="Protected">It is not deleted before this is lifted.</param>
/// <param name="Firmware">Null means BIOS.</param>
/// <param name="FormerSize">What it had before a resize, until the machine has wholly taken the new size; null where it has.</param>
/// <param name="DiskGeneration">Which of its root disks it has: 0 for the one it was created with, then that of the last rebuild.</param>
/// <param name="Source">The VM whose root disk its own is a copy of; null where its disk was made from the image.</param>
/// <param name="Rebuild">A rebuild that was asked for, until its host has shown how it ended; null where there is none.</param>
public sealed record VmSpec(
    string Name,
    string Description,
    IReadOnlyDictionary<string, string> Labels,
    ImageId Image,
    FlavorId? Flavor,
    Resources Size,
    string StorageClass,
    IReadOnlyList<string> Networks,
    string UserName,
    IReadOnlyList<string> SshKeys,
    string UserData,
    HostId? OnlyHost = null,
    string? Hostname = null,
    bool Protected = false,
    Resources? FormerSize = null,
    GuestFirmware? Firmware = null,
    long DiskGeneration = 0,
    RebuildWish? Rebuild = null,
    CloneSource? Source = null)
{
    /// <summary>What it takes: its size, and while a change of that is not done whichever is more.</summary>
    public Resources Held() => FormerSize?.OrMore(Size) ?? Size;
}

/// <summary>What a clone was made of, as it was when it was asked for.</summary>
/// <param name="Generation">Of the source's root disk: with another one it has become another machine.</param>
public sealed record CloneSource(VmId Vm, string Name, HostId Host, string HostName, long Generation);

/// <summary>A fresh root disk for a VM that exists, as it was asked for.</summary>
/// <param name="Generation">Names the disk: the power generation of the request, which no other rebuild of the VM has.</param>
/// <param name="Hostname">The guest's host name from then on.</param>
/// <param name="Wanted">False once it was given up: the host may have done it all the same, and its next report tells.</param>
public sealed record RebuildWish(long Generation, ImageId Image, string Hostname, string UserName, IReadOnlyList<string> SshKeys, string UserData, bool Wanted = true);

/// <summary>Fixed sizes of a VM that people can choose by name.</summary>
public sealed record Flavor(FlavorId Id, string Name, string Description, Resources Size);

public enum ImageState { AwaitingContent, Ready }

/// <summary>A disk image. Bytes are named by their digest ("sha256:" + 64 hex digits) and reach hosts by it.</summary>
/// <param name="Format">"qcow2" or "raw": stated, never probed.</param>
/// <param name="MinDiskGib">The virtual size rounded up to GiB: no smaller disk can hold it.</param>
/// <param name="HasGuestAgent">A VM of this image is up when its guest agent answers; without one, when its domain runs.</param>
/// <param name="DefaultUser">The login that the image's documentation names.</param>
public sealed record Image(
    ImageId Id,
    string Name,
    string Description,
    ImageState State,
    string Format,
    string Digest,
    long SizeBytes,
    int MinDiskGib,
    int MinMemoryMib,
    bool HasGuestAgent,
    string DefaultUser);
