using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Plinth.EndToEnd.Tests.Lab;

/// <summary>Opens sockets inside another network namespace: a socket belongs to the namespace its thread was in when it was made.</summary>
public static partial class Netns
{
    private const int CloneNewNet = 0x40000000;

    [LibraryImport("libc", EntryPoint = "setns", SetLastError = true)]
    private static partial int SetNs(int fd, int kind);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int fd);

    public static HttpMessageHandler Handler(string netns) => new SocketsHttpHandler
    {
        UseCookies = false,
        AllowAutoRedirect = false,
        ConnectCallback = async (context, stop) =>
        {
            var socket = Socket(netns);
            try
            {
                await socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, context.DnsEndPoint.Port), stop);
                return new NetworkStream(socket, ownsSocket: true);
            }
            catch
            {
                socket.Dispose();
                throw;
            }
        },
    };

    private static Socket Socket(string netns)
    {
        Socket? socket = null;
        Exception? failure = null;
        // A thread of its own, thrown away afterwards, so that no pool thread is left in the namespace.
        var thread = new Thread(() =>
        {
            try
            {
                var fd = Open($"/run/netns/{netns}", 0);
                if (fd < 0) throw new IOException($"network namespace {netns} cannot be opened: errno {Marshal.GetLastPInvokeError()}");
                if (SetNs(fd, CloneNewNet) != 0) throw new IOException($"network namespace {netns} cannot be entered: errno {Marshal.GetLastPInvokeError()}");
                Close(fd);
                socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            }
            catch (Exception e)
            {
                failure = e;
            }
        });
        thread.Start();
        thread.Join();
        return socket ?? throw failure!;
    }
}
