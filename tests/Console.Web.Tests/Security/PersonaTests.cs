using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.Extensions.DependencyInjection;
using Plinth.Core.Identity;
using Plinth.Core.Machines;
using Plinth.Core.Network;
using Plinth.Core.Operations;
using Plinth.Core.Primitives;
using Plinth.Core.Storage;
using Plinth.Web.Application.Machines;
using Plinth.Web.Persistence;
using Plinth.Web.Persistence.Rows;
using Plinth.Web.Tests.Persistence;
using Plinth.Web.Tests.Serving;

namespace Plinth.Web.Tests.Security;

/// <summary>A console with two tenants and somebody in every role.</summary>
public sealed class TenantsConsole : IAsyncLifetime
{
    /// <summary>What nobody of the other tenant may ever read.</summary>
    public const string Organization = "acme-secret", Project = "alpha-secret", Vm = "vm-secret", Volume = "volume-secret", Network = "network-secret", HostName = "kvm-secret-7";

    /// <summary>Each with the role that they have, and where.</summary>
    public static readonly (string Name, string? Role, string? Organization, string? Project)[] People =
    [
        ("other-tenant", "organization-admin", "rivals", null),
        ("nobody", null, null, null),
        ("viewer", "project-viewer", null, Project),
        ("member", "project-member", null, Project),
        ("organization-admin", "organization-admin", Organization, null),
        ("operator-2", "platform-operator", null, null),
        ("auditor", "auditor", null, null),
        ("screen", "wall-screen", null, null),
        ("admin-2", "platform-admin", null, null),
    ];

    public ServedConsole Console { get; } = new();
    public Dictionary<string, HttpClient> Clients { get; } = [];
    public Dictionary<string, string> Ids { get; } = [];
    public List<(string Method, string Path, string Permission)> Operations { get; } = [];

    /// <summary>What an operation asks for behind the question mark, as far as there is no default.</summary>
    public Dictionary<(string Method, string Path), string> Queries { get; } = [];

    public async Task InitializeAsync()
    {
        await Console.InitializeAsync();
        using var admin = await Console.Client();
        foreach (var name in new[] { Organization, "rivals" }) await Post(admin, "organizations", new { name });
        Ids["project"] = (await Post(admin, "projects", new { name = Project, organization = Organization })).GetProperty("id").GetString()!;
        await Post(admin, "projects", new { name = "beta", organization = "rivals" });
        Ids["organization"] = (await admin.GetFromJsonAsync<JsonElement>($"/api/v1/organizations/{Organization}")).GetProperty("id").GetString()!;
        await Console.App.Services.GetRequiredService<IConsoleStore>().Write(Fill);
        foreach (var (name, role, organization, project) in People)
        {
            // Everybody is invited with a role; that of nobody is taken away again.
            var invited = await Post(admin, "users", new { name, role = role ?? "project-viewer", organization, project = role is null ? "beta" : project });
            var browser = Console.Anonymous(cookies: true);
            var answer = await browser.PostAsync("/sign-in", new FormUrlEncodedContent([new("link", invited.GetProperty("path").GetString()!)]));
            Assert.Equal(HttpStatusCode.Found, answer.StatusCode);
            Clients[name] = browser;
            var user = invited.GetProperty("user").GetProperty("id").GetString()!;
            var binding = (await admin.GetFromJsonAsync<JsonElement>($"/api/v1/role-bindings?subject={user}")).GetProperty("items")[0].GetProperty("id").GetString()!;
            if (role is null) Assert.Equal(HttpStatusCode.NoContent, (await admin.DeleteAsync($"/api/v1/role-bindings/{binding}")).StatusCode);
            if (name == "member") (Ids["user"], Ids["binding"]) = (user, binding);
        }
        // Tokens: of the admin, limited to seeing one project; and ones whose time is over or that were revoked.
        (Clients["reading-token"], _) = await Token("admin-2", new { name = "reads", days = 1, role = "project-viewer", project = Ids["project"] });
        (Clients["revoked-token"], var revoked) = await Token("admin-2", new { name = "revoked", days = 1 });
        Assert.Equal(HttpStatusCode.NoContent, (await Clients["admin-2"].DeleteAsync($"/api/v1/me/tokens/{revoked}")).StatusCode);
        (Clients["expired-token"], var expired) = await Token("admin-2", new { name = "expired", days = 1 });
        await Console.App.Services.GetRequiredService<IConsoleStore>().Write(async scope => (await scope.Db.Sessions.FindAsync(new SessionId(Guid.Parse(expired))))!.ExpiresAt = scope.Now);
        Clients["anonymous"] = Console.Anonymous();
        Clients["made-up-token"] = Console.Anonymous();
        Clients["made-up-token"].DefaultRequestHeaders.Authorization = new("Bearer", "eyJhbGciOiJub25lIn0.e30.");

        using var stranger = Console.Anonymous();
        var document = await stranger.GetFromJsonAsync<JsonElement>("/openapi/v1.json");
        foreach (var path in document.GetProperty("paths").EnumerateObject())
            foreach (var operation in path.Value.EnumerateObject().Where(o => o.Name is "get" or "post" or "put" or "patch" or "delete"))
            {
                string[] asked = [.. operation.Value.TryGetProperty("parameters", out var parameters) ? parameters.EnumerateArray().Where(p => p.GetProperty("in").GetString() == "query").Select(p => p.GetProperty("name").GetString()!) : []];
                Queries[(operation.Name.ToUpperInvariant(), path.Name)] = string.Join('&', asked.Where(a => a is "sequence" or "size" or "from" or "to" or "at").Select(a => a == "at" ? $"at={Uri.EscapeDataString(DateTimeOffset.UtcNow.ToString("O"))}" : $"{a}=1"));
                Operations.Add((operation.Name.ToUpperInvariant(), path.Name, operation.Value.TryGetProperty("x-plinth-permission", out var p) ? p.GetString()! : ""));
            }
    }

