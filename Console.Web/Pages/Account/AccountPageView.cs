using Plinth.Core.Identity;
using Plinth.Core.Primitives;
using Plinth.Web.Application;
using Plinth.Web.Components.Live;
using Plinth.Web.Live;
using Plinth.Web.Pages.Machines;
using Plinth.Web.Pages.Tenants;

namespace Plinth.Web.Pages.Account;

/// <summary>How somebody signs in, where they are signed in, and the tokens that they made.</summary>
public sealed class AccountPageView : LiveView
{
    /// <summary>A token without a role of its own allows all that its owner may.</summary>
    public const string Everything = "";

    private readonly IAccount _account;
    private readonly IAccess _access;
    private readonly ITenancy _tenancy;
    private readonly IElevations _elevations;
    private readonly Dictionary<string, IReadOnlyList<Refusal>> _answers = [];

    public AccountPageView(IAccount account, IAccess access, ITenancy tenancy, IElevations elevations, IChangeFeed feed, Caller caller) : base(caller)
    {
        (_account, _access, _tenancy, _elevations) = (account, access, tenancy, elevations);
        Listen(feed, change => change.ConcernsRightsOf(caller.Principal) || change.Kind is "session" or "elevation", _ => Load());
    }

    public AccountView? Account { get; private set; }
    public IReadOnlyList<SessionView> Sessions { get; private set; } = [];
    public IReadOnlyList<TokenView> Tokens { get; private set; } = [];
    public IReadOnlyList<ProgramView> Programs { get; private set; } = [];
    public IReadOnlyList<OwnRoleView> Roles { get; private set; } = [];

    /// <summary>Roles that they asked for, for a few hours.</summary>
    public IReadOnlyList<ElevationView> Elevations { get; private set; } = [];

    /// <summary>Where a token may be limited to: projects and organizations, by what the request names them.</summary>
    public IReadOnlyList<(string, string)> Scopes { get; private set; } = [];

    public string Current { get; set; } = "";
    public string Password { get; set; } = "";
    public string Code { get; set; } = "";
    public string PasskeyName { get; set; } = "";
    public string TokenName { get; set; } = "";
    public string TokenDays { get; set; } = "90";
    public string TokenRole { get; set; } = Everything;
    public string TokenScope { get; set; } = "";

    public string AskedRole { get; set; } = Core.Identity.Roles.PlatformAdmin.Name;
    public string AskedScope { get; set; } = "";
    public string AskedHours { get; set; } = "1";
    public string AskedReason { get; set; } = "";

    public AskForRole AskRequest => new(AskedRole, long.TryParse(AskedHours, out var hours) ? hours : null, Text(AskedReason), ScopeChoices.Organization(AskedScope), ScopeChoices.Project(AskedScope));

    public static IReadOnlyList<(string, string)> AskedRoles { get; } = [.. Core.Identity.Roles.BuiltIn.Select(r => (r.Name, r.Title))];

    public IReadOnlyList<(string, string)> AskedScopes => [("", "the platform"), .. Scopes.Where(s => s.Item1.Length > 0)];

    /// <summary>The form for a password is open.</summary>
    public bool ChangingPassword { get; set; }

    /// <summary>A key for an app, until one of its codes has been given.</summary>
    public AuthenticatorSetupView? Setup { get; private set; }

    /// <summary>Shown this once.</summary>
    public IReadOnlyList<string> RecoveryCodes { get; private set; } = [];

    /// <summary>Shown this once.</summary>
    public NewTokenView? NewToken { get; private set; }

    /// <summary>What was done last.</summary>
    public string Done { get; private set; } = "";

    public CreateToken TokenRequest => new(Text(TokenName), long.TryParse(TokenDays, out var days) ? days : null, Text(TokenRole),
        TokenRole.Length > 0 ? ScopeChoices.Organization(TokenScope) : null, TokenRole.Length > 0 ? ScopeChoices.Project(TokenScope) : null);

    public static IReadOnlyList<(string, string)> TokenRoles { get; } = [(Everything, "everything that I may do"), .. Core.Identity.Roles.BuiltIn.Select(r => (r.Name, $"at most {r.Title}"))];

    /// <summary>What one form or act was answered, where it was refused; by field, and the rest.</summary>
    public IReadOnlyList<string> ErrorsOf(string form, string field) => [.. Of(form).Where(r => r.Names(field)).Select(r => r.Message)];

    public IReadOnlyList<Refusal> OtherRefusals(string form, params string[] fields) => [.. Of(form).Where(r => !fields.Any(r.Names))];

