using System.ComponentModel;
using System.Diagnostics;

namespace Plinth.Agents.Upgrade;

/// <summary>
/// Runs the executable on trial as a child of the one that has run so far, which does nothing but watch it. The child confirms itself once it has a session
/// and has told the console everything; then it ends, and this process becomes that executable under its own process id. Whatever else happens, the former one goes on.
/// </summary>
/// <param name="within">How long the child may take.</param>
internal sealed class TrialRun(ExecutableKeeper keeper, string data, TimeSpan within, AgentLog log)
{
    /// <summary>Starts on busy hosts take their time; a host without an agent for longer would be called lost for no reason.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    /// <summary>A child that is asked to end has nothing more to do.</summary>
    private static readonly TimeSpan EndsWithin = TimeSpan.FromSeconds(5);

    /// <returns>Whether it was confirmed.</returns>
    public async Task<bool> Run(CancellationToken stop)
    {
        if (keeper.Trial is not { } path) return false;
        var version = keeper.State.Trial!.File.Version;
        log.Info($"version {version} is started on trial");
        Process child;
        try
        {
            // Its end of the pipe closes with this process, however that ends: it never outlives the one that watches.
            child = Process.Start(new ProcessStartInfo(path, AgentArguments.OnTrial(data, keeper.Installed)) { RedirectStandardInput = true })!;
        }
        catch (Win32Exception e)
        {
            return keeper.EndTrial($"it cannot be started: {e.Message}");
        }
        using (child)
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
            limit.CancelAfter(within);
            try
            {
                await child.WaitForExitAsync(limit.Token);
                return keeper.EndTrial($"it ended {How(child.ExitCode)} before it had told the console everything");
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                await End(child);
                throw;
            }
            catch (OperationCanceledException)
            {
                await End(child);
                return keeper.EndTrial($"it had not told the console everything within {within.TotalSeconds:0} s");
            }
        }
    }

    private static string How(int code) => code > 128 ? $"by signal {code - 128}" : $"with code {code}";

    private static async Task End(Process child)
    {
        Native.Terminate(child.Id);
        using var limit = new CancellationTokenSource(EndsWithin);
        try
        {
            await child.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            child.Kill();
            await child.WaitForExitAsync(CancellationToken.None);
        }
    }
}
