using System.Text.Json.Serialization;
using Plinth.Core.Inventory;
using Plinth.Core.Machines;
using Plinth.Core.Primitives;
using Plinth.Core.Protocol;

namespace Plinth.Core.Operations;

/// <summary>How far one host is in a roll.</summary>
public enum AgentRollState
{
    /// <summary>Its turn is still to come.</summary>
    Waiting,
    /// <summary>Its agent was told, and fetches and verifies.</summary>
    Told,
    /// <summary>It is being started; the former one watches.</summary>
    Starting,
    Done,
    /// <summary>At its turn it could not be reached, or had left; it keeps what it has.</summary>
    LeftOut,
    Failed,
}

/// <summary>One host of a roll.</summary>
/// <param name="From">The version it had when the roll was asked for.</param>
/// <param name="Since">When its present state began; null while it waits.</param>
/// <param name="Detail">What is awaited, or why it ended so: goes on after the host's name.</param>
/// <param name="Lacked">Facilities that were not ready before: the new agent is not blamed for them.</param>
public sealed record AgentRollHost(
    HostId Host, string Name, string From, string To, AgentRollState State = AgentRollState.Waiting, CommandId? Command = null, DateTimeOffset? Since = null, string Detail = "", IReadOnlyList<string>? Lacked = null)
{
    [JsonIgnore]
    public bool UnderWay => State is AgentRollState.Told or AgentRollState.Starting;
    [JsonIgnore]
    public bool Ended => State is AgentRollState.Done or AgentRollState.LeftOut or AgentRollState.Failed;
}

/// <summary>Agents that are replaced, one host after the other, in this order.</summary>
/// <param name="Back">Each host goes to the previous version that it keeps.</param>
/// <param name="Digest">Of the executable that is handed out, "sha256:…"; empty for a roll back.</param>
public sealed record AgentRoll(bool Back, string Digest, long SizeBytes, IReadOnlyList<AgentRollHost> Hosts);

/// <summary>A host's agent as the console knows it now.</summary>
/// <param name="Connected">It has a session.</param>
/// <param name="Fresh">It has reported in that session.</param>
/// <param name="Version">Null before its first report.</param>
/// <param name="NotReady">Facilities of the host that are not as they should be.</param>
/// <param name="Vms">How many VMs are on the host.</param>
public sealed record AgentSighting(
    HostId Host, string Name, HostState State, bool Simulated, bool Connected, bool Fresh, string? Version, AgentExecutable? Executable, IReadOnlyList<ObservedFacility> NotReady, int Vms);

/// <summary>How a roll has ended.</summary>
public enum AgentRollEnd { Succeeded, Failed, Cancelled }

/// <summary>The roll after a look at its hosts; the same one when nothing has changed.</summary>
/// <param name="Tell">The host whose agent is to be told now: its entry carries the command's id.</param>
/// <param name="End">Null while it goes on.</param>
/// <param name="Sentence">Where it stands.</param>
public sealed record AgentRollStep(AgentRoll Roll, AgentRollHost? Tell, AgentRollEnd? End, string Sentence, int Percent);

/// <summary>
/// Which agent is replaced next, whether the last one is well, and when the roll halts. Pure and repeatable: state, sightings and clock in; state and at
/// most one host to tell out. Whatever is seen, at most one host is under way, and after a failure no other one is touched.
/// </summary>
public static class AgentRolls
{
    /// <summary>For fetching and verifying 10 MB; the command expires then.</summary>
    public static readonly TimeSpan FetchWithin = TimeSpan.FromMinutes(5);

    /// <summary>The agent itself gives a new version two minutes before it puts the former one back; both starts are on top.</summary>
    public static readonly TimeSpan StartWithin = TimeSpan.FromMinutes(5);

    /// <summary>From its return until the host is ready and has everything that it should have.</summary>
    public static readonly TimeSpan ConformWithin = TimeSpan.FromMinutes(3);

    /// <summary>Below 0: <paramref name="a"/> is older. Null where one of them is no version.</summary>
    public static int? Compare(string a, string b) => Version.TryParse(a, out var left) && Version.TryParse(b, out var right) ? left.CompareTo(right) : null;

    /// <summary>Why the host's agent is not taken to <paramref name="version"/> now; null where it is.</summary>
    public static string? WhyNotTo(AgentSighting host, string version) => WhyNot(host) ?? host.Version switch
    {
        var has when has == version => $"has {version} already",
        { } has when Compare(has, version) is > 0 => $"has {has}, which is newer than {version}; an older version comes only by going back to the previous one",
        _ => null,
    };

