using System.Diagnostics;
using Plinth.Agents.Machines;

namespace Plinth.Agents.Network;

/// <summary>Runs the host's own network tools. What they say no to is a refusal with their words.</summary>
/// <param name="inside">What leads into the host where the agent stands outside of it, as in the lab; empty on a host.</param>
internal sealed class HostShell(IReadOnlyList<string> inside)
{
    // ip and nft answer in milliseconds; on a very busy host in seconds.
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);

    /// <summary>Runs a script by <c>sh</c>; variables are set before it and quoted, so that none of them becomes a word of the script.</summary>
    public Task<string> Script(string what, string script, IReadOnlyDictionary<string, string> variables, CancellationToken stop) =>
        Run(what, ["sh", "-s"], string.Concat(variables.Select(v => $"{v.Key}='{v.Value.Replace("'", "'\\''")}'\n")) + script, stop);

    public async Task<string> Run(string what, IReadOnlyList<string> command, string input, CancellationToken stop)
    {
        string[] words = [.. inside, .. command];
        var start = new ProcessStartInfo(words[0], words[1..]) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(stop);
        deadline.CancelAfter(Deadline);
        try
        {
            using var process = Process.Start(start)!;
            try
            {
                var (output, errors) = (process.StandardOutput.ReadToEndAsync(deadline.Token), process.StandardError.ReadToEndAsync(deadline.Token));
                try
                {
                    await process.StandardInput.WriteAsync(input.AsMemory(), deadline.Token);
                    process.StandardInput.Close();
                }
                catch (IOException)
                {
                    // It ended before it had read everything; its exit code and words say why.
                }
                await process.WaitForExitAsync(deadline.Token);
                var (said, complained) = (await output, (await errors).Trim());
                return process.ExitCode == 0 ? said : throw Failed(what, complained.Length > 0 ? complained : $"{words[0]} ended with {process.ExitCode}");
            }
            catch (OperationCanceledException)
            {
                process.Kill(entireProcessTree: true);
                stop.ThrowIfCancellationRequested();
                throw Failed(what, $"{command[0]} did not end within {Deadline.TotalSeconds:0} s");
            }
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            throw Failed(what, $"{words[0]} cannot be run ({e.Message})");
        }
    }

    internal static string Read(string resource)
    {
        using var stream = typeof(HostShell).Assembly.GetManifestResourceStream(resource) ?? throw new InvalidOperationException($"the agent lacks its script {resource}");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }

    private static HypervisorException Failed(string what, string why) => new("network_failed", $"{what}: {(why.Length > 300 ? why[..300] + "…" : why).ReplaceLineEndings(" ")}");
}
