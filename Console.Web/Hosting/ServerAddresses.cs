using Plinth.Web.Application.Servers;
using Plinth.Web.Listeners;

namespace Plinth.Web.Hosting;

/// <inheritdoc cref="IServerAddresses"/>
internal sealed class ServerAddresses(KestrelListeners listeners) : IServerAddresses
{
    public string PortalUrl => listeners.PortalUrl;
    public string HubUrl => listeners.HubUrl;
}
