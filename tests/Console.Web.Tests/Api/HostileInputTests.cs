using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Plinth.Web.Tests.Serving;

namespace Plinth.Web.Tests.Api;

/// <summary>What a hostile caller may send, at every endpoint: always a problem that names the field, never a fault.</summary>
[Collection(ServedConsoleCollection.Name)]
public sealed class HostileInputTests(ServedConsole console)
{
    private const string Vms = "/api/v1/projects/default/vms";
    private const string Volumes = "/api/v1/projects/default/volumes";
    private const string NoId = "0193e1c4-7a52-7b1c-9d3e-2f4a6b8c0d1e";

    public static TheoryData<string, string, string?, int, string?> Requests => new()
    {
        { "POST", Vms, "{", 400, null },
        { "POST", Vms, "", 400, "name" },
        { "POST", Vms, "[]", 400, "" },
        { "POST", Vms, "null", 400, "" },
        { "POST", Vms, "{\"name\":1}", 400, "name" },
        { "POST", Vms, "{\"name\":\"a\",\"name\":\"b\"}", 400, "name" },
        { "POST", Vms, "{\"vcpuz\":1}", 400, "vcpuz" },
        { "POST", Vms, "{\"vcpus\":\"2\"}", 400, "vcpus" },
        { "POST", Vms, "{\"vcpus\":1.5}", 400, "vcpus" },
        { "POST", Vms, "{\"vcpus\":99999999999999999999999}", 400, "vcpus" },
        { "POST", Vms, "{\"labels\":{\"a\":[]}}", 400, "labels.a" },
        { "POST", Vms, "{\"keys\":\"ssh\"}", 400, "keys" },
        { "POST", Vms, "{\"name\":\"\\ud800\"}", 400, "name" },
        { "POST", Vms, "{\"name\":\"</name><disk/>\",\"image\":\"$(id)\",\"vcpus\":-1,\"memoryMib\":1,\"diskGib\":1}", 400, "vcpus" },
        { "POST", Vms, "{\"labels\":" + "{\"a\":" + "[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]" + "}}", 400, null },
        { "POST", Vms + "/fit", "{\"image\":{}}", 400, "image" },
        { "GET", Vms + "?limit=0", null, 400, "limit" },
        { "GET", Vms + "?limit=501", null, 400, "limit" },
        { "GET", Vms + "?limit=many", null, 400, "limit" },
        { "GET", Vms + "?limit=1&limit=2", null, 400, "limit" },
        { "GET", Vms + "?offset=-1", null, 400, "offset" },
        { "GET", Vms + "?cursor=%00", null, 400, "cursor" },
        { "GET", Vms + "?cursor=../../etc/passwd", null, 400, "cursor" },
        { "GET", Vms + "?cursor=a&offset=1", null, 400, "offset" },
        { "GET", Vms + "?state=happy", null, 400, "state" },
        { "GET", Vms + "?sort=colour", null, 400, "sort" },
        { "GET", Vms + "?nothing=1", null, 400, "nothing" },
        { "GET", Vms + "?project=other", null, 400, "project" },
        { "GET", Vms + "/1", null, 400, "vm" },
        { "GET", Vms + "/" + NoId, null, 404, null },
        { "GET", Vms + "/%2e%2e%2f", null, 400, "vm" },
        { "PATCH", Vms + "/" + NoId, "{\"hostname\":\"renamed\"}", 400, "hostname" },
        { "PATCH", Vms + "/" + NoId, "{\"name\":7}", 400, "name" },
        { "PATCH", Vms + "/" + NoId, "{\"protected\":\"yes\"}", 400, "protected" },
        { "POST", Vms + "/" + NoId + "/resize", "{\"memoryMib\":\"much\"}", 400, "memoryMib" },
        { "POST", Vms + "/" + NoId + "/rebuild", "{\"image\":{}}", 400, "image" },
        { "POST", Vms + "/" + NoId + "/rebuild", "{\"keys\":\"ssh\"}", 400, "keys" },
        { "POST", Vms + "/" + NoId + "/rebuild", "{\"deadlineSeconds\":\"soon\"}", 400, "deadlineSeconds" },
        { "POST", Vms + "/" + NoId + "/rebuild", "{\"diskGib\":4}", 400, "diskGib" },
        { "POST", Vms + "/" + NoId + "/rebuild", "{}", 404, null },
        { "POST", Vms + "/" + NoId + "/clone", "{\"name\":{}}", 400, "name" },
        { "POST", Vms + "/" + NoId + "/clone", "{\"diskGib\":\"2\"}", 400, "diskGib" },
        { "POST", Vms + "/" + NoId + "/clone", "{\"image\":\"mini\"}", 400, "image" },
        { "POST", Vms + "/" + NoId + "/clone", "{\"name\":\"a\"}", 404, null },
        { "POST", Vms + "/" + NoId + "/console", "{\"kind\":7}", 400, "kind" },
        { "PATCH", Vms + "/" + NoId, "{\"description\":7}", 400, "description" },
        { "PATCH", Vms + "/" + NoId, "{}", 404, null },
        { "DELETE", Vms + "/x", null, 400, "vm" },
        { "GET", Vms + "/" + NoId + "/snapshots", null, 404, null },
        { "POST", Vms + "/" + NoId + "/snapshots", "{\"name\":7}", 400, "name" },
        { "POST", Vms + "/" + NoId + "/snapshots/x/revert", "{}", 400, "snapshot" },
        { "POST", Vms + "/" + NoId + "/snapshots/" + NoId + "/revert", "{}", 404, null },
        { "DELETE", Vms + "/" + NoId + "/snapshots/" + NoId, null, 404, null },
        { "GET", Vms + "/" + NoId + "/interfaces", null, 404, null },
        { "POST", Vms + "/x/interfaces", "{\"network\":\"shop\"}", 400, "vm" },
        { "POST", Vms + "/" + NoId + "/interfaces", "{\"network\":7}", 400, "network" },
        { "POST", Vms + "/" + NoId + "/interfaces", "{\"network\":\"shop\",\"mac\":\"52:54:00:00:00:01\"}", 400, "mac" },
        { "POST", Vms + "/" + NoId + "/interfaces", "{\"network\":\"shop\",\"rules\":\"all\"}", 400, "rules" },
        { "POST", Vms + "/" + NoId + "/interfaces", "{\"network\":\"shop\"}", 404, null },
        { "DELETE", Vms + "/" + NoId + "/interfaces/%2e%2e%2f", null, 404, null },
        { "DELETE", Vms + "/" + NoId + "/interfaces/52:54:00:00:00:01", null, 404, null },
        { "DELETE", Vms + "/" + NoId + "?atOnce=perhaps", null, 400, "atOnce" },
        { "POST", Vms + "/" + NoId + "/restore", "{}", 404, null },
        { "POST", Vms + "/" + NoId + "/restore", "{\"at\":1}", 400, "at" },
        { "DELETE", Vms + "/" + NoId, null, 404, null },
        { "POST", Vms + "/" + NoId + "/start", "{\"force\":true}", 400, "force" },
        { "POST", Vms + "/" + NoId + "/start", null, 404, null },
        { "POST", Vms + "/" + NoId + "/stop", "{\"deadlineSeconds\":\"soon\"}", 400, "deadlineSeconds" },
        { "POST", Vms + "/" + NoId + "/reboot", "{\"force\":1}", 400, "force" },
        { "POST", Vms + "/" + NoId + "/console", null, 404, null },
        { "GET", Vms + "/" + NoId + "/decision", null, 404, null },
        { "GET", Vms + "/" + NoId + "/metrics?range=forever", null, 400, "range" },
        { "GET", Vms + "/" + NoId + "/metrics?range=99999999d", null, 400, "range" },
        { "GET", "/api/v1/projects/not%20there/vms", null, 404, null },
        { "GET", "/api/v1/projects/%0a/vms", null, 400, "project" },
        { "GET", "/api/v1/projects/" + NoId + "/vms", null, 404, null },
        { "GET", "/api/v1/projects/" + NoId + "/networks", null, 404, null },
        { "POST", Volumes, "{}", 400, "name" },
        { "POST", Volumes, "{\"name\":\"a\",\"sizeGib\":0}", 400, "sizeGib" },
        { "POST", Volumes, "{\"name\":\"a\",\"sizeGib\":65537}", 400, "sizeGib" },
        { "POST", Volumes, "{\"name\":\"../a\",\"sizeGib\":1}", 400, "name" },
        { "POST", Volumes, "{\"name\":\"a\",\"sizeGib\":1,\"storageClass\":\"'--\"}", 400, "storageClass" },
        { "POST", Volumes, "{\"name\":\"a\",\"sizeGib\":1,\"host\":\"nowhere\"}", 400, "host" },
        { "POST", Volumes, "{\"name\":\"a\",\"sizeGib\":1,\"vm\":\"nobody\"}", 400, "vm" },
        { "GET", Volumes + "?state=happy", null, 400, "state" },
        { "GET", Volumes + "?sort=colour", null, 400, "sort" },
        { "GET", Volumes + "/x", null, 400, "volume" },
        { "GET", Volumes + "/" + NoId, null, 404, null },
        { "PATCH", Volumes + "/" + NoId, "{\"sizeGib\":2}", 400, "sizeGib" },
        { "POST", Volumes + "/" + NoId + "/attach", "{\"vm\":1}", 400, "vm" },
        { "POST", Volumes + "/" + NoId + "/attach", "{\"vm\":\"a\"}", 404, null },
        { "POST", Volumes + "/" + NoId + "/detach", "{\"now\":true}", 400, "now" },
        { "POST", Volumes + "/" + NoId + "/resize", "{\"sizeGib\":\"2\"}", 400, "sizeGib" },
        { "DELETE", Volumes + "/" + NoId, null, 404, null },
        { "GET", "/api/v1/projects/" + NoId + "/volumes", null, 404, null },
        { "GET", "/api/v1/operations?volume=x", null, 400, "volume" },
        { "POST", "/api/v1/storage-classes", "{}", 400, "name" },
        { "POST", "/api/v1/storage-classes", "{\"name\":\"a\",\"limits\":{\"readIops\":1}}", 400, "limits.readIops" },
        { "POST", "/api/v1/storage-classes", "{\"name\":\"a\",\"limits\":{\"readIops\":\"fast\"}}", 400, "limits.readIops" },
        { "POST", "/api/v1/storage-classes", "{\"name\":\"a\",\"needs\":{\"medium\":\"tape\"}}", 400, "needs.medium" },
        { "POST", "/api/v1/storage-classes", "{\"name\":\"a\",\"needs\":{\"medium\":\"unknown\"}}", 400, "needs.medium" },
        { "PATCH", "/api/v1/storage-classes/" + NoId, "{\"needs\":{}}", 400, "needs" },
        { "PATCH", "/api/v1/storage-classes/" + NoId, "{\"limits\":{\"burstSeconds\":0,\"burstPercent\":200,\"readIops\":100}}", 404, null },
        { "GET", "/api/v1/storage-classes/x", null, 400, "storageClass" },
        { "GET", "/api/v1/storage-classes/" + NoId + "/hosts", null, 404, null },
        { "DELETE", "/api/v1/storage-classes/" + NoId, null, 404, null },
        { "GET", "/api/v1/hosts/x", null, 400, "host" },
        { "GET", "/api/v1/hosts/" + NoId, null, 404, null },
        { "GET", "/api/v1/hosts?state=happy", null, 400, "state" },
        { "GET", "/api/v1/hosts/" + NoId + "/metrics", null, 404, null },
        { "POST", "/api/v1/hosts/" + NoId + "/adopt", null, 404, null },
        { "POST", "/api/v1/hosts/" + NoId + "/retire", "{\"now\":true}", 400, "now" },
        { "POST", "/api/v1/hosts/" + NoId + "/retire", null, 404, null },
        { "GET", "/api/v1/images/x", null, 400, "image" },
        { "GET", "/api/v1/images/" + NoId, null, 404, null },
        { "POST", "/api/v1/images", "{\"format\":\"exe\",\"sizeBytes\":-5,\"digest\":\"md5:1\"}", 400, "format" },
        { "PUT", "/api/v1/images/" + NoId + "/content", null, 404, null },
        { "DELETE", "/api/v1/images/" + NoId, null, 404, null },
        { "POST", "/api/v1/flavors", "{\"name\":\"'; drop table\",\"vcpus\":0}", 400, "vcpus" },
        { "DELETE", "/api/v1/flavors/" + NoId, null, 404, null },
        { "DELETE", "/api/v1/flavors/x", null, 400, "flavor" },
        { "GET", "/api/v1/operations/x", null, 400, "operation" },
        { "GET", "/api/v1/operations/" + NoId, null, 404, null },
        { "GET", "/api/v1/operations?kind=dance", null, 400, "kind" },
        { "POST", "/api/v1/operations/" + NoId + "/cancel", null, 404, null },
        { "POST", "/api/v1/agents/join-tokens", "{\"validMinutes\":0}", 400, "validMinutes" },
        { "POST", "/api/v1/agents/join-tokens", "{\"validMinutes\":9999999}", 400, "validMinutes" },
        { "POST", "/api/v1/agents/join-tokens", "{\"description\":\"a\\u0007b\"}", 400, "description" },
        { "GET", "/api/v1/agents/join-tokens?cursor=x", null, 400, "cursor" },
        { "DELETE", "/api/v1/agents/join-tokens/" + NoId, null, 404, null },
        { "GET", "/api/v1/audit/proofs/inclusion?sequence=-1&size=1", null, 400, "sequence" },
        { "GET", "/api/v1/audit/proofs/inclusion", null, 400, "sequence" },
        { "GET", "/api/v1/audit/proofs/consistency?from=a&to=2", null, 400, "from" },
        { "GET", "/api/v1/overview?x=1", null, 400, "x" },
        { "GET", "/api/v1/nothing", null, 404, null },
        { "PUT", "/api/v1/hosts", null, 405, null },
    };

