using System.Globalization;
using Plinth.Core.Primitives;
using Plinth.Web.Application;
using Plinth.Web.Components.Live;
using Plinth.Web.Live;

namespace Plinth.Web.Pages.Agents;

/// <summary>Joining hosts: the tokens there are, and the command that a new one gives, once.</summary>
public sealed class AgentsView : LiveView
{
    private const int TokensShown = 100;
    private readonly IAgents _agents;
    private readonly TimeProvider _time;
    private IReadOnlyList<Refusal> _answer = [];

    public AgentsView(IAgents agents, IChangeFeed feed, TimeProvider time, Caller caller) : base(caller)
    {
        (_agents, _time) = (agents, time);
        Listen(feed, change => change.Kind is "join-token", _ => Load());
    }

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

    protected override async Task Read() => Tokens = Take(await _agents.JoinTokens(Caller, new Window(TokensShown), Stop)) ?? Tokens;
}