    /// <summary>Why the host's agent does not go back to its previous version now; null where it does.</summary>
    public static string? WhyNotBack(AgentSighting host) => WhyNot(host) ?? (host.Executable!.Previous is null ? "keeps no previous version: it was not upgraded from here" : null);

    /// <summary>A roll over <paramref name="hosts"/>, the canary first: the host with the fewest VMs.</summary>
    /// <param name="to">The version that a host is taken to.</param>
    public static AgentRoll Plan(IEnumerable<AgentSighting> hosts, Func<AgentSighting, string> to, bool back, string digest, long sizeBytes) => new(
        back, digest, sizeBytes,
        [.. hosts.OrderBy(h => h.Vms).ThenBy(h => h.Name, StringComparer.Ordinal).ThenBy(h => h.Host.Value).Select(h => new AgentRollHost(h.Host, h.Name, h.Version ?? "", to(h)))]);

    /// <param name="sees">Null for a host that is not there any more.</param>
    /// <param name="answers">What an agent answered to its command; null while it has not.</param>
    /// <param name="command">The id that a command would get now.</param>
    public static AgentRollStep Next(AgentRoll roll, bool cancelled, Func<HostId, AgentSighting?> sees, Func<CommandId, CommandOutcome?> answers, CommandId command, DateTimeOffset now)
    {
        var hosts = roll.Hosts.ToList();
        for (var i = 0; i < hosts.Count; i++)
            if (hosts[i].UnderWay) hosts[i] = Read(hosts[i], sees(hosts[i].Host), hosts[i].Command is { } id ? answers(id) : null, now);

        AgentRollHost? tell = null;
        var halted = hosts.FirstOrDefault(h => h.State == AgentRollState.Failed);
        while (halted is null && !cancelled && !hosts.Any(h => h.UnderWay) && hosts.FindIndex(h => h.State == AgentRollState.Waiting) is >= 0 and var next)
        {
            var host = hosts[next];
            var seen = sees(host.Host);
            hosts[next] = WhyNotNow(host, seen) is { } reason
                ? host with { State = AgentRollState.LeftOut, Since = now, Detail = reason }
                : tell = host with
                {
                    State = AgentRollState.Told, Command = command, Since = now, Lacked = [.. seen!.NotReady.Select(Name)],
                    Detail = roll.Back ? $"looks for its {host.To}" : $"fetches and verifies {host.To}",
                };
        }

        AgentRollEnd? end = halted is not null ? AgentRollEnd.Failed
            : hosts.Any(h => h.UnderWay) ? null
            : cancelled ? AgentRollEnd.Cancelled
            : hosts.Any(h => h.State == AgentRollState.Done) ? AgentRollEnd.Succeeded : AgentRollEnd.Failed;
        var same = hosts.SequenceEqual(roll.Hosts);
        return new AgentRollStep(same ? roll : roll with { Hosts = hosts }, tell, end, Sentence(hosts, end), 100 * hosts.Count(h => h.Ended) / Math.Max(1, hosts.Count));
    }

    /// <summary>The operation that tells of the roll, after this step of it.</summary>
    public static OperationRecord Tell(OperationRecord operation, AgentRollStep step, DateTimeOffset now)
    {
        if (operation.IsFinished) return operation;
        var steps = new StepList(operation.Steps);
        if (step.End is not { } end)
        {
            steps.Note(StepKind.AgentsReplaced, step.Sentence, step.Percent);
            return operation with
            {
                State = OperationLifecycle.Next(operation.State, OperationEvent.Started).Value,
                Steps = steps.Steps,
                Reason = operation.State == OperationState.Cancelling ? operation.Reason : step.Sentence,
            };
        }
        var (state, e) = end switch
        {
            AgentRollEnd.Succeeded => (StepState.Done, OperationEvent.Succeeded),
            AgentRollEnd.Failed => (StepState.Failed, OperationEvent.Failed),
            AgentRollEnd.Cancelled => (StepState.Skipped, OperationEvent.Undone),
            _ => throw new ArgumentOutOfRangeException(nameof(step), end, null),
        };
        if (state == StepState.Done) steps.Done(StepKind.AgentsReplaced, now, now, step.Sentence);
        else if (state == StepState.Failed) steps.Fail(StepKind.AgentsReplaced, now, step.Sentence);
        else steps.Skip(StepKind.AgentsReplaced, now, step.Sentence);
        return operation with { State = OperationLifecycle.Next(operation.State, e).Value, Steps = steps.Steps, Reason = step.Sentence, EndedAt = now };
    }