    public async Task DisposeAsync()
    {
        foreach (var client in Clients.Values) client.Dispose();
        await Console.DisposeAsync();
    }

    private async Task<(HttpClient Client, string Id)> Token(string of, object request)
    {
        var made = await Post(Clients[of], "me/tokens", request);
        var client = Console.Anonymous();
        client.DefaultRequestHeaders.Authorization = new("Bearer", made.GetProperty("secret").GetString());
        return (client, made.GetProperty("token").GetProperty("id").GetString()!);
    }

    private async Task<int> Fill(WriteScope scope)
    {
        var (now, project) = (scope.Now, new ProjectId(Guid.Parse(Ids["project"])));
        var host = Sample.Host(now, HostName);
        var vm = Sample.Vm(now, Vm);
        (vm.Project, vm.Host, vm.StateReason, vm.State) = (project, host.Id, $"Runs on {HostName}.", VmState.Failed);
        vm.Snapshots = [new VmSnapshot(SnapshotId.New(now), "before", false, 1, 512, SnapshotState.Available, "", now, "member")];
        var network = new NetworkRow { Id = NetworkId.New(now), Project = project, Name = Network, Kind = NetworkKind.Vxlan, Cidr = "10.99.0.0/24", Vni = 77, CreatedAt = now };
        var volume = new VolumeRow { Id = VolumeId.New(now), Project = project, Name = Volume, Host = host.Id, SizeGib = 1, StorageClass = "default", State = VolumeState.Available, StateReason = $"On {HostName}.", CreatedAt = now, UpdatedAt = now, CreatedBy = "member" };
        var operation = MachineRows.Row(OperationProgress.Begin(OperationKind.StartVm, "member", Generation.None, 1, now), OperationId.New(now), vm, "member", 60);
        (operation.State, operation.Reason, operation.EndedAt) = (OperationState.Failed, $"{HostName} did not answer.", now);
        scope.Db.AddRange(host, vm, network, volume, operation);
        scope.Audit(new Principal(PrincipalKind.User, "m", "member"), "192.0.2.55", "vm.start", $"vm/{vm.Id}", project, AuditOutcomes.Done, $"{Vm} on {HostName}");
        (Ids["vm"], Ids["network"], Ids["volume"], Ids["operation"], Ids["host"], Ids["snapshot"], Ids["mac"]) =
            (vm.Id.ToString(), network.Id.ToString(), volume.Id.ToString(), operation.Id.ToString(), host.Id.ToString(), vm.Snapshots[0].Id.ToString(), vm.Nics[0].Mac);
        return await Task.FromResult(0);
    }

