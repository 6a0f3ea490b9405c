using Plinth.Core.Primitives;

namespace Plinth.Core.Machines;

public enum SnapshotState { Taking, Available, Reverting, Removing, Failed }

/// <summary>A moment of a VM that it can be brought back to: its own disk, and its memory where that was kept.</summary>
/// <param name="Name">Unique in the VM.</param>
/// <param name="Vcpus">What it had then, as <paramref name="MemoryMib"/>: memory goes back into a machine of the same size only.</param>
/// <param name="Interfaces">MAC addresses of the interfaces that it had then; null where none has come or gone since.</param>
/// <param name="Reason">A sentence: why it failed, or what was last tried in vain; empty where all is well.</param>
/// <param name="How">Of a disk in use: what became of the guest's file systems for that moment, as the host said; empty otherwise.</param>
public sealed record VmSnapshot(SnapshotId Id, string Name, bool WithMemory, int Vcpus, int MemoryMib, SnapshotState State, string Reason, DateTimeOffset TakenAt, string By, string How = "", IReadOnlyList<string>? Interfaces = null);
