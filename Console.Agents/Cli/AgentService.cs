using System.ComponentModel;
using System.Diagnostics;

namespace Plinth.Agents.Cli;

/// <summary>The agent as the Debian package's systemd service.</summary>
internal static class AgentService
{
    private const string Unit = "plinth-agent.service";

    /// <summary>Starts it now and at each boot; what runs is started anew, with the identity that is there now.</summary>
    public static async Task Start(AgentLog log, CancellationToken stop)
    {
        await Systemctl(stop, "enable", "--quiet", Unit);
        await Systemctl(stop, "restart", Unit);
        log.Info($"{Unit} runs; its log: journalctl -u {Unit}");
    }

    private static async Task Systemctl(CancellationToken stop, params string[] words)
    {
        try
        {
            using var systemctl = Process.Start("systemctl", words);
            await systemctl.WaitForExitAsync(stop);
            if (systemctl.ExitCode != 0) throw new UsageException($"'systemctl {string.Join(' ', words)}' failed. The host has joined: with the package plinth-agent installed, run it again; or run: plinth-agent run");
        }
        catch (Win32Exception e)
        {
            throw new UsageException($"systemctl cannot be run ({e.Message}). The host has joined; run: plinth-agent run");
        }
    }
}
