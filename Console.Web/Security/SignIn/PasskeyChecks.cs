using System.Text.Json;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Identity;
using Microsoft.AspNetCore.WebUtilities;
using Plinth.Core.Identity;
using Plinth.Core.Primitives;
using Plinth.Web.Application;

namespace Plinth.Web.Security.SignIn;

/// <summary>What a browser is asked, and what it has to bring back with its answer.</summary>
/// <param name="Options">For <c>navigator.credentials</c>, as WebAuthn writes them in JSON.</param>
/// <param name="State">Protected; good for five minutes.</param>
public sealed record PasskeyQuestion(JsonElement Options, string State);

/// <summary>
/// Making and checking passkeys (WebAuthn), by ASP.NET Core Identity's handler. A passkey belongs to the console's host name, asks the person's finger,
/// face or PIN, and is found without a name being typed; so it is two factors in one.
/// </summary>
public sealed class PasskeyChecks(IServiceScopeFactory scopes, IDataProtectionProvider protection, TimeProvider clock)
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    private readonly ITimeLimitedDataProtector _states = protection.CreateProtector("passkey").ToTimeLimitedDataProtector();

    /// <summary>Why there can be none under this address of the console; null where there can.</summary>
    public static string? WhyNone(string host) => System.Net.IPAddress.TryParse(host.Trim('[', ']'), out _) ? $"Browsers bind passkeys to a name, and this console is reached by an address ({host}). Open it by its name." : null;

    /// <summary>For somebody who is signed in and adds one.</summary>
    public async Task<PasskeyQuestion> AskForNew(Principal person, HttpContext context)
    {
        await using var scope = scopes.CreateAsyncScope();
        var asked = await Handler(scope).MakeCreationOptionsAsync(new PasskeyUserEntity { Id = person.Id, Name = person.Name, DisplayName = person.Name }, context);
        return Question(asked.CreationOptionsJson, asked.AttestationState, person.Id);
    }

    /// <summary>What the browser made for the person.</summary>
    public async Task<Result<StoredPasskey>> Made(Principal person, string? state, JsonElement? credential, HttpContext context)
    {
        if (Read(state, person.Id) is not { } asked) return Refusal.Invalid("state", "expired", "The question is older than five minutes, or was put to somebody else; begin anew.");
        if (credential is not { ValueKind: JsonValueKind.Object } answer) return Refusal.Invalid("credential", "required", "The browser's answer is needed, an object.");
        await using var scope = scopes.CreateAsyncScope();
        var result = await Handler(scope).PerformAttestationAsync(new PasskeyAttestationContext { CredentialJson = answer.GetRawText(), AttestationState = asked.Attestation, HttpContext = context });
        if (!result.Succeeded || result.UserEntity.Id != person.Id || !Guid.TryParse(person.Id, out var id)) return Refusal.Invalid("credential", "not_accepted", $"The passkey cannot be taken: {result.Failure?.Message ?? "it is another person's"}");
        var made = result.Passkey;
        return new StoredPasskey(new UserId(id), WebEncoders.Base64UrlEncode(made.CredentialId), made.PublicKey, made.SignCount, made.Transports ?? [], made.IsBackupEligible, made.IsBackedUp, clock.GetUtcNow());
    }

    /// <summary>For whoever wants to sign in; nobody has said yet who.</summary>
    public async Task<PasskeyQuestion> Ask(HttpContext context)
    {
        await using var scope = scopes.CreateAsyncScope();
        var asked = await Handler(scope).MakeRequestOptionsAsync(null, context);
        return Question(asked.RequestOptionsJson, asked.AssertionState, "");
    }

    public async Task<Result<PasskeyUse>> Used(string? state, JsonElement? credential, HttpContext context)
    {
        if (Read(state, "") is not { } asked) return Refusal.Forbidden("The question is older than five minutes; try once more.");
        if (credential is not { ValueKind: JsonValueKind.Object } answer) return Refusal.Invalid("credential", "required", "The browser's answer is needed, an object.");
        await using var scope = scopes.CreateAsyncScope();
        var result = await Handler(scope).PerformAssertionAsync(new PasskeyAssertionContext { CredentialJson = answer.GetRawText(), AssertionState = asked.Attestation, HttpContext = context });
        if (!result.Succeeded) return Refusal.Forbidden($"The passkey was not accepted: {result.Failure.Message}");
        return new PasskeyUse(WebEncoders.Base64UrlEncode(result.Passkey.CredentialId), result.Passkey.SignCount, result.Passkey.IsBackedUp, asked.At);
    }

    private PasskeyQuestion Question(string options, string? state, string person) =>
        new(JsonSerializer.Deserialize<JsonElement>(options), _states.Protect(JsonSerializer.Serialize(new Asked(state, person, clock.GetUtcNow())), clock.GetUtcNow() + Patience));

    private Asked? Read(string? state, string person)
    {
        try
        {
            return state is { Length: > 0 and < 8000 } && JsonSerializer.Deserialize<Asked>(_states.Unprotect(state, out var until)) is { } asked && asked.Person == person && clock.GetUtcNow() < until ? asked : null;
        }
        catch (System.Security.Cryptography.CryptographicException)
        {
            return null;
        }
    }

    private static IPasskeyHandler<PasskeyOwner> Handler(AsyncServiceScope scope) => scope.ServiceProvider.GetRequiredService<IPasskeyHandler<PasskeyOwner>>();

    private sealed record Asked(string? Attestation, string Person, DateTimeOffset At);
}