    private static async Task<JsonElement> Post(HttpClient client, string path, object body)
    {
        var answer = await client.PostAsJsonAsync($"/api/v1/{path}", body);
        Assert.True(answer.IsSuccessStatusCode, $"{path}: {await answer.Content.ReadAsStringAsync()}");
        return await answer.Content.ReadFromJsonAsync<JsonElement>();
    }
}

/// <summary>
/// Every operation of the API as everybody, generated from its own description: an endpoint is covered on the day it is born. What is asked for is
/// what the description says that it needs; the expected answer follows from the roles.
/// </summary>
public sealed partial class PersonaTests(TenantsConsole tenants) : IClassFixture<TenantsConsole>
{
    /// <summary>Lists that hold what the caller may read, and are open to whoever may read anything in them.</summary>
    private static readonly string[] Filtered =
        ["/organizations", "/projects", "/operations", "/operations.csv", "/operations/watch", "/search", "/audit", "/roles", "/role-bindings", "/users", "/quota-requests", "/access/reach"];

    [Fact]
    public void Every_operation_says_which_permission_it_needs()
    {
        Assert.True(tenants.Operations.Count > 100, $"{tenants.Operations.Count} operations");
        Assert.All(tenants.Operations, o => Assert.Contains(o.Permission, Permissions.All));
    }

    [Theory]
    [InlineData("anonymous")]
    [InlineData("made-up-token")]
    [InlineData("expired-token")]
    [InlineData("revoked-token")]
    public async Task Nobody_comes_in_unknown(string persona)
    {
        foreach (var (method, path, _) in tenants.Operations)
            Assert.True((await Ask(persona, method, path, real: true)).Status == HttpStatusCode.Unauthorized, $"{method} {path}");
    }

    public static TheoryData<string> Personas() => new([.. TenantsConsole.People.Select(p => p.Name), "reading-token"]);

    [Theory]
    [MemberData(nameof(Personas))]
    public async Task Everybody_is_answered_as_their_role_says(string persona)
    {
        var wrong = new List<string>();
        foreach (var (method, path, permission) in tenants.Operations)
        {
            var expected = Expected(persona, path, permission);
            // What is allowed is not done to what the other cases look at.
            var (status, body) = await Ask(persona, method, path, real: expected != Answer.Done || method == "GET");
            var code = Code(body);
            var ok = expected switch
            {
                Answer.Forbidden => status == HttpStatusCode.Forbidden && code == "forbidden" && (body.Contains($"needs {permission}", StringComparison.Ordinal) || (permission == Permissions.OperationCancel && body.Contains("needs operation.read", StringComparison.Ordinal))),
                Answer.NotThere => status == HttpStatusCode.NotFound,
                _ => status is not (HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden) && (int)status < 500 && code is not ("project_not_found" or "organization_not_found"),
            };
            if (!ok) wrong.Add($"{method} {path} ({permission}): expected {expected}, was {(int)status} {(body.Length > 200 ? body[..200] : body)}");
        }
        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
    }

    /// <summary>The same words for what is another's and for what does not exist.</summary>
    [Theory]
    [InlineData("other-tenant")]
    [InlineData("nobody")]
    public async Task What_is_not_yours_is_not_there(string persona)
    {
        foreach (var (method, path, permission) in tenants.Operations.Where(o => Expected(persona, o.Path, o.Permission) == Answer.NotThere))
        {
            var (status, body) = await Ask(persona, method, path, real: true);
            var (none, nothing) = await Ask(persona, method, path, real: false, strangeProject: true);
            Assert.True(status == none && Masked(body) == Masked(nothing), $"{method} {path} ({permission}):\n{body}\n{nothing}");
        }
    }

