using Plinth.Web.Application;
using Plinth.Web.Application.Servers;

namespace Plinth.Web.Workers;

/// <summary>Keeps the images of this server the same as the other servers'.</summary>
internal sealed class ImageCopying(ImageCopies copies, Signals signals, TimeProvider time, ILogger<ImageCopying> log) : Worker(time, log, leadership: null)
{
    protected override TimeSpan Every => ImageCopies.Every;
    protected override Signal Signal => signals.Images;

    public override Task Pass(CancellationToken stop) => copies.Pass(stop);
}
