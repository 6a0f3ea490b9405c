using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Plinth.Agents.Libvirt;

/// <summary>libvirt's event loop: one per process, on a thread of its own, begun before the first connection is opened.</summary>
internal static unsafe class EventLoop
{
    // Without a timer the loop would sleep for ever once nothing is connected, and could miss what another thread registers.
    private const int TickMilliseconds = 500;

    private static readonly Lazy<bool> Started = new(Start);

    public static void Ensure() => _ = Started.Value;

    private static bool Start()
    {
        if (Native.virInitialize() < 0) throw LibvirtException.Last("initializing libvirt");
        // Errors are read where they happen; by default libvirt also prints each of them.
        Native.virSetErrorFunc(0, &Ignore);
        if (Native.virEventRegisterDefaultImpl() < 0) throw LibvirtException.Last("registering libvirt's event loop");
        if (Native.virEventAddTimeout(TickMilliseconds, &Tick, 0, 0) < 0) throw LibvirtException.Last("starting libvirt's event loop");
        new Thread(Run) { IsBackground = true, Name = "libvirt events" }.Start();
        return true;
    }

    private static void Run()
    {
        while (true)
        {
            // A failing iteration must not become a busy loop; the next tick tries again.
            if (Native.virEventRunDefaultImpl() < 0) Thread.Sleep(TickMilliseconds);
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void Ignore(nint userData, nint error)
    {
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void Tick(int timer, nint opaque)
    {
    }
}
