using System.Security.Cryptography;
using System.Text.Json;
using Plinth.Core.Identity;
using Plinth.Core.Machines;
using Plinth.Core.Primitives;
using Plinth.Web.Persistence.Mapping;
using Plinth.Web.Persistence.Rows;

namespace Plinth.Web.Application;

/// <summary>One key of one principal for one request: asked again, the first answer is given and nothing is done twice.</summary>
internal sealed record Idempotency(string Principal, string Key, string RequestHash)
{
    public const int MaxKeyLength = 255;

    /// <summary>How long an answer is remembered.</summary>
    public static readonly TimeSpan Kept = TimeSpan.FromHours(24);

    /// <summary>Null where no key was sent.</summary>
    public static Result<Idempotency?> Of(Caller caller, string? key, string action, params object?[] request)
    {
        if (key is null) return Result<Idempotency?>.Ok(null);
        if (key.Length is 0 or > MaxKeyLength || key.Any(c => c is < '!' or > '~'))
            return Refusal.Invalid("Idempotency-Key", "bad_idempotency_key", $"An idempotency key has 1 to {MaxKeyLength} printable characters without spaces, for example a UUID.");
        var text = JsonSerializer.SerializeToUtf8Bytes(new object?[] { action, request }, StoredJson.Options);
        return new Idempotency(Owner(caller.Principal), key, Convert.ToHexStringLower(SHA256.HashData(text)));
    }

    /// <summary>The reference stored for this request, or a refusal when the key was used for another.</summary>
    public Result<Guid> Answer(IdempotencyKeyRow earlier) => earlier.RequestHash == RequestHash
        ? Guid.Parse(earlier.Reference)
        : Refusal.Conflict("idempotency_key_reused", $"The idempotency key {RefusalList.Quote(Key)} was used for a different request at {earlier.CreatedAt:u}. Send a new key with this one.") with { Field = "Idempotency-Key" };

    public IdempotencyKeyRow Row(Guid reference, DateTimeOffset now) =>
        new() { Principal = Principal, Key = Key, RequestHash = RequestHash, Reference = reference.ToString(), CreatedAt = now };

    /// <summary>Whose something is: "user:…".</summary>
    public static string Owner(Principal principal) => $"{OperationSteps.Word(principal.Kind)}:{principal.Id}";
}
