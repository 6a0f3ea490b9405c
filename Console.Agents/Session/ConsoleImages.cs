using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography.X509Certificates;
using Plinth.Agents.Machines;
using Plinth.Agents.Reconcile;
using Plinth.Core.Protocol;

namespace Plinth.Agents.Session;

/// <summary>The console's images over mutual TLS, by digest and range, from whichever server has them.</summary>
internal sealed class ConsoleImages(IdentityKeeper keeper) : IImageSource
{
    public async Task<(Stream Bytes, long From)> Open(string digest, long from, CancellationToken stop)
    {
        var hubs = keeper.Hubs;
        foreach (var hub in hubs.SkipLast(1))
        {
            try
            {
                return await Open(hub, digest, from, stop);
            }
            catch (HypervisorException)
            {
                // Another server may have it.
            }
        }
        return await Open(hubs[^1], digest, from, stop);
    }

    private async Task<(Stream Bytes, long From)> Open(Uri hub, string digest, long from, CancellationToken stop)
    {
        var identity = keeper.Current;
        var authority = identity.OpenAuthority();
        var certificate = identity.OpenCertificate();
        var client = new HttpClient(ConsoleHttp.Handler(new PinnedAuthority(authority), certificate)) { Timeout = Timeout.InfiniteTimeSpan };
        HttpResponseMessage? response = null;
        try
        {
            var request = new HttpRequestMessage(HttpMethod.Get, new Uri(hub, HubNames.ImageRoute + digest));
            if (from > 0)
            {
                request.Headers.Range = new RangeHeaderValue(from, null);
                // Without this a changed image would be joined to the old one's beginning; its digest would tell, after all of it.
                request.Headers.IfRange = new RangeConditionHeaderValue(new EntityTagHeaderValue($"\"{digest}\""));
            }
            response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, stop);
            switch (response.StatusCode)
            {
                case HttpStatusCode.OK:
                    return (new OwningStream(await response.Content.ReadAsStreamAsync(stop), client, response, certificate, authority), 0);
                case HttpStatusCode.PartialContent:
                    return (new OwningStream(await response.Content.ReadAsStreamAsync(stop), client, response, certificate, authority), response.Content.Headers.ContentRange?.From ?? from);
                // Everything was here already.
                case HttpStatusCode.RequestedRangeNotSatisfiable:
                    return (new OwningStream(Stream.Null, client, response, certificate, authority), from);
                case HttpStatusCode.NotFound:
                    throw new HypervisorException("image_missing", $"The console has no image {digest}. Upload it again, or delete the VM; it is asked for again.");
                default:
                    throw new HypervisorException("image_fetch", $"Image {digest} cannot be fetched: {await ConsoleHttp.ReasonOf(response, stop)}");
            }
        }
        catch (Exception e)
        {
            foreach (var owned in new IDisposable?[] { response, client, certificate, authority }) owned?.Dispose();
            if (e is HttpRequestException) throw new HypervisorException("image_fetch", $"Image {digest} cannot be fetched: {ConsoleHttp.Cause(e)}. It is tried again.", cause: e);
            throw;
        }
    }

    /// <summary>Takes its connection and certificates with it when it goes.</summary>
    private sealed class OwningStream(Stream inner, params IDisposable[] owned) : Stream
    {
        public override bool CanRead => true;
        public override bool CanSeek => false;
        public override bool CanWrite => false;
        public override long Length => throw new NotSupportedException("the length of a download is not known");
        public override long Position { get => throw new NotSupportedException("a download has no position"); set => throw new NotSupportedException("a download cannot seek"); }
        public override void Flush() { }
        public override int Read(byte[] buffer, int offset, int count) => inner.Read(buffer, offset, count);
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => inner.ReadAsync(buffer, cancellationToken);
        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException("a download cannot seek");
        public override void SetLength(long value) => throw new NotSupportedException("a download has no length");
        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException("a download is read only");

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                inner.Dispose();
                foreach (var item in owned) item.Dispose();
            }
            base.Dispose(disposing);
        }
    }
}
