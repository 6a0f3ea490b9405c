using System.Net;
using Plinth.EndToEnd.Tests.Lab;

namespace Plinth.EndToEnd.Tests;

/// <summary><c>./start</c> as a person runs it: ready line, one-time link, clean stop, and the same data again.</summary>
public sealed class StartScriptTests : IDisposable
{
    private readonly string _data = Path.Combine(Path.GetTempPath(), "plinth-start-" + Guid.NewGuid().ToString("N")[..8]);

    public void Dispose()
    {
        if (Directory.Exists(_data)) Directory.Delete(_data, recursive: true);
    }

    [Fact]
    public async Task Start_serves_stops_and_goes_on()
    {
        using var http = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false });
        string first;
        await using (var start = Start("--simulated-hosts", "2"))
        {
            await start.Line("Plinth is ready at http://localhost:18400");
            first = Link(await start.Line("/sign-in?link="));
            using var page = await http.GetAsync(first);
            Assert.True(page.StatusCode is HttpStatusCode.OK or HttpStatusCode.Redirect or HttpStatusCode.SeeOther, page.StatusCode.ToString());
            await start.Terminate();
            Assert.Equal(0, start.ExitCode);
        }
        await using (var again = Start())
        {
            var link = Link(await again.Line("/sign-in?link="));
            Assert.NotEqual(first, link);
            await again.Terminate();
        }
    }

    [Theory]
    [InlineData("--port", "99999999")]
    [InlineData("--port", "abc")]
    [InlineData("--agent-listen", "nowhere")]
    [InlineData("--colour", "red")]
    public async Task A_wrong_option_is_named(string option, string value)
    {
        await using var start = RunningProgram.Start(Path.Combine(Repository.Root, "start"), ["--data", _data, option, value]);
        await start.End(TimeSpan.FromSeconds(30));
        Assert.NotEqual(0, start.ExitCode);
        Assert.Contains(start.Lines, l => l.Contains(option, StringComparison.Ordinal) && l.StartsWith("start: ", StringComparison.Ordinal));
    }

    private RunningProgram Start(params string[] more) => RunningProgram.Start(
        Path.Combine(Repository.Root, "start"),
        ["--yes", "--port", "18400", "--agent-listen", "127.0.0.1:18443", "--no-local-agent", "--data", _data, .. more]);

    private static string Link(string line) => line[line.IndexOf("http", StringComparison.Ordinal)..].Trim();
}
