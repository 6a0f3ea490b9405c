using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Plinth.Web.Tests.Serving;

namespace Plinth.Web.Tests.Api;

/// <summary>Search, files, preferences and views through the real pipeline.</summary>
[Collection(ServedConsoleCollection.Name)]
public sealed class DailyUseTests(ServedConsole console)
{
    [Fact]
    public async Task Search_answers_as_a_list_and_refuses_by_field()
    {
        using var client = await console.Client();
        var found = await client.GetFromJsonAsync<JsonElement>("/api/v1/search?q=small");
        Assert.Contains(found.GetProperty("items").EnumerateArray(), i => i.GetProperty("kind").GetString() == "flavor" && i.GetProperty("name").GetString() == "small");
        Assert.True(found.GetProperty("total").GetInt64() >= 1);

        var refused = await client.GetAsync("/api/v1/search");
        Assert.Equal(HttpStatusCode.BadRequest, refused.StatusCode);
        Assert.Contains("\"q\"", await refused.Content.ReadAsStringAsync());
        Assert.Equal(HttpStatusCode.BadRequest, (await client.GetAsync("/api/v1/search?q=a&limit=51")).StatusCode);
    }

    [Theory]
    [InlineData("projects/default/vms.csv", "id,name,description,state")]
    [InlineData("hosts.csv", "id,name,state")]
    [InlineData("operations.csv", "id,kind,target")]
    public async Task A_list_is_a_file_too(string path, string head)
    {
        using var client = await console.Client();
        var answer = await client.GetAsync("/api/v1/" + path);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal("text/csv", answer.Content.Headers.ContentType!.MediaType);
        Assert.EndsWith(".csv", answer.Content.Headers.ContentDisposition!.FileName!.Trim('"'));
        Assert.StartsWith(head, await answer.Content.ReadAsStringAsync());
        Assert.Equal(HttpStatusCode.BadRequest, (await client.GetAsync($"/api/v1/{path}?state=sleeping")).StatusCode);
    }

    [Fact]
    public async Task What_a_person_chose_stands_in_the_page_before_anything_is_drawn()
    {
        using var person = await console.Person();
        var set = await person.PutAsJsonAsync("/api/v1/me/preferences/density", new { value = "compact" });
        Assert.Equal(HttpStatusCode.OK, set.StatusCode);
        Assert.Contains("data-my-density=\"compact\"", await person.GetStringAsync("/"));
        Assert.Equal(HttpStatusCode.BadRequest, (await person.PutAsJsonAsync("/api/v1/me/preferences/density", new { value = "tight" })).StatusCode);
        await person.PutAsJsonAsync("/api/v1/me/preferences/density", new { value = "comfortable" });
    }

    [Fact]
    public async Task Views_are_saved_listed_and_deleted()
    {
        using var client = await console.Client();
        var saved = await client.PostAsJsonAsync("/api/v1/me/views", new { list = "hosts", name = "Lost", query = "state=lost" });
        Assert.Equal(HttpStatusCode.Created, saved.StatusCode);
        var id = (await saved.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("id").GetString();
        Assert.Contains(id!, await client.GetStringAsync("/api/v1/me/views?list=hosts"));
        Assert.Equal(HttpStatusCode.NoContent, (await client.DeleteAsync($"/api/v1/me/views/{id}")).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await client.DeleteAsync($"/api/v1/me/views/{id}")).StatusCode);
    }
}
