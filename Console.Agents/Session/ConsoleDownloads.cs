using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography.X509Certificates;
using Plinth.Agents.Machines;
using Plinth.Agents.Reconcile;
using Plinth.Agents.Upgrade;
using Plinth.Core.Protocol;

namespace Plinth.Agents.Session;

/// <summary>The console's images and its agent's executable over mutual TLS, by digest and range, from whichever server has them.</summary>
internal sealed class ConsoleDownloads(IdentityKeeper keeper) : IImageSource, IExecutableSource
{
    private static readonly Kind Image = new(HubNames.ImageRoute, "image", "Image", "Upload it again, or delete the VM; it is asked for again.", "It is tried again.");
    private static readonly Kind Executable = new(HubNames.ExecutableRoute, "executable", "Executable", "Its file was replaced after this was asked for; ask again.", "Ask again.");

    public Task<(Stream Bytes, long From)> Open(string digest, long from, CancellationToken stop) => Open(Image, digest, from, stop);

    async Task<Stream> IExecutableSource.Open(string digest, CancellationToken stop) => (await Open(Executable, digest, 0, stop)).Bytes;

    private async Task<(Stream Bytes, long From)> Open(Kind kind, string digest, long from, CancellationToken stop)
    {
        var hubs = keeper.Hubs;
        foreach (var hub in hubs.SkipLast(1))
        {
            try
            {
                return await Open(kind, hub, digest, from, stop);
            }
            catch (HypervisorException)
            {
                // Another server may have it.
            }
        }
        return await Open(kind, hubs[^1], digest, from, stop);
    }

    private async Task<(Stream Bytes, long From)> Open(Kind kind, Uri hub, string digest, long from, CancellationToken stop)
    {
        var identity = keeper.Current;
        var authority = identity.OpenAuthority();
        var certificate = identity.OpenCertificate();
        var client = new HttpClient(ConsoleHttp.Handler(new PinnedAuthority(authority), certificate)) { Timeout = Timeout.InfiniteTimeSpan };
        HttpResponseMessage? response = null;
        try
        {
            var request = new HttpRequestMessage(HttpMethod.Get, new Uri(hub, kind.Route + digest));
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
                    throw new HypervisorException($"{kind.Code}_missing", $"The console has no {kind.Code} {digest}. {kind.Missing}");
                default:
                    throw new HypervisorException($"{kind.Code}_fetch", $"{kind.Word} {digest} cannot be fetched: {await ConsoleHttp.ReasonOf(response, stop)}");
            }
        }
        catch (Exception e)
        {
            foreach (var owned in new IDisposable?[] { response, client, certificate, authority }) owned?.Dispose();
            if (e is HttpRequestException) throw new HypervisorException($"{kind.Code}_fetch", $"{kind.Word} {digest} cannot be fetched: {ConsoleHttp.Cause(e)}. {kind.Again}", cause: e);
            throw;
        }
    }

    /// <param name="Code">What its codes begin with.</param>
    /// <param name="Missing">What to do where the console does not have it.</param>
    /// <param name="Again">What happens where the console does not answer.</param>
    private sealed record Kind(string Route, string Code, string Word, string Missing, string Again);

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
