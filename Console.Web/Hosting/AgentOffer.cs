using System.ComponentModel;
using System.Diagnostics;
using System.Security.Cryptography;
using Plinth.Core.Primitives;
using Plinth.Web.Application.Agents;
using Plinth.Web.Options;

namespace Plinth.Web.Hosting;

/// <summary>The executable that the settings name. It is asked for its version, and read anew when its file is another one.</summary>
internal sealed class AgentOffer(ConsoleOptions options) : IAgentOffer, IDisposable
{
    private static readonly TimeSpan AnswersWithin = TimeSpan.FromSeconds(20);

    private readonly SemaphoreSlim _one = new(1);
    private (DateTime WrittenAt, long SizeBytes) _seen;
    private OfferedAgent? _offered;

    public async Task<Result<OfferedAgent>> Read(CancellationToken stop)
    {
        if (options.Agents.Executable is not { } configured) return Refusal.Conflict("no_agent_executable", "This console hands out no agent: Plinth:Agents:Executable names the file to hand out.");
        var file = new FileInfo(Path.GetFullPath(configured));
        await _one.WaitAsync(stop);
        try
        {
            if (!file.Exists) return Refusal.Conflict("no_agent_executable", $"{file.FullName}, which Plinth:Agents:Executable names, is not there.");
            var now = (file.LastWriteTimeUtc, file.Length);
            if (_offered is { } known && _seen == now) return known;
            var answer = await Look(file, stop);
            (_offered, _seen) = (answer.Succeeded ? answer.Value : null, now);
            return answer;
        }
        finally
        {
            _one.Release();
        }
    }

    public void Dispose() => _one.Dispose();

    private static async Task<Result<OfferedAgent>> Look(FileInfo file, CancellationToken stop)
    {
        string digest;
        await using (var bytes = file.OpenRead()) digest = "sha256:" + Convert.ToHexStringLower(await SHA256.HashDataAsync(bytes, stop));
        try
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
            limit.CancelAfter(AnswersWithin);
            using var agent = Process.Start(new ProcessStartInfo(file.FullName, "--version") { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true })!;
            try
            {
                var said = (await agent.StandardOutput.ReadToEndAsync(limit.Token)).Trim();
                await agent.WaitForExitAsync(limit.Token);
                return agent.ExitCode == 0 && Version.TryParse(said, out _) ? new OfferedAgent(said, digest, file.Length, file.FullName) : Unclear(file, "it does not say one");
            }
            catch (OperationCanceledException) when (!stop.IsCancellationRequested)
            {
                agent.Kill();
                return Unclear(file, $"it does not answer within {AnswersWithin.TotalSeconds:0} s");
            }
        }
        catch (Win32Exception e)
        {
            return Unclear(file, e.Message);
        }
    }

    private static Refusal Unclear(FileInfo file, string why) =>
        Refusal.Conflict("agent_version_unknown", $"The version of {file.FullName}, which Plinth:Agents:Executable names, is not known: {why}. Is it the agent, and may this server run it?");
}
