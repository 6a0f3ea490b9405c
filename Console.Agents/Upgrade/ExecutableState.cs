using System.Text.Json.Serialization;
using Plinth.Core.Primitives;
using Plinth.Core.Protocol;

namespace Plinth.Agents.Upgrade;

/// <param name="Version">What it says of itself.</param>
/// <param name="Digest">"sha256:" + 64 hex digits; also where it lies.</param>
internal sealed record ExecutableFile(string Version, string Digest);

/// <param name="Attempt">The command that asked for it.</param>
internal sealed record ExecutableTrial(ExecutableFile File, CommandId Attempt);

/// <summary>
/// Which executable of the agent runs: one small file, replaced as a whole, so that a crash at any moment leaves the former choice or the new one.
/// What was chosen last holds: by the console, or by whoever installed another executable on the host.
/// </summary>
/// <param name="Installed">Digest of the executable that the service, or a person, starts: the one that was there when the choice was made.</param>
/// <param name="Current">What runs.</param>
/// <param name="Previous">What ran before, and is kept.</param>
/// <param name="Trial">Fetched and verified, and not confirmed; it counts only while the current one watches it.</param>
/// <param name="Setback">The last trial, where it was put back.</param>
internal sealed record ExecutableState(string Installed, ExecutableFile Current, ExecutableFile? Previous, ExecutableTrial? Trial, AgentSetback? Setback)
{
    /// <summary>Nothing was ever chosen: the installed one runs.</summary>
    public static ExecutableState Of(ExecutableFile installed) => new(installed.Digest, installed, null, null, null);

    /// <summary>Every file that has to stay.</summary>
    public IEnumerable<ExecutableFile> Kept => new[] { Current, Previous, Trial?.File }.OfType<ExecutableFile>();

    public ExecutableState Try(ExecutableFile file, CommandId attempt) => this with { Trial = new ExecutableTrial(file, attempt), Setback = null };

    /// <summary>The one on trial runs from now on, and the current one is kept as the previous.</summary>
    public ExecutableState Confirmed() => Trial is null ? this : this with { Current = Trial.File, Previous = Current, Trial = null };

    public ExecutableState PutBack(string reason) => Trial is null ? this : this with { Trial = null, Setback = new AgentSetback(Trial.Attempt, Trial.File.Version, reason) };

    /// <summary>Somebody has started <paramref name="installed"/>: it hands over to <see cref="Current"/>, unless it is another one than there was when that was chosen.</summary>
    public ExecutableState StartedBy(ExecutableFile installed) => installed.Digest == Installed
        ? PutBack("the agent was ended while it was on trial")
        : new ExecutableState(installed.Digest, installed, Current.Digest == installed.Digest ? Previous : Current, null, null);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(ExecutableState))]
internal sealed partial class ExecutableJson : JsonSerializerContext;