/// <summary>Somebody with passkeys, as Identity's handler wants to know them.</summary>
public sealed record PasskeyOwner(string Id, string Name);

/// <summary>The console's passkeys, for Identity's handler to read. It writes nothing: that is done in the transaction that begins the session.</summary>
internal sealed class PasskeyOwners(IPasskeys passkeys) : IUserPasskeyStore<PasskeyOwner>
{
    public async Task<PasskeyOwner?> FindByIdAsync(string userId, CancellationToken cancellationToken) =>
        Guid.TryParse(userId, out var id) && await passkeys.NameOf(new UserId(id), cancellationToken) is { } name ? new PasskeyOwner(userId, name) : null;

    public async Task<IList<UserPasskeyInfo>> GetPasskeysAsync(PasskeyOwner user, CancellationToken cancellationToken) =>
        [.. (await passkeys.Of(new UserId(Guid.Parse(user.Id)), cancellationToken)).Select(Info)];

    public async Task<UserPasskeyInfo?> FindPasskeyAsync(PasskeyOwner user, byte[] credentialId, CancellationToken cancellationToken) =>
        await passkeys.Find(WebEncoders.Base64UrlEncode(credentialId), cancellationToken) is { } found && found.User.ToString() == user.Id ? Info(found) : null;

    public async Task<PasskeyOwner?> FindByPasskeyIdAsync(byte[] credentialId, CancellationToken cancellationToken) =>
        await passkeys.Find(WebEncoders.Base64UrlEncode(credentialId), cancellationToken) is { } found ? await FindByIdAsync(found.User.ToString(), cancellationToken) : null;

    public Task<string> GetUserIdAsync(PasskeyOwner user, CancellationToken cancellationToken) => Task.FromResult(user.Id);

    public Task<string?> GetUserNameAsync(PasskeyOwner user, CancellationToken cancellationToken) => Task.FromResult<string?>(user.Name);

    public Task<string?> GetNormalizedUserNameAsync(PasskeyOwner user, CancellationToken cancellationToken) => Task.FromResult<string?>(user.Name);

    public Task<PasskeyOwner?> FindByNameAsync(string normalizedUserName, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task AddOrUpdatePasskeyAsync(PasskeyOwner user, UserPasskeyInfo passkey, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task RemovePasskeyAsync(PasskeyOwner user, byte[] credentialId, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task SetUserNameAsync(PasskeyOwner user, string? userName, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task SetNormalizedUserNameAsync(PasskeyOwner user, string? normalizedName, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<IdentityResult> CreateAsync(PasskeyOwner user, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<IdentityResult> UpdateAsync(PasskeyOwner user, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<IdentityResult> DeleteAsync(PasskeyOwner user, CancellationToken cancellationToken) => throw new NotSupportedException();

    public void Dispose()
    {
    }

    private static UserPasskeyInfo Info(StoredPasskey stored) => new(
        WebEncoders.Base64UrlDecode(stored.CredentialId), stored.PublicKey, stored.CreatedAt, (uint)stored.SignCount, [.. stored.Transports], isUserVerified: true, stored.IsBackupEligible, stored.IsBackedUp, [], []);
}

internal static class PasskeyRegistration
{
    public static void AddPasskeys(this IServiceCollection services)
    {
        services.AddIdentityCore<PasskeyOwner>().AddUserStore<PasskeyOwners>();
        services.AddScoped<IPasskeyHandler<PasskeyOwner>, PasskeyHandler<PasskeyOwner>>();
        services.Configure<IdentityPasskeyOptions>(o =>
        {
            // They belong to the name that the page was opened by; other names than the console's are refused at the door.
            (o.UserVerificationRequirement, o.ResidentKeyRequirement, o.AuthenticatorTimeout) = ("required", "required", TimeSpan.FromMinutes(5));
            o.ValidateOrigin = origin => ValueTask.FromResult(!origin.CrossOrigin && Origins(origin.HttpContext.Request).Contains(origin.Origin));
        });
        services.AddSingleton<PasskeyChecks>().AddSingleton<SignInTickets>();
    }

    // A proxy in front may have taken the encryption off.
    private static IEnumerable<string> Origins(HttpRequest request) => [$"{request.Scheme}://{request.Host}", $"https://{request.Host}"];
}
