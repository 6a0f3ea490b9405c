using System.Text;
using Microsoft.EntityFrameworkCore;
using Plinth.Core.Identity;
using Plinth.Core.Primitives;
using Plinth.Web.Persistence;

namespace Plinth.Web.Application.Identity;

/// <summary>
/// What a tenant is shown of something that the operator sees whole: no host, neither in a field nor by name in a sentence. Lifted for whoever
/// may read hosts.
/// </summary>
internal sealed class Veil
{
    private const string AHost = "a host";

    // Null where it is lifted.
    private readonly HashSet<string>? _hosts;

    private Veil(HashSet<string>? hosts) => _hosts = hosts;

    public static async Task<Veil> For(ConsoleDb db, Rights rights, CancellationToken stop) =>
        new(rights.Has(Permissions.HostRead, Scope.Platform) ? null : [.. await db.Hosts.Select(h => h.Name).ToListAsync(stop)]);

    /// <summary>Why a list cannot be asked for like this: which of one's VMs share a host would say what the hosts are.</summary>
    public Refusal? Forbids(VmQuery query)
    {
        if (_hosts is null) return null;
        if (!string.IsNullOrWhiteSpace(query.Host)) return Refusal.Invalid("host", "bad_filter", "Which host a VM is on is the operator's to know; leave the filter out.");
        return query.Sort is "host" or "-host" ? Refusal.Invalid("sort", "bad_sort", "Which host a VM is on is the operator's to know; sort by name, created or state.") : null;
    }

    public Refusal? Forbids(VolumeQuery query) => _hosts is null || string.IsNullOrWhiteSpace(query.Host) ? null : Refusal.Invalid("host", "bad_filter", "Which host a volume is on is the operator's to know; leave the filter out.");

    public AuditEntryView Of(AuditEntryView entry, Principal reader) => _hosts is null ? entry : entry with { Detail = Text(entry.Detail), RemoteAddress = entry.Actor == reader.Name ? entry.RemoteAddress : null };

    public VmView Of(VmView vm) => _hosts is null ? vm : vm with
    {
        Host = null, HostName = vm.Host is null ? null : AHost, StateReason = Text(vm.StateReason),
        Trouble = vm.Trouble is { } t ? t with { Sentence = Text(t.Sentence), Remedy = Text(t.Remedy) } : null,
        Networks = [.. vm.Networks.Select(n => n with { Note = Text(n.Note) })],
    };

    public VolumeView Of(VolumeView volume) => _hosts is null ? volume : volume with { Host = null, HostName = AHost, StateReason = Text(volume.StateReason) };

    public OperationView Of(OperationView operation) => _hosts is null ? operation : operation with
    {
        Reason = Text(operation.Reason), Steps = [.. operation.Steps.Select(s => s with { Detail = Text(s.Detail) })],
    };

    public FitView Of(FitView fit) => _hosts is null ? fit : fit with { Sentence = Text(fit.Sentence) };

    /// <summary>Why it was placed or not, with the counts of reasons; which hosts were looked at is the operator's.</summary>
    public DecisionView Of(DecisionView decision) => _hosts is null ? decision : decision with
    {
        Decision = decision.Decision with
        {
            Request = decision.Decision.Request with { OnlyHost = null, Source = null }, Host = null, HostName = null, Candidates = [], Refused = [], Sentence = Text(decision.Decision.Sentence),
        },
    };

    /// <summary>Whether each host has it as wanted, and how old that is; addresses beneath it, and what else a host holds, are the operator's.</summary>
    public NetworkView Of(NetworkView network) => _hosts is null ? network : network with
    {
        Hosts =
        [
            .. network.Hosts.Select(h => h with
            {
                Host = null, HostName = AHost, Drift = "", DriftAt = null,
                Detail = h.Conforms switch { true => "As wanted.", false => "It differs from what is wanted there; operators are shown how.", null => "It has not been reported from there yet." },
            }),
        ],
    };

    public NetworkMemberView Of(NetworkMemberView member) => _hosts is null ? member : member with { HostName = member.HostName is null ? null : AHost };

    public SearchHit Of(SearchHit hit) => _hosts is null ? hit : hit with { Detail = Text(hit.Detail) };

    public Refusal Of(Refusal refusal) => _hosts is null ? refusal : refusal with
    {
        // The host's own address is no more a tenant's to know than its name.
        Message = refusal.Code == "overlaps_uplink" ? "The range holds addresses of the platform itself, which guests could not reach then. Choose another range." : Text(refusal.Message),
    };

    /// <summary>The sentence without names of hosts.</summary>
    public string Text(string sentence)
    {
        if (_hosts is null || sentence.Length == 0) return sentence;
        var told = new StringBuilder(sentence.Length);
        for (var i = 0; i < sentence.Length;)
        {
            var end = i;
            while (end < sentence.Length && IsNamePart(sentence[end])) end++;
            // A full stop ends the sentence, not the name.
            var word = sentence[i..end];
            var name = word.TrimEnd('.', '-');
            if (name.Length > 0 && _hosts.Contains(name)) told.Append(AHost).Append(word.AsSpan(name.Length));
            else told.Append(word);
            if (end < sentence.Length) told.Append(sentence[end++]);
            i = end;
        }
        return told.ToString();
    }

    private static bool IsNamePart(char c) => char.IsAsciiLetterOrDigit(c) || c is '-' or '.' or '_';
}
