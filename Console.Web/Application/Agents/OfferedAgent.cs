using Plinth.Core.Primitives;

namespace Plinth.Web.Application.Agents;

/// <summary>The agent's executable that this server hands out.</summary>
/// <param name="Version">What the executable says of itself.</param>
/// <param name="Digest">"sha256:" + 64 hex digits.</param>
/// <param name="Path">Where it lies on this server.</param>
public sealed record OfferedAgent(string Version, string Digest, long SizeBytes, string Path);

/// <summary>Knows the executable to hand out. The file may be replaced at any time by an update.</summary>
public interface IAgentOffer
{
    /// <summary>The executable as it is now, or why there is none.</summary>
    Task<Result<OfferedAgent>> Read(CancellationToken stop);
}