    public async Task SetPassword()
    {
        var had = Account?.PasswordSetAt is not null;
        if (!await Act("password", await _account.SetPassword(Caller, new SetPassword(Password, Current), Stop), had ? "Password changed; other sessions have ended." : "Password set.")) return;
        (Password, Current, ChangingPassword) = ("", "", false);
        NotifyChanged();
    }

    public async Task RemovePassword()
    {
        if (!await Act("password", await _account.RemovePassword(Caller, Current, Stop), "Password removed.")) return;
        (Password, Current, ChangingPassword) = ("", "", false);
        NotifyChanged();
    }

    public async Task BeginAuthenticator()
    {
        var begun = await _account.BeginAuthenticator(Caller, Stop);
        if (begun.Succeeded) Setup = begun.Value;
        await Act("authenticator", begun, "");
    }

    public async Task ConfirmAuthenticator()
    {
        var confirmed = await _account.ConfirmAuthenticator(Caller, Code, Stop);
        if (confirmed.Succeeded) (Setup, RecoveryCodes, Code) = (null, confirmed.Value.Codes, "");
        await Act("authenticator", confirmed, "From now on a code is asked for besides the password.");
    }

    public void StopAuthenticator() => Setup = null;

    public async Task NewRecoveryCodes()
    {
        var made = await _account.NewRecoveryCodes(Caller, Stop);
        if (made.Succeeded) RecoveryCodes = made.Value.Codes;
        await Act("authenticator", made, "");
    }

    public void ForgetCodes() => RecoveryCodes = [];

    public async Task RemoveAuthenticator() => await Act("authenticator", await _account.RemoveAuthenticator(Caller, Stop), "No code is asked for any more.");

    /// <param name="refused">What the browser or the console said; null when it was added.</param>
    public async Task PasskeyAdded(string? refused)
    {
        _answers["passkey"] = refused is null ? [] : [Refusal.Conflict("passkey", refused)];
        if (refused is null) (PasskeyName, Done) = ("", "Passkey added.");
        await Load();
    }

    public async Task RemovePasskey(PasskeyView passkey) => await Act("passkey", await _account.RemovePasskey(Caller, passkey.Id, Stop), $"Passkey {passkey.Name} removed.");

    public async Task End(SessionView session) => await Act("sessions", await _account.EndSession(Caller, session.Id, Stop), $"Signed out: {session.Name}.");

    public async Task EndOthers() => await Act("sessions", await _account.EndOtherSessions(Caller, Stop), "All other sessions have ended.");

    public async Task CreateToken()
    {
        var made = await _account.CreateToken(Caller, TokenRequest, Stop);
        if (made.Succeeded) (NewToken, TokenName) = (made.Value, "");
        await Act("token", made, "");
    }

    public void ForgetToken() => NewToken = null;

    public async Task Revoke(TokenView token) => await Act("tokens", await _account.EndSession(Caller, token.Id, Stop), $"Token {token.Name} revoked.");

    public async Task Revoke(ProgramView program) => await Act("programs", await _account.RevokeProgram(Caller, program.Id, Stop), $"{program.Name} acts for you no longer.");

    public async Task AskForRole()
    {
        if (!await Act("elevation", await _elevations.Ask(Caller, AskRequest, Stop), "Asked. A second person has an hour to approve it; the role then counts at once.")) return;
        AskedReason = "";
        NotifyChanged();
    }

    public async Task EndElevation(ElevationView elevation) => await Act("elevations", await _elevations.End(Caller, elevation.Id, Stop), "");

    protected override async Task Read()
    {
        Account = Take(await _account.Get(Caller, Stop));
        if (Account is null) return;
        Sessions = Take(await _account.Sessions(Caller, Stop)) ?? [];
        Tokens = Take(await _account.Tokens(Caller, Stop)) ?? [];
        Elevations = await _elevations.List(Caller, Stop) is { Succeeded: true, Value: { } asked } ? [.. asked.Where(e => e.User == Account.Id)] : [];
        Programs = Take(await _account.Programs(Caller, Stop)) ?? [];
        Roles = Take(await _access.MyRoles(Caller, Stop)) ?? [];
        Scopes = [("", "wherever I have a role"), .. await ScopeChoices.Read(_tenancy, Caller, Stop)];
    }

    private async Task<bool> Act<T>(string form, Result<T> result, string done)
    {
        _answers[form] = result.Refusals;
        Done = result.Succeeded ? done : "";
        await Load();
        return result.Succeeded;
    }

    private IReadOnlyList<Refusal> Of(string form) => _answers.GetValueOrDefault(form, []);

    private static string? Text(string value) => value.Trim() is { Length: > 0 } text ? text : null;
}
