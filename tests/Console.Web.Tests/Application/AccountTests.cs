using Microsoft.EntityFrameworkCore;
using OtpNet;
using Plinth.Core.Identity;
using Plinth.Core.Primitives;
using Plinth.Web.Application;
using Plinth.Web.Application.Identity;
using Plinth.Web.Persistence;
using Plinth.Web.Tests.Persistence;

namespace Plinth.Web.Tests.Application;

/// <summary>Passwords, codes, sessions and tokens, through the use cases.</summary>
public class AccountTests : Stage
{
    private const string Good = "correct horse battery staple", Better = "meine katze mag tee um vier";
    private static readonly Visitor Laptop = new("192.0.2.8", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"), Phone = new("192.0.2.9", "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Mobile Safari/604.1");

    private ISignIn SignIn => The<ISignIn>();
    private IAccount Account => The<IAccount>();

    private async Task<Caller> Invited(string name, string role = "project-member")
    {
        var invited = Ok(await The<IAccess>().Invite(Ana, new InviteUser(name, role, Project: Project), Stop));
        return new Caller(Ok(await SignIn.UseLink(invited.Path.Split("link=")[1], Laptop, Stop)).Person!, Laptop.Address);
    }

    private async Task<Principal?> ByPassword(string name, string password, Visitor? from = null)
    {
        var answer = await SignIn.ByPassword(name, password, from ?? Laptop, Stop);
        return answer.Succeeded ? answer.Value.Person : null;
    }

    private async Task<bool> MayReadVms(Principal person) => (await Vms.List(new Caller(person, null), Project, new VmQuery(), new Window(), Stop)).Succeeded;

    [Fact]
    public async Task A_password_is_set_and_signs_in_and_what_is_too_easy_is_refused_with_numbers()
    {
        var bea = await Invited("bea");
        Assert.True(Ok(await Account.Get(bea, Stop)).HasNoWay);
        Assert.Equal("A password has 12 to 128 characters; this one has 5.", No(await Account.SetPassword(bea, new SetPassword("short"), Stop)).Message);
        foreach (var easy in new[] { "password1234", "aaaaaaaaaaaa", "beabeabeabea", "plinthplinth1", "qwertyuiop12" })
        {
            var refusal = No(await Account.SetPassword(bea, new SetPassword(easy), Stop));
            Assert.Equal(("password", "too_easy"), (refusal.Field, refusal.Code));
            Assert.Matches("worth about [0-9]+ bits .* it needs 40", refusal.Message);
        }
        Assert.NotNull(Ok(await Account.SetPassword(bea, new SetPassword(Good), Stop)).PasswordSetAt);
        var person = await ByPassword("bea", Good);
        Assert.Equal(bea.Principal.Id, person!.Id);
        Assert.True(await MayReadVms(person));
    }

    [Fact]
    public async Task A_stranger_hears_the_same_of_a_wrong_password_an_unknown_name_and_a_shut_door()
    {
        Ok(await Account.SetPassword(await Invited("bea"), new SetPassword(Good), Stop));
        var unknown = No(await SignIn.ByPassword("nobody-here", Good, Phone, Stop)).Message;
        for (var wrong = 0; wrong < LockOut.Tries; wrong++) Assert.Equal(unknown, No(await SignIn.ByPassword("bea", "something else entirely", Phone, Stop)).Message);
        // The door is shut: the right one neither, and trying does not keep it shut.
        for (var tries = 0; tries < 3; tries++) Assert.Equal(unknown, No(await SignIn.ByPassword("bea", Good, Laptop, Stop)).Message);
        Time.Advance(LockOut.First);
        Assert.NotNull(await ByPassword("bea", Good));
        var entries = Ok(await The<IAuditLog>().List(Ana, new AuditQuery(Action: "sign-in"), new Window(), Stop)).Items;
        Assert.Contains(entries, e => e.Outcome == "refused" && e.Detail.StartsWith("wrong password, 1 in a row", StringComparison.Ordinal));
        Assert.DoesNotContain(entries, e => e.Detail.Contains(Good, StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_lock_outlives_a_restart_and_leaves_other_ways_open()
    {
        Ok(await Account.SetPassword(await Invited("bea"), new SetPassword(Good), Stop));
        for (var wrong = 0; wrong < LockOut.Tries; wrong++) await ByPassword("bea", "something else entirely");
        await Restart();
        Assert.Null(await ByPassword("bea", Good));
        var user = Ok(await The<IAccess>().Users(Ana, Stop)).Single(u => u.Name == "bea").Id;
        var link = Ok(await The<IAccess>().NewLink(Bot, user, Stop)).Path.Split("link=")[1];
        Assert.True((await SignIn.UseLink(link, Laptop, Stop)).Succeeded);
    }

    [Fact]
    public async Task Strangers_cannot_fill_the_ledger_and_an_address_that_tries_everybody_is_stopped()
    {
        for (var tries = 0; tries < 100; tries++) await SignIn.ByPassword($"name-{tries}", Good, Phone, Stop);
        var refused = await SignIn.ByPassword("bea", Good, Phone, Stop);
        Assert.Contains("100 wrong tries came from your address", refused.Reason, StringComparison.Ordinal);
        Assert.Single(Ok(await The<IAuditLog>().List(Ana, new AuditQuery(Action: "sign-in"), new Window(500), Stop)).Items, e => e.Outcome == "refused");
        Time.Advance(TimeSpan.FromMinutes(5));
        Assert.DoesNotContain("your address", (await SignIn.ByPassword("bea", Good, Phone, Stop)).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task With_an_app_a_code_is_asked_besides_and_each_works_once()
    {
        var bea = await Invited("bea");
        Assert.Equal("no_password", No(await Account.BeginAuthenticator(bea, Stop)).Code);
        Ok(await Account.SetPassword(bea, new SetPassword(Good), Stop));
        var setup = Ok(await Account.BeginAuthenticator(bea, Stop));
        Assert.StartsWith("otpauth://totp/Plinth:bea?secret=", setup.Uri, StringComparison.Ordinal);
        Assert.Equal("wrong", No(await Account.ConfirmAuthenticator(bea, "000000", Stop)).Code);
        var app = new Totp(Base32Encoding.ToBytes(setup.Key.Replace(" ", "", StringComparison.Ordinal)));
        string Code() => app.ComputeTotp(Time.GetUtcNow().UtcDateTime);
        var recovery = Ok(await Account.ConfirmAuthenticator(bea, Code(), Stop)).Codes;
        Assert.Equal(10, recovery.Distinct().Count());

        var user = Ok(await SignIn.ByPassword("bea", Good, Laptop, Stop)).Asked!;
        // The code that confirmed the app was used with that.
        Assert.Contains("used already", (await SignIn.ByCode(user, Code(), Laptop, Stop)).Reason, StringComparison.Ordinal);
        Time.Advance(TimeSpan.FromSeconds(30));
        var code = Code();
        var person = Ok(await SignIn.ByCode(user, code, Laptop, Stop));
        Assert.True(await MayReadVms(person));
        Assert.False((await SignIn.ByCode(user, code, Laptop, Stop)).Succeeded);
        Assert.True((await SignIn.ByCode(user, recovery[3].ToLowerInvariant(), Laptop, Stop)).Succeeded);
        Assert.False((await SignIn.ByCode(user, recovery[3], Laptop, Stop)).Succeeded);
        Assert.Equal(9, Ok(await Account.Get(bea, Stop)).RecoveryCodes);
        Assert.Contains(Ok(await Account.Sessions(new Caller(person, null), Stop)), s => s.Method == "password and recovery code");
        // Nothing of it lies open in the database.
        await using var db = Store.Read();
        var row = await db.Credentials.SingleAsync();
        Assert.DoesNotContain(setup.Key.Replace(" ", "", StringComparison.Ordinal), row.AuthenticatorKey!, StringComparison.Ordinal);
        Assert.All(row.RecoveryCodes, c => Assert.Matches("^[0-9a-f]{64}$", c));
    }

    [Fact]
    public async Task A_link_does_not_get_round_the_app_but_the_one_made_at_the_console_itself_does()
    {
        var bea = await Invited("bea");
        var user = new UserId(Guid.Parse(bea.Principal.Id));
        Assert.Equal("no_authenticator", No(await The<IAccess>().ResetSecondFactor(Bot, user, Stop)).Code);
        Ok(await Account.SetPassword(bea, new SetPassword(Good), Stop));
        var app = new Totp(Base32Encoding.ToBytes(Ok(await Account.BeginAuthenticator(bea, Stop)).Key.Replace(" ", "", StringComparison.Ordinal)));
        Ok(await Account.ConfirmAuthenticator(bea, app.ComputeTotp(Time.GetUtcNow().UtcDateTime), Stop));
        Assert.True(Ok(await The<IAccess>().Users(Ana, Stop)).Single(u => u.Id == user).AsksCode);
        var asked = Ok(await SignIn.UseLink(await Link(), Laptop, Stop));
        Assert.Null(asked.Person);
        Time.Advance(TimeSpan.FromSeconds(30));
        var person = Ok(await SignIn.ByCode(asked.Asked!, app.ComputeTotp(Time.GetUtcNow().UtcDateTime), Laptop, Stop));
        Assert.Contains(Ok(await Account.Sessions(new Caller(person, null), Stop)), s => s.Method == "sign-in link and code");
        Ok(await The<IAccess>().ResetSecondFactor(Bot, user, Stop));
        Assert.NotNull(Ok(await SignIn.UseLink(await Link(), Laptop, Stop)).Person);

        var operators = new Caller(Ok(await SignIn.UseLink(await The<IOperatorLink>().Issue(Stop), Laptop, Stop)).Person!, null);
        Ok(await Account.SetPassword(operators, new SetPassword(Good), Stop));
        var second = new Totp(Base32Encoding.ToBytes(Ok(await Account.BeginAuthenticator(operators, Stop)).Key.Replace(" ", "", StringComparison.Ordinal)));
        Ok(await Account.ConfirmAuthenticator(operators, second.ComputeTotp(Time.GetUtcNow().UtcDateTime), Stop));
        Assert.NotNull(Ok(await SignIn.UseLink(await The<IOperatorLink>().Issue(Stop), Laptop, Stop)).Person);

        async Task<string> Link() => Ok(await The<IAccess>().NewLink(Bot, user, Stop)).Path.Split("link=")[1];
    }

    [Fact]
    public async Task Wrong_codes_shut_the_door_too()
    {
        var bea = await Invited("bea");
        Ok(await Account.SetPassword(bea, new SetPassword(Good), Stop));
        var app = new Totp(Base32Encoding.ToBytes(Ok(await Account.BeginAuthenticator(bea, Stop)).Key.Replace(" ", "", StringComparison.Ordinal)));
        Ok(await Account.ConfirmAuthenticator(bea, app.ComputeTotp(Time.GetUtcNow().UtcDateTime), Stop));
        var user = Ok(await SignIn.ByPassword("bea", Good, Laptop, Stop)).Asked!;
        for (var wrong = 0; wrong < LockOut.Tries; wrong++) Assert.False((await SignIn.ByCode(user, "123456", Laptop, Stop)).Succeeded);
        Time.Advance(TimeSpan.FromSeconds(30));
        Assert.Contains("none is looked at until", (await SignIn.ByCode(user, app.ComputeTotp(Time.GetUtcNow().UtcDateTime), Laptop, Stop)).Reason, StringComparison.Ordinal);
        Assert.False((await SignIn.ByPassword("bea", Good, Laptop, Stop)).Succeeded);
        Time.Advance(TimeSpan.FromMinutes(1));
        Assert.True((await SignIn.ByCode(user, app.ComputeTotp(Time.GetUtcNow().UtcDateTime), Laptop, Stop)).Succeeded);
    }

    [Fact]
    public async Task Changing_the_password_needs_the_one_before_and_ends_other_sessions()
    {
        var bea = await Invited("bea");
        Ok(await Account.SetPassword(bea, new SetPassword(Good), Stop));
        var phone = (await ByPassword("bea", Good, Phone))!;
        Assert.Equal("current", No(await Account.SetPassword(bea, new SetPassword(Better), Stop)).Field);
        Assert.Equal("This is not the password that you have now.", No(await Account.SetPassword(bea, new SetPassword(Better, "not my password"), Stop)).Message);
        Assert.True(await MayReadVms(phone));
        Ok(await Account.SetPassword(bea, new SetPassword(Better, Good), Stop));
        Assert.False(await MayReadVms(phone));
        Assert.True(await MayReadVms(bea.Principal));
        Assert.Null(await ByPassword("bea", Good));
        Assert.NotNull(await ByPassword("bea", Better));
    }

    [Fact]
    public async Task Removing_the_password_needs_it_and_wrong_ones_shut_the_door_here_too()
    {
        var bea = await Invited("bea");
        Ok(await Account.SetPassword(bea, new SetPassword(Good), Stop));
        Assert.Equal("Give the password that you have now.", No(await Account.RemovePassword(bea, null, Stop)).Message);
        for (var tries = 0; tries < LockOut.Tries; tries++) Assert.Equal("current", No(await Account.RemovePassword(bea, "something else entirely", Stop)).Field);
        Assert.Equal("shut", No(await Account.RemovePassword(bea, Good, Stop)).Code);
        Assert.Null(await ByPassword("bea", Good));
        Time.Advance(LockOut.First);
        Assert.Null(Ok(await Account.RemovePassword(bea, Good, Stop)).PasswordSetAt);
        Assert.Null(await ByPassword("bea", Good));
    }

    [Fact]
    public async Task No_token_and_nobody_with_less_decides_how_another_signs_in()
    {
        var (admin, helper) = (await Invited("admin", "project-viewer"), await Invited("helper", "project-viewer"));
        Ok(await The<IAccess>().Bind(Ana, new BindRole("admin", "platform-admin"), null, Stop));
        Ok(await The<IAccess>().CreateRole(Ana, new CreateRole("people-help", "Helps people to come in.", [Permissions.AccessManage, Permissions.AccessRead], "platform"), null, Stop));
        Ok(await The<IAccess>().Bind(Ana, new BindRole("helper", "people-help"), null, Stop));
        var (adminId, helperId) = (new UserId(Guid.Parse(admin.Principal.Id)), new UserId(Guid.Parse(helper.Principal.Id)));
        Assert.Contains("nobody gives more than they have", No(await The<IAccess>().NewLink(helper, adminId, Stop)).Message, StringComparison.Ordinal);
        Assert.Equal("forbidden", No(await The<IAccess>().ResetSecondFactor(helper, adminId, Stop)).Code);
        Ok(await The<IAccess>().NewLink(admin, helperId, Stop));
        var token = new Caller((await SignIn.ByToken(Ok(await Account.CreateToken(admin, new CreateToken("ci", 1), Stop)).Secret, Stop))!, null);
        Assert.Contains("not by a token", No(await The<IAccess>().NewLink(token, helperId, Stop)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Names_that_are_none_are_just_unknown()
    {
        foreach (var name in new[] { "a\0b", "é", "", new string('x', 300), "a b" }) Assert.False((await SignIn.ByPassword(name, Good, Laptop, Stop)).Succeeded);
        var bea = await Invited("bea");
        Assert.Equal("unknown_role", No(await Account.CreateToken(bea, new CreateToken("ci", 1, "a\0b"), Stop)).Code);
    }

    [Fact]
    public async Task A_session_is_listed_and_ends_by_hand_unused_and_after_a_month_at_the_latest()
    {
        var bea = await Invited("bea");
        Ok(await Account.SetPassword(bea, new SetPassword(Good), Stop));
        var phone = (await ByPassword("bea", Good, Phone))!;
        var sessions = Ok(await Account.Sessions(bea, Stop));
        Assert.Equal([("Firefox on Linux", "sign-in link", true), ("Safari on iPhone", "password", false)], sessions.Select(s => (s.Name, s.Method, s.Current)));
        Ok(await Account.EndSession(bea, phone.Session!.Value, Stop));
        Assert.False(await SignIn.IsIn(phone, Stop));
        Assert.Equal("This needs vm.read; sign in first.", No(await Vms.List(new Caller(phone, null), Project, new VmQuery(), new Window(), Stop)).Message);
        Assert.Equal("session_not_found", No(await Account.EndSession(bea, phone.Session!.Value, Stop)).Code);

        // Used every hour it stays; left alone it does not.
        for (var hour = 0; hour < 30; hour++)
        {
            Time.Advance(TimeSpan.FromHours(1));
            Assert.True(await SignIn.IsIn(bea.Principal, Stop));
        }
        var idle = (await ByPassword("bea", Good, Phone))!;
        Time.Advance(SessionLife.Idle);
        Assert.False(await SignIn.IsIn(idle, Stop));
        Assert.False(await MayReadVms(idle));

        var long_ = (await ByPassword("bea", Good))!;
        for (var half = 0; half < 2 * SessionLife.Longest.TotalDays - 1; half++)
        {
            Time.Advance(TimeSpan.FromHours(12) - TimeSpan.FromSeconds(1));
            Assert.True(await SignIn.IsIn(long_, Stop));
        }
        Time.Advance(TimeSpan.FromHours(13));
        Assert.False(await SignIn.IsIn(long_, Stop));
    }

    [Fact]
    public async Task A_browser_that_was_left_open_cannot_change_how_its_person_signs_in()
    {
        var bea = await Invited("bea");
        // Whoever came by a link has nothing else yet to show.
        Time.Advance(TimeSpan.FromHours(2));
        Ok(await Account.SetPassword(bea, new SetPassword(Good), Stop));
        Assert.Equal("sign_in_again", No(await Account.SetPassword(bea, new SetPassword(Better, Good), Stop)).Code);
        Assert.Equal("sign_in_again", No(await Account.CreateToken(bea, new CreateToken("ci", 1), Stop)).Code);
        Assert.Equal("sign_in_again", No(await Account.MayChange(bea, Stop)).Code);
        Assert.NotNull(Ok(await Account.Get(bea, Stop)).SignInAgain);
        var again = new Caller((await SignIn.ByPassword("bea", Good, Laptop with { Leaves = bea.Principal.Session }, Stop)).Value!.Person!, null);
        Ok(await Account.CreateToken(again, new CreateToken("ci", 1), Stop));
        // The new session has taken the place of the old one.
        Assert.False(await SignIn.IsIn(bea.Principal, Stop));
        Assert.Single(Ok(await Account.Sessions(again, Stop)));
    }

    [Fact]
    public async Task A_token_acts_for_its_owner_within_its_limits_and_can_be_revoked()
    {
        var bea = await Invited("bea");
        var full = Ok(await Account.CreateToken(bea, new CreateToken("all", 30), Stop));
        var reader = Ok(await Account.CreateToken(bea, new CreateToken("reader", 30, "project-viewer", Project: Project), Stop));
        Assert.Equal("default", reader.Token.Project);
        var (all, reads) = (new Caller((await SignIn.ByToken(full.Secret, Stop))!, null), new Caller((await SignIn.ByToken(reader.Secret, Stop))!, null));
        Assert.Equal("bea", all.Principal.Name);
        Assert.True(await MayReadVms(all.Principal));
        Assert.True(await MayReadVms(reads.Principal));
        await Image();
        var no = No(await Vms.Create(reads, Project, Request("web-1"), null, Stop));
        Assert.Equal("This needs vm.create on project default; you have project member on project default, and the token reader allows no more than project viewer on project default.", no.Message);
        Ok(await Vms.Create(all, Project, Request("web-1"), null, Stop));
        // No token makes another.
        Assert.Contains("signed in in a browser", No(await Account.CreateToken(all, new CreateToken("more", 1), Stop)).Message, StringComparison.Ordinal);
        Assert.Contains("signed in in a browser", No(await Account.Sessions(all, Stop)).Message, StringComparison.Ordinal);

        Assert.Equal(2, Ok(await Account.Tokens(bea, Stop)).Count);
        Ok(await Account.EndSession(bea, full.Token.Id, Stop));
        Assert.Null(await SignIn.ByToken(full.Secret, Stop));
        Assert.False(await MayReadVms(all.Principal));
        Time.Advance(TimeSpan.FromDays(30));
        Assert.Null(await SignIn.ByToken(reader.Secret, Stop));
        Assert.False(await MayReadVms(reads.Principal));
        Assert.Null(await SignIn.ByToken("plinth_made-up", Stop));
        await using var db = Store.Read();
        Assert.DoesNotContain(await db.Sessions.ToListAsync(), s => s.TokenHash == full.Secret || s.Name.Contains(full.Secret, StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_is_wrong_with_a_token_is_said_at_its_field()
    {
        var bea = await Invited("bea");
        var refused = await Account.CreateToken(bea, new CreateToken(" ", 0, "no-such-role"), Stop);
        Assert.Equal(["days", "name", "role"], refused.Refusals.Select(r => r.Field).Order());
        Assert.Equal(("project", "project_not_found"), Field(await Account.CreateToken(bea, new CreateToken("ci", 1, "project-viewer", Project: "not-mine"), Stop)));
        Assert.Equal(("role", "required"), Field(await Account.CreateToken(bea, new CreateToken("ci", 1, Project: Project), Stop)));

        static (string?, string) Field<T>(Result<T> result) => (No(result).Field, No(result).Code);
    }

    [Fact]
    public async Task Whoever_is_shut_out_is_out_with_sessions_and_tokens()
    {
        var bea = await Invited("bea");
        Ok(await Account.SetPassword(bea, new SetPassword(Good), Stop));
        var token = Ok(await Account.CreateToken(bea, new CreateToken("ci", 30), Stop)).Secret;
        var user = new UserId(Guid.Parse(bea.Principal.Id));
        Assert.Single(Ok(await Account.SessionsOf(Ana, user, Stop)));
        Ok(await The<IAccess>().Disable(Ana, user, true, Stop));
        Assert.False(await SignIn.IsIn(bea.Principal, Stop));
        Assert.Null(await SignIn.ByToken(token, Stop));
        Assert.Null(await ByPassword("bea", Good));
        Ok(await The<IAccess>().Disable(Ana, user, false, Stop));
        // Nothing comes back by itself.
        Assert.False(await SignIn.IsIn(bea.Principal, Stop));
        Assert.Null(await SignIn.ByToken(token, Stop));
        var back = (await ByPassword("bea", Good))!;
        Ok(await Account.EndSessionsOf(Ana, user, Stop));
        Assert.False(await SignIn.IsIn(back, Stop));
    }

    [Fact]
    public async Task Programs_are_listed_and_revoked_and_go_with_their_person()
    {
        var (bea, cem) = (await Invited("bea"), await Invited("cem"));
        var user = new UserId(Guid.Parse(bea.Principal.Id));
        var (one, two) = (new ProgramView(Guid.NewGuid(), "dashboard", Time.GetUtcNow(), Time.GetUtcNow().AddDays(14)), new ProgramView(Guid.NewGuid(), "Plinth command line", Time.GetUtcNow(), Time.GetUtcNow().AddDays(14)));
        Programs.Allowed.AddRange([(user, one), (user, two)]);
        Assert.Equal([one, two], Ok(await Account.Programs(bea, Stop)));
        Assert.Equal("program_not_found", No(await Account.RevokeProgram(cem, one.Id, Stop)).Code);
        Ok(await Account.RevokeProgram(bea, one.Id, Stop));
        Assert.Equal([two], Ok(await Account.Programs(bea, Stop)));
        Ok(await The<IAccess>().Disable(Ana, user, true, Stop));
        Assert.Empty(Programs.Allowed);
    }

    [Fact]
    public async Task Others_sessions_are_for_those_who_look_after_the_platform()
    {
        var (bea, cem) = (await Invited("bea"), await Invited("cem"));
        var user = new UserId(Guid.Parse(bea.Principal.Id));
        Assert.Equal("forbidden", No(await Account.SessionsOf(cem, user, Stop)).Code);
        Assert.Equal("forbidden", No(await Account.EndSessionsOf(cem, user, Stop)).Code);
        Assert.Equal("session_not_found", No(await Account.EndSession(cem, bea.Principal.Session!.Value, Stop)).Code);
        Assert.True(await SignIn.IsIn(bea.Principal, Stop));
    }

    [Fact]
    public async Task Passkeys_are_kept_used_and_removed()
    {
        var bea = await Invited("bea");
        var user = new UserId(Guid.Parse(bea.Principal.Id));
        var made = new StoredPasskey(user, "AQID", [1, 2, 3], 0, ["internal"], true, true, Time.GetUtcNow());
        Assert.Equal("name", No(await Account.AddPasskey(bea, "", made, Stop)).Field);
        var added = Assert.Single(Ok(await Account.AddPasskey(bea, "Laptop", made, Stop)).Passkeys);
        Assert.Equal("passkey_known", No(await Account.AddPasskey(bea, "Again", made, Stop)).Code);
        Assert.Equal("passkey_of_another", No(await Account.AddPasskey(await Invited("cem"), "Theirs", made with { CredentialId = "BBBB" }, Stop)).Code);

        var asked = Time.GetUtcNow();
        Time.Advance(TimeSpan.FromSeconds(2));
        var person = Ok(await SignIn.ByPasskey(new PasskeyUse("AQID", 0, true, asked), Laptop, Stop));
        Assert.Equal("bea", person.Name);
        // The same answer to the same question signs nobody in a second time.
        Assert.Contains("used elsewhere", (await SignIn.ByPasskey(new PasskeyUse("AQID", 0, true, asked), Phone, Stop)).Reason, StringComparison.Ordinal);
        Ok(await Account.RemovePasskey(bea, added.Id, Stop));
        Assert.Contains("does not know the passkey", (await SignIn.ByPasskey(new PasskeyUse("AQID", 0, true, Time.GetUtcNow()), Laptop, Stop)).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task After_a_restore_nobody_is_in_by_an_old_session()
    {
        var bea = await Invited("bea");
        await File.WriteAllTextAsync(DataFile("restored.json"), $$"""{"At":"2026-03-01T12:00:00+00:00","BackupAt":"2026-02-28T12:00:00+00:00","BackupVersion":"0.1.0"}""");
        await Restart();
        Assert.False(await SignIn.IsIn(bea.Principal, Stop));
    }
}

/// <summary>The same on the other engine.</summary>
[Collection(PostgresCollection.Name)]
public sealed class PostgresAccountTests(PostgresServer server) : AccountTests
{
    protected override async Task<DatabaseSettings> NewDatabase() => DatabaseSettings.Postgres(await server.NewDatabase());
}
