using System.Net;
using System.Net.Http.Headers;
using Plinth.Web.Tests.Serving;

namespace Plinth.Web.Tests.Api;

[Collection(ServedConsoleCollection.Name)]
public sealed class JsonBodyTests(ServedConsole console)
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Nothing_sent_is_an_empty_object_however_it_is_not_sent(bool chunked)
    {
        using var client = await console.Client();
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/api/v1/projects/default/volumes/{Guid.NewGuid()}/detach") { Content = new ByteArrayContent([]) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        request.Headers.TransferEncodingChunked = chunked;
        using var answer = await client.SendAsync(request);
        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
        Assert.Contains("volume_not_found", await answer.Content.ReadAsStringAsync());
    }
}
