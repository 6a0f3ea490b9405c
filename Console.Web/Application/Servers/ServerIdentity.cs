using Plinth.Core.Primitives;
using Plinth.Web.Options;

namespace Plinth.Web.Application.Servers;

/// <summary>Who this server is: an id that lives in its data directory, and a name for people.</summary>
internal sealed class ServerIdentity
{
    private const string FileName = "server-id";

    public ServerIdentity(ApplicationSettings settings, TimeProvider time)
    {
        Name = settings.ServerName;
        var path = Path.Combine(settings.Data, FileName);
        if (File.Exists(path) && Guid.TryParse(File.ReadAllText(path).Trim(), out var known))
        {
            Id = ServerId.From(known);
            return;
        }
        Id = ServerId.New(time.GetUtcNow());
        DataDirectory.WriteSecret(path, System.Text.Encoding.ASCII.GetBytes(Id.ToString()));
    }

    public ServerId Id { get; }
    public string Name { get; }
}
