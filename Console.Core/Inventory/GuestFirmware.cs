namespace Plinth.Core.Inventory;

public enum FirmwareKind { Bios, Uefi }

/// <summary>What a machine boots with, for its whole life: a guest is installed for one of the two.</summary>
/// <param name="SecureBoot">UEFI starts only what Microsoft's and the distributions' keys vouch for.</param>
/// <param name="Tpm">A TPM 2.0 of its own, emulated by the host; its state goes with the machine.</param>
public sealed record GuestFirmware(FirmwareKind Kind = FirmwareKind.Bios, bool SecureBoot = false, bool Tpm = false)
{
    /// <summary>With less, UEFI and a boot loader leave a Linux kernel and its RAM disk no room: seen to fail with 256 MiB.</summary>
    public const int UefiMinMemoryMib = 512;

    public static GuestFirmware Default { get; } = new();

    /// <summary>Why a machine of this memory cannot boot with it; null where it can.</summary>
    public string? TooLittle(int memoryMib) =>
        Kind == FirmwareKind.Uefi && memoryMib < UefiMinMemoryMib ? $"With UEFI a VM needs at least {UefiMinMemoryMib} MiB of memory; this is {memoryMib} MiB." : null;

    /// <summary>"UEFI, Secure Boot, TPM 2.0".</summary>
    public override string ToString() => (Kind == FirmwareKind.Uefi ? "UEFI" : "BIOS") + (SecureBoot ? ", Secure Boot" : "") + (Tpm ? ", TPM 2.0" : "");
}

/// <summary>What a host can give its guests beside BIOS: found out by its agent.</summary>
public sealed record FirmwareSupport(bool Uefi = false, bool SecureBoot = false, bool Tpm = false)
{
    public static FirmwareSupport None { get; } = new();

    /// <summary>Why the host cannot give it, with what would mend that; null where it can.</summary>
    public string? WhyNot(GuestFirmware wanted)
    {
        string[] lacks =
        [
            .. wanted.Kind == FirmwareKind.Uefi && !Uefi ? ["UEFI (package ovmf)"] : Array.Empty<string>(),
            .. wanted.SecureBoot && !SecureBoot ? ["Secure Boot (package ovmf)"] : Array.Empty<string>(),
            .. wanted.Tpm && !Tpm ? ["a TPM (packages swtpm and swtpm-tools)"] : Array.Empty<string>(),
        ];
        return lacks.Length == 0 ? null : $"needs {wanted}; the host lacks {string.Join(" and ", lacks)}";
    }

    /// <summary>"BIOS, UEFI, Secure Boot, TPM 2.0": what guests can have here.</summary>
    public override string ToString() => "BIOS" + (Uefi ? ", UEFI" : "") + (SecureBoot ? ", Secure Boot" : "") + (Tpm ? ", TPM 2.0" : "");
}