    private static string Name(ObservedFacility facility) => $"{facility.Kind} {facility.Name}";

    private static string? WhyNot(AgentSighting host) => host switch
    {
        { State: HostState.Retired } => "is retired",
        { Simulated: true } => "is simulated: its agent is the program that simulates, and is started anew by whoever runs that",
        { Version: null } => "has not reported yet",
        { Executable: null } => "has an agent that cannot replace itself: install the newer package on the host, or join it again with a new command",
        { State: not HostState.Ready } => $"is {host.State.ToString().ToLowerInvariant()}",
        { Connected: false } => "is not connected",
        _ => null,
    };

    // Its turn has come: what was so when the roll was asked for may have changed.
    private static string? WhyNotNow(AgentRollHost host, AgentSighting? seen) => seen is null ? "is not there any more" : WhyNot(seen)
        ?? (seen.Version == host.To ? $"has {host.To} already" : seen.Version != host.From ? $"has {seen.Version} by now, not {host.From}" : null);

    private static AgentRollHost Read(AgentRollHost host, AgentSighting? seen, CommandOutcome? answer, DateTimeOffset now)
    {
        if (seen is null or { State: HostState.Retired }) return Failed("left the console while its agent was replaced");
        if (seen.Executable?.Setback is { } setback && setback.Attempt == host.Command) return Failed($"{host.To} was put back: {setback.Reason}");
        if (host.State == AgentRollState.Told)
        {
            if (answer is null) return host;
            if (!answer.Succeeded) return Failed($"gave up: {answer.Message}");
            host = host with { State = AgentRollState.Starting, Since = now, Detail = $"starts {host.To}" };
        }
        var back = seen.Version == host.To && seen is { Connected: true, Executable.OnTrial: false };
        var lacks = seen.NotReady.Where(f => !(host.Lacked ?? []).Contains(Name(f))).ToList();
        if (back && seen is { Fresh: true, State: HostState.Ready } && lacks.Count == 0) return host with { State = AgentRollState.Done, Since = now, Detail = $"has {host.To}" };
        var waited = now - host.Since;
        if (!back && waited > StartWithin)
            return Failed($"did not come back with {host.To} within {StartWithin.TotalMinutes:0} minutes; {(seen.Connected ? $"it has {seen.Version}" : $"it has no session, and last had {seen.Version}")}");
        if (back && waited > StartWithin + ConformWithin)
            return Failed($"has {host.To} and is not as it should be: {(lacks.Count > 0 ? string.Join("; ", lacks.Select(f => $"{f.Name}: {f.Detail.TrimEnd('.')}")) : $"the host is {seen.State.ToString().ToLowerInvariant()}")}");
        return host with { Detail = back ? $"has {host.To}; everything on the host is being looked at" : seen is { Connected: true, Executable.OnTrial: true } ? $"has {host.To} on trial" : host.Detail };

        AgentRollHost Failed(string reason) => host with { State = AgentRollState.Failed, Since = now, Detail = reason };
    }

    private static string Sentence(IReadOnlyList<AgentRollHost> hosts, AgentRollEnd? end)
    {
        var done = hosts.Count(h => h.State == AgentRollState.Done);
        var count = $"{done} of {hosts.Count} host{(hosts.Count == 1 ? "" : "s")} done";
        var left = string.Join("; ", hosts.Where(h => h.State == AgentRollState.LeftOut).Select(h => $"{h.Name} {h.Detail}"));
        var leftOut = left.Length == 0 ? "" : $" Left out: {left}.";
        return end switch
        {
            AgentRollEnd.Failed when hosts.FirstOrDefault(h => h.State == AgentRollState.Failed) is { } failed =>
                $"Halted: {failed.Name} {failed.Detail.TrimEnd('.')}. {count}; no other one was touched.{leftOut}",
            AgentRollEnd.Failed => $"No agent was replaced.{leftOut}",
            AgentRollEnd.Cancelled => $"Cancelled: {count}; the others keep what they have.{leftOut}",
            AgentRollEnd.Succeeded => $"{count}.{leftOut}",
            _ => hosts.FirstOrDefault(h => h.UnderWay) is { } host ? $"{host.Name} {host.Detail}{(ReferenceEquals(host, hosts[0]) && hosts.Count > 1 ? ", as the first" : "")}; {count}." : $"{count}.",
        };
    }
}
