using Plinth.Web.Application.Agents;
using Plinth.Web.Listeners;
using Plinth.Web.Security.Certificates;

namespace Plinth.Web.Hosting;

internal sealed class EnrolmentAddress(KestrelListeners listeners, CertificateAuthority authority) : IEnrolmentAddress
{
    public string Url => listeners.EnrolmentUrl;
    public string Fingerprint => authority.Fingerprint;
}