    [Theory]
    [InlineData("other-tenant")]
    [InlineData("nobody")]
    public async Task Nothing_of_another_tenant_is_in_any_answer(string persona)
    {
        string[] secrets = [TenantsConsole.Organization, TenantsConsole.Project, TenantsConsole.Vm, TenantsConsole.Volume, TenantsConsole.Network, TenantsConsole.HostName, "192.0.2.55", .. tenants.Ids.Values];
        foreach (var (method, path, _) in tenants.Operations.Where(o => o.Method == "GET" && !o.Path.EndsWith("/watch", StringComparison.Ordinal)))
            foreach (var query in path.EndsWith("/search", StringComparison.Ordinal) ? new[] { "?q=secret", $"?q={tenants.Ids["vm"]}", $"?q={tenants.Ids["operation"]}" } : [""])
            {
                var (status, body) = await Ask(persona, method, path, real: false, strangeProject: true, query: query);
                foreach (var secret in secrets) Assert.False(body.Contains(secret, StringComparison.Ordinal) && !query.Contains(secret, StringComparison.Ordinal), $"{path}{query} ({status}) says {secret}: {body}");
            }
    }

    [Theory]
    [InlineData("viewer")]
    [InlineData("member")]
    [InlineData("organization-admin")]
    public async Task A_tenant_is_told_of_no_host(string persona)
    {
        foreach (var (method, path, permission) in tenants.Operations.Where(o => o.Method == "GET" && !o.Path.EndsWith("/watch", StringComparison.Ordinal)))
        {
            var (status, body) = await Ask(persona, method, path, real: true, query: path.EndsWith("/search", StringComparison.Ordinal) ? "?q=secret" : "");
            Assert.False(body.Contains(TenantsConsole.HostName, StringComparison.Ordinal), $"{method} {path} ({status}, {permission}): {body}");
            if (!path.Contains("{host}", StringComparison.Ordinal)) Assert.False(body.Contains(tenants.Ids["host"], StringComparison.Ordinal), $"{method} {path} ({status}): {body}");
        }
        var vm = JsonDocument.Parse((await Ask(persona, "GET", "/api/v1/projects/{project}/vms/{vm}", real: true)).Body).RootElement;
        Assert.Equal("Runs on a host.", vm.GetProperty("stateReason").GetString());
        Assert.Equal(JsonValueKind.Null, vm.GetProperty("host").ValueKind);
    }

    [Fact]
    public async Task A_role_that_is_taken_away_counts_at_once_and_so_does_one_that_is_given()
    {
        using var admin = await tenants.Console.Client();
        var invited = await (await admin.PostAsJsonAsync("/api/v1/users", new { name = "come-and-go", role = "project-viewer", project = TenantsConsole.Project })).Content.ReadFromJsonAsync<JsonElement>();
        var user = invited.GetProperty("user").GetProperty("id").GetString();
        using var browser = tenants.Console.Anonymous(cookies: true);
        await browser.PostAsync("/sign-in", new FormUrlEncodedContent([new("link", invited.GetProperty("path").GetString()!)]));
        var vm = $"/api/v1/projects/{TenantsConsole.Project}/vms/{tenants.Ids["vm"]}";
        Assert.Equal(HttpStatusCode.OK, (await browser.GetAsync(vm)).StatusCode);
        var binding = (await admin.GetFromJsonAsync<JsonElement>($"/api/v1/role-bindings?subject={user}")).GetProperty("items")[0].GetProperty("id").GetString();
        await admin.DeleteAsync($"/api/v1/role-bindings/{binding}");
        Assert.Equal(HttpStatusCode.NotFound, (await browser.GetAsync(vm)).StatusCode);
        await admin.PostAsJsonAsync("/api/v1/role-bindings", new { subject = "come-and-go", role = "project-viewer", organization = TenantsConsole.Organization });
        Assert.Equal(HttpStatusCode.OK, (await browser.GetAsync(vm)).StatusCode);
        await admin.PostAsJsonAsync($"/api/v1/users/{user}/disable", new { });
        Assert.NotEqual(HttpStatusCode.OK, (await browser.GetAsync(vm)).StatusCode);
    }