    [Theory]
    [MemberData(nameof(Requests))]
    public async Task Is_refused_with_a_problem_that_names_the_field(string method, string path, string? body, int status, string? field)
    {
        using var client = await console.Client();
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        if (body is not null) request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        var answer = await client.SendAsync(request);
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True((int)answer.StatusCode == status, $"{(int)answer.StatusCode}: {text}");
        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType?.MediaType);
        var problem = JsonDocument.Parse(text).RootElement;
        Assert.Equal(status, problem.GetProperty("status").GetInt32());
        Assert.NotEmpty(problem.GetProperty("code").GetString()!);
        Assert.NotEmpty(problem.GetProperty("detail").GetString()!);
        if (field is not null) Assert.Contains(problem.GetProperty("errors").EnumerateArray(), e => e.GetProperty("field").GetString() == field);
    }

    [Fact]
    public async Task Every_wrong_field_is_told_at_once()
    {
        using var client = await console.Client();
        var answer = await client.PostAsJsonAsync(Vms, new { name = "-", image = "none", vcpus = -1, memoryMib = 99999999999, diskGib = 0 });
        var fields = (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("errors").EnumerateArray().Select(e => e.GetProperty("field").GetString());
        Assert.Superset(new HashSet<string?> { "name", "image", "vcpus", "memoryMib", "diskGib" }, fields.ToHashSet());
    }

    [Theory]
    [InlineData("Idempotency-Key", "a b", 400, "Idempotency-Key")]
    [InlineData("Idempotency-Key", "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789x", 400, "Idempotency-Key")]
    public async Task Bad_headers_are_named(string header, string value, int status, string field)
    {
        using var client = await console.Client();
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/v1/flavors") { Content = JsonContent.Create(new { name = "f" }) };
        request.Headers.TryAddWithoutValidation(header, value);
        var answer = await client.SendAsync(request);
        Assert.Equal(status, (int)answer.StatusCode);
        Assert.Contains(field, await answer.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task If_match_of_another_form_is_named()
    {
        using var client = await console.Client();
        using var request = new HttpRequestMessage(HttpMethod.Delete, $"{Vms}/{NoId}");
        request.Headers.TryAddWithoutValidation("If-Match", "\"seven\"");
        var answer = await client.SendAsync(request);
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Contains("If-Match", await answer.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task Other_media_types_and_huge_bodies_are_refused()
    {
        using var client = await console.Client();
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, (await client.PostAsync(Vms, new StringContent("<vm/>", Encoding.UTF8, "application/xml"))).StatusCode);
        var huge = await client.PostAsync(Vms, new StringContent("{\"userData\":\"" + new string('x', 2 * 1024 * 1024) + "\"}", Encoding.UTF8, "application/json"));
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, huge.StatusCode);
        Assert.Equal("application/problem+json", huge.Content.Headers.ContentType?.MediaType);
    }

    [Fact]
    public async Task A_key_used_again_gives_the_same_flavor()
    {
        using var client = await console.Client();
        var key = Guid.NewGuid().ToString();
        async Task<(HttpStatusCode, string?)> Make()
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "/api/v1/flavors") { Content = JsonContent.Create(new { name = "once-" + key[..8], vcpus = 1, memoryMib = 512, diskGib = 1 }) };
            request.Headers.Add("Idempotency-Key", key);
            var answer = await client.SendAsync(request);
            return (answer.StatusCode, answer.Headers.Location?.ToString());
        }
        var first = await Make();
        Assert.Equal(HttpStatusCode.Created, first.Item1);
        Assert.Equal(first.Item2, (await Make()).Item2);
    }
}
