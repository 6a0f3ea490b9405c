using System.Net.Sockets;

namespace Plinth.Web.Hosting;

/// <summary>Tells systemd, where it started the console, that portal and agent hub listen: what waits for the service goes on.</summary>
internal static class ServiceManager
{
    private const string SocketVariable = "NOTIFY_SOCKET";

    public static void Ready()
    {
        if (Environment.GetEnvironmentVariable(SocketVariable) is not { Length: > 0 } path) return;
        using var socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        // "@" is systemd's spelling of the abstract namespace, whose names begin with a zero byte.
        socket.Connect(new UnixDomainSocketEndPoint(path[0] == '@' ? '\0' + path[1..] : path));
        socket.Send("READY=1"u8);
    }
}
