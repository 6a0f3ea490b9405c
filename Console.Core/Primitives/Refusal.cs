using System.Diagnostics.CodeAnalysis;

namespace Plinth.Core.Primitives;

/// <summary>What kind of "no" it is; the API maps each kind to one HTTP status.</summary>
public enum RefusalKind
{
    /// <summary>The input is wrong; the field says where (400).</summary>
    Invalid,
    /// <summary>There is no such thing, or not for this caller (404).</summary>
    NotFound,
    /// <summary>The thing's present state does not allow it (409).</summary>
    Conflict,
    /// <summary>The caller may not do it (403).</summary>
    Forbidden,
    /// <summary>The version the caller saw is no longer the newest (412).</summary>
    Stale,
    /// <summary>There is not enough of something; it may fit later (409).</summary>
    NoCapacity,
    /// <summary>A part that is needed does not answer now (503).</summary>
    Unavailable,
}

/// <summary>
/// An expected "no", told the same way in the API and on the page.
/// <paramref name="Code"/> is stable ("name_taken"); <paramref name="Message"/> is a full sentence with numbers and the fix;
/// <paramref name="Field"/> is the JSON path of the offending input ("disks[0].sizeGib"), where there is one.
/// </summary>
public sealed record Refusal(RefusalKind Kind, string Code, string Message, string? Field = null)
{
    public static Refusal Invalid(string field, string code, string message) => new(RefusalKind.Invalid, code, message, field);
    public static Refusal NotFound(string code, string message, string? field = null) => new(RefusalKind.NotFound, code, message, field);
    public static Refusal Conflict(string code, string message) => new(RefusalKind.Conflict, code, message);
    public static Refusal Forbidden(string message) => new(RefusalKind.Forbidden, "forbidden", message);
    public static Refusal Stale(string message) => new(RefusalKind.Stale, "stale_version", message);
    public static Refusal NoCapacity(string code, string message) => new(RefusalKind.NoCapacity, code, message);
    public static Refusal Unavailable(string code, string message) => new(RefusalKind.Unavailable, code, message);
}

/// <summary>A value, or every reason why there is none. Faults are exceptions; this is for refusals that are part of the game.</summary>
public readonly struct Result<T>
{
    private readonly T? _value;
    private readonly IReadOnlyList<Refusal>? _refusals;

    private Result(T? value, IReadOnlyList<Refusal>? refusals) => (_value, _refusals) = (value, refusals);

    public static Result<T> Ok(T value) => new(value, null);
    public static Result<T> No(params IReadOnlyList<Refusal> refusals) =>
        refusals.Count == 0 ? throw new ArgumentException("a refusal needs at least one reason", nameof(refusals)) : new(default, refusals);

    [MemberNotNullWhen(true, nameof(Value))]
    public bool Succeeded => _refusals is null;
    public T? Value => Succeeded ? _value! : throw new InvalidOperationException("refused: " + Reason);
    public IReadOnlyList<Refusal> Refusals => _refusals ?? [];
    public string Reason => string.Join(" ", Refusals.Select(r => r.Message));

    public static implicit operator Result<T>(T value) => Ok(value);
    public static implicit operator Result<T>(Refusal refusal) => No(refusal);
}

/// <summary>The value of a result that carries none.</summary>
public readonly record struct Done
{
    public static Done Value => default;
}
