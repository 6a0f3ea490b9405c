using System.Globalization;
using Plinth.Core.Machines;
using Plinth.Core.Operations;
using Plinth.Core.Primitives;
using Plinth.Web.Application;
using Plinth.Web.Components.Data;
using Plinth.Web.Components.Live;
using Plinth.Web.Live;

namespace Plinth.Web.Pages.Agents;

/// <summary>The agents of all hosts and their replacement; joining hosts: the tokens there are, and the command that a new one gives, once.</summary>
public sealed class AgentsView : LiveView
{
    private const int TokensShown = 100, AgentsShown = 50;
    private static readonly TimeSpan Gap = TimeSpan.FromMilliseconds(500);
    private readonly IAgents _agents;
    private readonly IAgentUpgrades _upgrades;
    private readonly IOperations _operations;
    private readonly PacedRefresh _refresh;
    private readonly TimeProvider _time;
    private IReadOnlyList<Refusal> _answer = [];

    public AgentsView(IAgents agents, IAgentUpgrades upgrades, IOperations operations, IChangeFeed feed, TimeProvider time, Caller caller) : base(caller)
    {
        (_agents, _upgrades, _operations, _time) = (agents, upgrades, operations, time);
        Listen(feed, change => change.Kind is "join-token", _ => Load());
        _refresh = new PacedRefresh(time, Gap, () => Dispatch(Refresh));
        Listen(feed, change => change.Kind is "host" or "operation", _ =>
        {
            _refresh.Request();
            return Task.CompletedTask;
        });
    }

    /// <summary>Every host's agent, and the newest replacement; null before it was read.</summary>
    public AgentFleetView? Fleet { get; private set; }

    /// <summary>Those with something to tell first: in the replacement, put back, older than what is handed out.</summary>
    public IReadOnlyList<AgentView> Agents { get; private set; } = [];
    public int AgentsLeft => Fleet is null ? 0 : Fleet.Items.Count - Agents.Count;
    public int CanUpgrade => Fleet?.Items.Count(a => a.WhyNotUpgraded is null) ?? 0;
    public int CanRevert => Fleet?.Items.Count(a => a.WhyNotReverted is null) ?? 0;

    /// <summary>One replacement at a time.</summary>
    public bool Busy => _replacing || Fleet?.Newest is { } newest && !OperationLifecycle.IsFinished(newest.State);
    private bool _replacing;

    /// <summary>Why none was begun.</summary>
    public IReadOnlyList<Refusal> ReplaceRefusals { get; private set; } = [];
    public string? CancelRefusal { get; private set; }

    /// <summary>"3 hosts: 2 have 0.1.0, 1 has 0.2.0."</summary>
    public string Summary
    {
        get
        {
            if (Fleet is null) return "";
            var versions = Fleet.Items.GroupBy(a => a.Version ?? "").OrderByDescending(g => g.Count()).ThenBy(g => g.Key, StringComparer.Ordinal)
                .Select(g => $"{Quantity.Count(g.Count())} {(g.Count() == 1 ? "has" : "have")} {(g.Key.Length == 0 ? "not reported yet" : g.Key)}");
            return $"{Quantity.Count(Fleet.Items.Count, "host")}: {string.Join(", ", versions)}.";
        }
    }

    /// <summary>What goes on after a host's name, as a sentence of its own.</summary>
    public static string Sentence(string? afterName) => string.IsNullOrEmpty(afterName) ? "" : char.ToUpperInvariant(afterName[0]) + afterName[1..].TrimEnd('.') + ".";

    public Task Upgrade() => Replace(_upgrades.Upgrade);

    public Task Revert() => Replace(_upgrades.Revert);

    public async Task Cancel()
    {
        if (Fleet?.Newest is not { } newest) return;
        var result = await _operations.Cancel(Caller, newest.Id, Stop);
        CancelRefusal = result.Succeeded ? null : result.Reason;
        await Load();
    }

    private async Task Replace(Func<Caller, ReplaceAgents, string?, CancellationToken, Task<Result<OperationView>>> act)
    {
        if (_replacing) return;
        _replacing = true;
        try
        {
            ReplaceRefusals = (await act(Caller, new ReplaceAgents(), Guid.NewGuid().ToString(), Stop)).Refusals;
            CancelRefusal = null;
        }
        finally
        {
            _replacing = false;
        }
        await Load();
    }

    private async Task Refresh()
    {
        if (Stop.IsCancellationRequested) return;
        try
        {
            await ReadFleet();
        }
        catch (OperationCanceledException) when (Stop.IsCancellationRequested)
        {
            return;
        }
        NotifyChanged();
    }

    private async Task ReadFleet()
    {
        Fleet = Take(await _upgrades.Fleet(Caller, Stop)) ?? Fleet;
        if (Fleet is not null) Agents = [.. Fleet.Items.OrderBy(a => a switch { { Roll: AgentRollState.Failed } => 0, { Roll: AgentRollState.Told or AgentRollState.Starting } => 1, { Roll: not null } => 2, { Setback: not null } => 3, { Newer: not null } => 4, _ => 5 }).Take(AgentsShown)];
    }

    protected override void OnDisposed() => _refresh.Dispose();

    public Page<JoinTokenView>? Tokens { get; private set; }

    /// <summary>The command of the token made last on this page. It cannot be shown again: only a hash of the token is kept.</summary>
    public JoinCommandView? Command { get; private set; }
    public string Description { get; set; } = "";
    public string ValidMinutes { get; set; } = "60";

    /// <summary>What the form asks for, as the API takes it.</summary>
    public CreateJoinToken Request => new(
        Description.Trim().Length == 0 ? null : Description.Trim(),
        long.TryParse(ValidMinutes.Trim(), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var n) ? n : ValidMinutes.Trim().Length == 0 ? null : -1);
    public bool Sending { get; private set; }

    /// <summary>The host that used the token of <see cref="Command"/>, once one has.</summary>
    public JoinTokenView? Joined => Command is null ? null : Tokens?.Items.FirstOrDefault(t => t.Id == Command.Token.Id && t.UsedAt is not null);

    public IReadOnlyList<string> ErrorsOf(string field) => [.. _answer.Where(r => r.Field == field).Select(r => r.Message)];
    public IReadOnlyList<Refusal> OtherRefusals => [.. _answer.Where(r => r.Field is not ("description" or "validMinutes"))];

    public async Task Create()
    {
        if (Sending) return;
        Sending = true;
        try
        {
            var result = await _agents.CreateJoinToken(Caller, Request, Guid.NewGuid().ToString(), Stop);
            _answer = result.Refusals;
            if (result.Succeeded) Command = result.Value;
        }
        finally
        {
            Sending = false;
        }
        await Load();
    }

    public async Task Revoke(JoinTokenId token)
    {
        _answer = (await _agents.RevokeJoinToken(Caller, token, Stop)).Refusals;
        await Load();
    }

    public bool IsExpired(JoinTokenView token) => token.UsedAt is null && token.ExpiresAt <= _time.GetUtcNow();

    protected override async Task Read()
    {
        await ReadFleet();
        Tokens = Take(await _agents.JoinTokens(Caller, new Window(TokensShown), Stop)) ?? Tokens;
    }
}