    [Fact]
    public async Task A_watch_tells_of_ones_own_only_and_ends_with_the_role()
    {
        using var admin = await tenants.Console.Client();
        var invited = await (await admin.PostAsJsonAsync("/api/v1/users", new { name = "watcher", role = "project-viewer", project = "beta" })).Content.ReadFromJsonAsync<JsonElement>();
        using var browser = tenants.Console.Anonymous(cookies: true);
        await browser.PostAsync("/sign-in", new FormUrlEncodedContent([new("link", invited.GetProperty("path").GetString()!)]));
        using var answer = await browser.GetAsync("/api/v1/operations/watch", HttpCompletionOption.ResponseHeadersRead);
        using var lines = new StreamReader(await answer.Content.ReadAsStreamAsync());
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        await lines.ReadLineAsync(deadline.Token);

        var beta = Guid.Parse((await admin.GetFromJsonAsync<JsonElement>("/api/v1/projects/beta")).GetProperty("id").GetString()!);
        var theirs = new OperationId(Guid.Parse(tenants.Ids["operation"]));
        var store = tenants.Console.App.Services.GetRequiredService<IConsoleStore>();
        var own = await store.Write(async scope =>
        {
            var seen = await scope.Db.Operations.FindAsync(theirs);
            seen!.Reason += ".";
            var row = new OperationRow { Id = OperationId.New(scope.Now), Kind = OperationKind.StartVm, Project = new ProjectId(beta), Target = "mine", State = OperationState.Succeeded, Steps = seen.Steps, StartedBy = "x", CreatedAt = scope.Now, EndedAt = scope.Now };
            scope.Db.Add(row);
            return row.Id;
        });
        var told = new StringBuilder();
        while (await lines.ReadLineAsync(deadline.Token) is { } line)
        {
            told.AppendLine(line);
            if (line.Contains(own.ToString(), StringComparison.Ordinal)) break;
        }
        Assert.DoesNotContain(theirs.ToString(), told.ToString());

        var binding = (await admin.GetFromJsonAsync<JsonElement>("/api/v1/role-bindings?subject=watcher")).GetProperty("items")[0].GetProperty("id").GetString();
        await admin.DeleteAsync($"/api/v1/role-bindings/{binding}");
        while (await lines.ReadLineAsync(deadline.Token) is not null)
        {
        }
        Assert.Equal(HttpStatusCode.Forbidden, (await browser.GetAsync("/api/v1/operations/watch")).StatusCode);
    }

    private enum Answer { Done, Forbidden, NotThere }

