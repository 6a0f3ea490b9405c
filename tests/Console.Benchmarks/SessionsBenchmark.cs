using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Plinth.EndToEnd.Tests.Lab;

namespace Plinth.Benchmarks;

/// <summary>Many people who are signed in at once: what a session costs in memory, and what reading it costs each request.</summary>
public static class SessionsBenchmark
{
    private const int People = 2_000, Each = 5, AtOnce = 16;

    public static async Task Run()
    {
        var data = Path.Combine(Path.GetTempPath(), "plinth-bench-" + Guid.NewGuid().ToString("N")[..8]);
        try
        {
            await using var console = new PlinthConsole(null, Path.Combine(data, "console"), 18850, "127.0.0.1:18853", 18854);
            await console.Start();
            var atFirst = ProcessUsage.Of(console.Process.Id);
            var cookies = new string[People];
            await Parallel.ForAsync(0, People, new ParallelOptions { MaxDegreeOfParallelism = AtOnce }, async (i, stop) =>
            {
                var invited = await console.Post("users", new { name = $"person-{i}", role = "project-member", project = "default" });
                using var browser = new HttpClient(PlinthConsole.Handler()) { BaseAddress = console.Http.BaseAddress };
                using var answer = await browser.PostAsync("/sign-in", new FormUrlEncodedContent([new("link", invited.GetProperty("path").GetString()!)]), stop);
                if (answer.StatusCode != HttpStatusCode.Found) throw new InvalidOperationException($"person {i} was not signed in: {(int)answer.StatusCode}");
                cookies[i] = answer.Headers.GetValues("Set-Cookie").Single().Split(';')[0];
            });
            var signedIn = ProcessUsage.Of(console.Process.Id);

            Figures.Head($"{People} people signed in at one server");
            Figures.Row("CPU of inviting and signing in, each", (signedIn.CpuSeconds - atFirst.CpuSeconds) * 1000 / People, "ms");
            var bySession = await Spent(console, i => ("Cookie", cookies[i % People]));
            var token = console.Http.DefaultRequestHeaders.Authorization!.ToString();
            var byToken = await Spent(console, _ => ("Authorization", token));
            var after = ProcessUsage.Of(console.Process.Id);
            Figures.Row("CPU of a request in a session", bySession, "ms");
            Figures.Row("CPU of the same by an API client's token", byToken, "ms");
            Figures.Row("ratio", bySession / byToken, "");
            Figures.Row("memory at first", atFirst.ResidentMib, "MiB");
            Figures.Row($"memory after {People * Each * 2} requests", after.ResidentMib, "MiB");
        }
        finally
        {
            if (Directory.Exists(data)) Directory.Delete(data, recursive: true);
        }
    }

    private static async Task<double> Spent(PlinthConsole console, Func<int, (string Name, string Value)> who)
    {
        using var http = new HttpClient(PlinthConsole.Handler()) { BaseAddress = console.Http.BaseAddress };
        var before = ProcessUsage.Of(console.Process.Id).CpuSeconds;
        await Parallel.ForAsync(0, People * Each, new ParallelOptions { MaxDegreeOfParallelism = AtOnce }, async (i, stop) =>
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "/api/v1/projects/default/vms?limit=1");
            var (name, value) = who(i);
            request.Headers.TryAddWithoutValidation(name, value);
            using var answer = await http.SendAsync(request, stop);
            answer.EnsureSuccessStatusCode();
            await answer.Content.ReadFromJsonAsync<JsonElement>(stop);
        });
        return (ProcessUsage.Of(console.Process.Id).CpuSeconds - before) * 1000 / (People * Each);
    }
}
