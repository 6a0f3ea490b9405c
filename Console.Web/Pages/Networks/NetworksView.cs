using Plinth.Core.Network;
using Plinth.Core.Primitives;
using Plinth.Web.Application;
using Plinth.Web.Components.Data;
using Plinth.Web.Components.Live;
using Plinth.Web.Live;
using Plinth.Web.Pages.Machines;

namespace Plinth.Web.Pages.Networks;

/// <summary>The networks of a project, with a form for one more.</summary>
public sealed class NetworksView : LiveView
{
    private readonly INetworks _networks;
    private readonly string _project;
    private IReadOnlyList<Refusal> _answer = [];

    // One key for one form: pressing twice makes one network.
    private string _idempotencyKey = Guid.NewGuid().ToString();

    public NetworksView(INetworks networks, IChangeFeed feed, Caller caller, string project) : base(caller)
    {
        (_networks, _project) = (networks, project);
        Listen(feed, change => change.Kind is "network" or "host" or "vm", _ => Load());
    }

    public IReadOnlyList<NetworkView>? Networks { get; private set; }
    public string Name { get; set; } = "";
    public string Cidr { get; set; } = "";
    public string Description { get; set; } = "";

    public IReadOnlyList<string> ErrorsOf(string field) => [.. _answer.Where(r => r.Names(field)).Select(r => r.Message)];
    public IReadOnlyList<Refusal> OtherRefusals => [.. _answer.Where(r => r.Field is not ("name" or "cidr" or "description"))];

    public CreateNetwork Request => new(Text(Name), Text(Cidr), Text(Description));

    public async Task Add()
    {
        var result = await _networks.Create(Caller, _project, Request, _idempotencyKey, Stop);
        _answer = result.Refusals;
        if (result.Succeeded)
        {
            Name = Cidr = Description = "";
            _idempotencyKey = Guid.NewGuid().ToString();
        }
        await Load();
    }

    public async Task Delete(NetworkId network)
    {
        _answer = (await _networks.Delete(Caller, _project, network, Stop)).Refusals;
        await Load();
    }

    protected override async Task Read() => Networks = Take(await _networks.List(Caller, _project, Stop)) ?? Networks;

    private static string? Text(string value) => value.Trim() is { Length: > 0 } text ? text : null;
}

/// <summary>One network: what it is, who is on it, what it lets in, and how each host has it.</summary>
public sealed class NetworkDetailView : LiveView
{
    private readonly INetworks _networks;
    private readonly string _project;
    private readonly NetworkId _id;

    public NetworkDetailView(INetworks networks, IChangeFeed feed, Caller caller, string project, NetworkId id) : base(caller)
    {
        (_networks, _project, _id) = (networks, project, id);
        Listen(feed, change => change.Kind is "network" or "host" or "vm", _ => Load());
    }

    public NetworkView? Network { get; private set; }
    public IReadOnlyList<NetworkMemberView> Members { get; private set; } = [];
    public IReadOnlyList<Refusal> Answer { get; private set; } = [];

    /// <summary>Where the new rule counts: empty for the whole network, or a MAC address.</summary>
    public string For { get; set; } = "";
    public string Protocol { get; set; } = "tcp";
    public string Ports { get; set; } = "";
    public string Source { get; set; } = PortRule.Everybody;

    public PortRule NewRule => new(Protocol, Protocol == "icmp" ? "" : Ports.Trim(), Source.Trim());

    public IReadOnlyList<string> ErrorsOf(string field) => [.. Answer.Where(r => r.Field?.EndsWith("." + field, StringComparison.Ordinal) == true).Select(r => r.Message)];
    public IReadOnlyList<Refusal> OtherRefusals => [.. Answer.Where(r => r.Field is null || !(r.Field.EndsWith(".protocol", StringComparison.Ordinal) || r.Field.EndsWith(".ports", StringComparison.Ordinal) || r.Field.EndsWith(".source", StringComparison.Ordinal)))];

    public async Task AddRule()
    {
        await SetRules(For, [.. RulesOf(For), NewRule]);
        if (Answer.Count == 0) Ports = "";
    }

    /// <summary>The request that the form sends, as a command.</summary>
    public string Call(string origin)
    {
        IReadOnlyList<PortRule> rules = [.. RulesOf(For), NewRule];
        var project = $"/api/v1/projects/{Uri.EscapeDataString(_project)}";
        return Member(For) is { } member
            ? ApiCall.Put(origin, $"{project}/vms/{member.Vm}/interfaces/{member.Mac}/rules", new SetInterfaceRules(rules), member.Version)
            : ApiCall.Patch(origin, $"{project}/networks/{_id}", new UpdateNetwork(Rules: rules), Network!.Version);
    }

    public Task RemoveRule(string mac, PortRule rule) => SetRules(mac, [.. RulesOf(mac).Where(r => r != rule)]);

    private IReadOnlyList<PortRule> RulesOf(string mac) => mac.Length == 0 ? Network!.Rules : Member(mac)?.Rules ?? [];

    private NetworkMemberView? Member(string mac) => Members.FirstOrDefault(m => m.Mac == mac);

    // Rules are replaced as a whole, so only on what was seen: one that somebody else has made meanwhile is not lost.
    private async Task SetRules(string mac, IReadOnlyList<PortRule> rules)
    {
        Answer = Member(mac) is { } member
            ? (await _networks.SetInterfaceRules(Caller, _project, member.Vm, mac, new SetInterfaceRules(rules), member.Version, Stop)).Refusals
            : (await _networks.Update(Caller, _project, _id, new UpdateNetwork(Rules: rules), Network!.Version, Stop)).Refusals;
        await Load();
    }

    protected override async Task Read()
    {
        Network = Take(await _networks.Get(Caller, _project, _id, Stop));
        if (Network is not null) Members = Take(await _networks.Members(Caller, _project, _id, Stop)) ?? [];
    }
}
