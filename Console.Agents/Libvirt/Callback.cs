using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Plinth.Agents.Libvirt;

/// <summary>A managed object handed to libvirt as the opaque argument of a callback; libvirt's own free callback lets go of it.</summary>
internal static unsafe class Callback
{
    public static readonly delegate* unmanaged[Cdecl]<nint, void> Free = &FreeHandle;

    public static nint Hold(object target) => GCHandle.ToIntPtr(GCHandle.Alloc(target));

    public static T Target<T>(nint opaque) where T : class => (T)GCHandle.FromIntPtr(opaque).Target!;

    /// <summary>For a registration that failed: libvirt did not take the object over.</summary>
    public static void Release(nint opaque) => GCHandle.FromIntPtr(opaque).Free();

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void FreeHandle(nint opaque) => Release(opaque);
}