    private Answer Expected(string persona, string path, string permission)
    {
        // The token of an admin that is limited to seeing the project is somebody who sees the project, and has no account of its own.
        var limited = persona == "reading-token";
        var (_, role, organization, project) = limited ? ("", "project-viewer", null, TenantsConsole.Project) : TenantsConsole.People.Single(p => p.Name == persona);
        if (Permissions.IsOwn(permission)) return limited && permission == Permissions.Account ? Answer.Forbidden : Answer.Done;
        var (acme, alpha) = (new OrganizationId(Guid.Parse(tenants.Ids["organization"])), new ProjectId(Guid.Parse(tenants.Ids["project"])));
        var at = project is not null ? Scope.Of(acme, alpha) : organization == TenantsConsole.Organization ? Scope.Of(acme) : organization is not null ? Scope.Of(OrganizationId.New(DateTimeOffset.UnixEpoch)) : Scope.Platform;
        var rights = new Rights(new Principal(PrincipalKind.User, persona, persona), role is null ? [] : [new Grant(Roles.BuiltIn.Single(r => r.Name == role), at, "there")], DateTimeOffset.UnixEpoch);
        var about = path.Replace("/api/v1", "", StringComparison.Ordinal);
        if (about.Contains("{project}", StringComparison.Ordinal) || about is "/operations/{operation}" or "/operations/{operation}/cancel")
        {
            if (about.StartsWith("/operations", StringComparison.Ordinal) && !rights.Has(Permissions.OperationRead, Scope.Of(acme, alpha)))
                return rights.ReachOf(Permissions.OperationRead).IsEmpty ? Answer.Forbidden : Answer.NotThere;
            return !rights.Sees(Scope.Of(acme, alpha)) ? Answer.NotThere : rights.Has(permission, Scope.Of(acme, alpha)) ? Answer.Done : Answer.Forbidden;
        }
        if (about.Contains("{organization}", StringComparison.Ordinal)) return !rights.Sees(Scope.Of(acme)) && project is null ? Answer.NotThere : rights.Has(permission, Scope.Of(acme)) || (permission == Permissions.ProjectRead && project is not null) ? Answer.Done : Answer.Forbidden;
        if (about == "/role-bindings/{binding}") return !rights.Has(Permissions.AccessRead, Scope.Of(acme, alpha)) ? Answer.NotThere : rights.Has(permission, Scope.Of(acme, alpha)) ? Answer.Done : Answer.Forbidden;
        if (Filtered.Contains(about) && (permission.EndsWith(".read", StringComparison.Ordinal) || about == "/quota-requests")) return rights.ReachOf(permission).IsEmpty ? Answer.Forbidden : Answer.Done;
        // Without a body, it would be in the organization default.
        if (about == "/projects") return rights.Has(permission, Scope.Platform) ? Answer.Done : rights.Sees(Scope.Platform) ? Answer.Forbidden : Answer.NotThere;
        return rights.Has(permission, Scope.Platform) ? Answer.Done : Answer.Forbidden;
    }

    private async Task<(HttpStatusCode Status, string Body)> Ask(string persona, string method, string path, bool real, bool strangeProject = false, string query = "")
    {
        var url = Holes().Replace(path, hole => hole.Groups[1].Value switch
        {
            "project" or "organization" when !strangeProject => tenants.Ids[hole.Groups[1].Value],
            var name => real && tenants.Ids.TryGetValue(name, out var id) ? id : Guid.NewGuid().ToString(),
        });
        if (query.Length == 0 && tenants.Queries[(method, path)] is { Length: > 0 } asked) query = "?" + asked;
        using var request = new HttpRequestMessage(new HttpMethod(method), url + query);
        if (method is "POST" or "PUT" or "PATCH") request.Content = url.EndsWith("/content", StringComparison.Ordinal) ? new ByteArrayContent([1]) { Headers = { ContentType = new("application/octet-stream") } } : new StringContent("{}", Encoding.UTF8, "application/json");
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        using var answer = await tenants.Clients[persona].SendAsync(request, HttpCompletionOption.ResponseHeadersRead, patience.Token);
        return (answer.StatusCode, answer.Content.Headers.ContentType?.MediaType == "text/event-stream" ? "" : await answer.Content.ReadAsStringAsync(patience.Token));
    }

    private static string Code(string body)
    {
        try
        {
            return JsonDocument.Parse(body).RootElement is { ValueKind: JsonValueKind.Object } root && root.TryGetProperty("code", out var code) ? code.GetString() ?? "" : "";
        }
        catch (JsonException)
        {
            return "";
        }
    }

    private static string Masked(string body) => Variable().Replace(body, "*");

    [GeneratedRegex(@"\{([^}]+)\}")]
    private static partial Regex Holes();

    [GeneratedRegex(@"[0-9a-f]{8}-[0-9a-f-]{27}|""(?:traceId|requestId|instance)"":""[^""]*""|[0-9a-f]{32}")]
    private static partial Regex Variable();
}
