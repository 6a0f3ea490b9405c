using System.Diagnostics;
using System.Text.Json;
using Microsoft.Playwright;
using Plinth.EndToEnd.Tests.Lab;

namespace Plinth.Benchmarks;

/// <summary>
/// What an open list of VMs costs its viewer: the real server, simulated VMs that are stopped and started all the time, and the
/// frames that Chromium receives on the page's circuit, decompressed.
/// </summary>
public static class LiveListBenchmark
{
    /// <summary>A start and a stop change their row twice each, so 13 of both in a second make about 50 changes.</summary>
    private const int Hosts = 4, Vms = 100, PerSecond = 13;
    private const int RowHeight = 56;
    private static readonly TimeSpan Warm = TimeSpan.FromSeconds(10), Window = TimeSpan.FromSeconds(30);

    public static async Task Run()
    {
        var data = Path.Combine(Path.GetTempPath(), "plinth-bench-" + Guid.NewGuid().ToString("N")[..8]);
        try
        {
            await using var console = new PlinthConsole(null, Path.Combine(data, "console"), 18800, "127.0.0.1:18843", 18844, Hosts);
            await console.Start();
            await using var agents = RunningProgram.Start(Repository.Agent, ["simulate", "--hosts", Hosts.ToString(), "--join-file", console.SimulatedJoinFile, "--data", Path.Combine(data, "agents")]);
            await console.ReadyHosts(Hosts);
            for (var i = 0; i < Vms; i++) await console.Post("projects/default/vms", new { name = $"vm-{i}", image = "plinth-guest", flavor = "tiny" });
            await Wait.Until($"{Vms} running VMs", async () => (await console.Get("projects/default/vms?state=running&limit=1")).GetProperty("total").GetInt64() == Vms);

            using var playwright = await Playwright.CreateAsync();
            await using var chromium = await playwright.Chromium.LaunchAsync(new() { ExecutablePath = Browser.Executable, Args = Browser.Arguments });
            var context = await chromium.NewContextAsync(new()
            {
                StorageState = await Browser.SignIn(chromium, console.SignInLink!),
                ViewportSize = new() { Width = 1440, Height = 400 + (Vms * RowHeight) },
            });
            var page = await context.NewPageAsync();
            var received = await Received.On(page);
            await Browser.Go(page, console.Http.BaseAddress + "projects/default/vms");
            await page.Locator("table.vms .state").Nth(Vms - 1).WaitForAsync();
            await page.EvaluateAsync(CountChangedRows);

            Figures.Head($"List of {Vms} VMs, all visible, one viewer");
            await Idle(received);
            using var stop = new CancellationTokenSource();
            var churn = Churn(console, stop.Token);
            await Task.Delay(Warm, CancellationToken.None);
            var (bytes, rows, watch) = (received.Bytes, await Changed(page), Stopwatch.StartNew());
            await Task.Delay(Window, CancellationToken.None);
            var perSecond = (received.Bytes - bytes) / 1000.0 / watch.Elapsed.TotalSeconds;
            var changes = (await Changed(page) - rows) / watch.Elapsed.TotalSeconds;
            await stop.CancelAsync();
            await churn;
            Figures.Row("row changes", changes, "1/s");
            Figures.Row("received", perSecond, "KB/s");
            Figures.Row("received, for 50 row changes a second", perSecond * 50 / changes, "KB/s", 10);
        }
        finally
        {
            if (Directory.Exists(data)) Directory.Delete(data, recursive: true);
        }
    }

    private static async Task Idle(Received received)
    {
        var (bytes, watch) = (received.Bytes, Stopwatch.StartNew());
        await Task.Delay(Warm);
        Figures.Row("received, nothing changes", (received.Bytes - bytes) / 1000.0 / watch.Elapsed.TotalSeconds, "KB/s");
    }

    /// <summary>Each second stops some of the running VMs and starts some of the stopped ones, until told to end.</summary>
    private static async Task Churn(PlinthConsole console, CancellationToken stop)
    {
        using var second = new PeriodicTimer(TimeSpan.FromSeconds(1));
        while (!stop.IsCancellationRequested)
        {
            var list = await console.Get($"projects/default/vms?limit={Vms}");
            var byState = list.GetProperty("items").EnumerateArray().ToLookup(v => v.GetProperty("state").GetString(), v => v.GetProperty("id").GetString());
            await Task.WhenAll(
                Parallel.ForEachAsync(byState["running"].Take(PerSecond), async (vm, _) => await console.Post($"projects/default/vms/{vm}/stop", new { deadlineSeconds = 0 })),
                Parallel.ForEachAsync(byState["stopped"].Take(PerSecond), async (vm, _) => await console.Post($"projects/default/vms/{vm}/start")));
            await second.WaitForNextTickAsync(CancellationToken.None);
        }
    }

    /// <summary>Rows that the circuit changed, counted once for each time that the browser drew. Ages tick in the browser by themselves.</summary>
    private const string CountChangedRows = """
        () => {
          window.changedRows = 0;
          const row = node => (node.nodeType === 1 ? node : node.parentElement)?.closest("tr");
          const ticks = node => node.closest?.("time");
          new MutationObserver(records => {
            const rows = new Set(records.filter(r => !ticks(r.target)).map(r => row(r.target)));
            rows.delete(null);
            window.changedRows += rows.size;
          }).observe(document.querySelector("table.vms tbody"), { subtree: true, childList: true, characterData: true, attributes: true });
        }
        """;

    private static Task<int> Changed(IPage page) => page.EvaluateAsync<int>("window.changedRows");

    /// <summary>What the page's WebSocket delivered, as the browser's own network log counts it.</summary>
    private sealed class Received
    {
        private long _bytes;

        public long Bytes => Interlocked.Read(ref _bytes);

        public static async Task<Received> On(IPage page)
        {
            var received = new Received();
            var session = await page.Context.NewCDPSessionAsync(page);
            session.Event("Network.webSocketFrameReceived").OnEvent += (_, frame) => received.Take(frame!.Value.GetProperty("response"));
            await session.SendAsync("Network.enable");
            return received;
        }

        private void Take(JsonElement frame)
        {
            var payload = frame.GetProperty("payloadData").GetString()!;
            var binary = frame.GetProperty("opcode").GetInt32() == 2;
            Interlocked.Add(ref _bytes, binary ? Convert.FromBase64String(payload).Length : System.Text.Encoding.UTF8.GetByteCount(payload));
        }
    }
}
