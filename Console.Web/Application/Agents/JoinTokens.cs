using System.Globalization;
using Microsoft.EntityFrameworkCore;
using Plinth.Core.Identity;
using Plinth.Core.Machines;
using Plinth.Core.Primitives;
using Plinth.Web.Application.Identity;
using Plinth.Web.Persistence;
using Plinth.Web.Persistence.Rows;

namespace Plinth.Web.Application.Agents;

/// <summary>One-time tokens for joining agents: issued, listed, revoked. Using one up belongs to the enrolment itself.</summary>
internal sealed class JoinTokens(IConsoleStore store, AccessControl access, IEnrolmentAddress console) : IAgents, IJoinTokenIssuer
{
    private const int MaxDescriptionLength = 200;
    private const long DefaultMinutes = 60, MaxMinutes = 24 * 60;

    async Task<Result<Page<JoinTokenView>>> IAgents.JoinTokens(Caller caller, Window window, CancellationToken stop)
    {
        if (await access.Check(caller, Permissions.AgentJoin, stop) is { } forbidden) return forbidden;
        var offset = window.Offset ?? 0;
        if (window.Cursor is { } cursor && (!int.TryParse(cursor, NumberStyles.None, CultureInfo.InvariantCulture, out offset)))
            return Refusal.Invalid("cursor", "bad_cursor", "The cursor is not one that this list has given.");
        if (window.Limit is < 1 or > 500) return Refusal.Invalid("limit", "out_of_range", $"limit is {window.Limit}; 1 to 500 are allowed.");
        await using var db = store.Read();
        var total = await db.JoinTokens.LongCountAsync(t => t.RevokedAt == null, stop);
        var rows = await (
            from token in db.JoinTokens
            where token.RevokedAt == null
            join host in db.Hosts on token.Host equals (HostId?)host.Id into hosts
            from host in hosts.DefaultIfEmpty()
            orderby token.CreatedAt descending, token.TokenHash
            select new { Token = token, HostName = host == null ? null : host.Name })
            .Skip(offset).Take(window.Limit).ToListAsync(stop);
        var next = offset + rows.Count;
        return new Page<JoinTokenView>(rows.Select(r => View(r.Token, r.HostName)).ToList(), total, next < total && rows.Count > 0 ? next.ToString(CultureInfo.InvariantCulture) : null);
    }

    public Task<Result<JoinCommandView>> CreateJoinToken(Caller caller, CreateJoinToken request, string? idempotencyKey, CancellationToken stop)
    {
        var judged = Judge(request);
        var (hash, key) = (Secrets.Hash($"join-token|{request.Description}|{request.ValidMinutes}"), idempotencyKey);
        return store.Write(async scope =>
        {
            var refusals = await access.Check(scope.Db, caller, Permissions.AgentJoin, stop) is { } forbidden ? [forbidden] : judged;
            var who = $"{caller.Principal.Kind.ToString().ToLowerInvariant()}:{caller.Principal.Id}";
            if (refusals.Count == 0 && key is not null)
            {
                if (await scope.Db.IdempotencyKeys.AnyAsync(k => k.Principal == who && k.Key == key, stop))
                    refusals = [Refusal.Conflict("token_shown", "A join token was made under this Idempotency-Key already. Its command was shown once and cannot be shown again; revoke it and make another under a new key.")];
            }
            if (refusals.Count > 0)
            {
                scope.Audit(caller.Principal, caller.RemoteAddress, "join-token.create", "join-token", null, AuditOutcomes.Refused, string.Join(" ", refusals.Select(r => r.Message)));
                return Result<JoinCommandView>.No(refusals);
            }
            var secret = Secrets.New();
            var row = Add(scope, secret, request.Description?.Trim() ?? "", caller.Principal.Name, TimeSpan.FromMinutes(request.ValidMinutes ?? DefaultMinutes));
            if (key is not null) scope.Db.Add(new IdempotencyKeyRow { Principal = who, Key = key, RequestHash = hash, Reference = $"join-token:{row.Id}", CreatedAt = scope.Now });
            scope.Audit(caller.Principal, caller.RemoteAddress, "join-token.create", $"join-token/{row.Id}", null, AuditOutcomes.Done, $"valid until {row.ExpiresAt:u}");
            return new JoinCommandView(View(row, null), JoinCommand.For(console, secret), console.Fingerprint);
        }, stop);
    }

    public Task<Result<Done>> RevokeJoinToken(Caller caller, JoinTokenId token, CancellationToken stop) => store.Write(async scope =>
    {
        var row = await scope.Db.JoinTokens.FirstOrDefaultAsync(t => t.Id == token && t.RevokedAt == null, stop);
        var refusal = await access.Check(scope.Db, caller, Permissions.AgentJoin, stop)
            ?? (row is null ? Refusal.NotFound("join_token_unknown", $"There is no join token {token}.") : null)
            ?? (row!.UsedAt is { } used ? Refusal.Conflict("join_token_used", $"The join token was used at {used:u}; retire the host instead.") : null);
        if (refusal is null) row!.RevokedAt = scope.Now;
        scope.Audit(caller.Principal, caller.RemoteAddress, "join-token.revoke", $"join-token/{token}", null, refusal is null ? AuditOutcomes.Done : AuditOutcomes.Refused, refusal?.Message ?? "");
        return refusal is null ? Result<Done>.Ok(Done.Value) : refusal;
    }, stop);

    public async Task<IReadOnlyList<string>> Reissue(string description, int count, TimeSpan valid, CancellationToken stop)
    {
        var secrets = Enumerable.Range(0, count).Select(_ => Secrets.New()).ToList();
        await store.Write(async scope =>
        {
            var console = Principal.System.Name;
            foreach (var former in await scope.Db.JoinTokens.Where(t => t.Description == description && t.CreatedBy == console && t.UsedAt == null && t.RevokedAt == null).ToListAsync(stop)) former.RevokedAt = scope.Now;
            foreach (var secret in secrets) Add(scope, secret, description, console, valid);
            scope.Audit(Principal.System, null, "join-token.create", "join-token", null, AuditOutcomes.Done, $"{count} for: {description}");
            return Done.Value;
        }, stop);
        return secrets;
    }

    private static IReadOnlyList<Refusal> Judge(CreateJoinToken request)
    {
        var refusals = new RefusalList();
        if (request.Description is { } text)
        {
            if (text.Length > MaxDescriptionLength) refusals.Invalid("description", "too_long", $"The description has {text.Length} characters; {MaxDescriptionLength} are allowed.");
            else if (!TextRules.IsPrintable(text)) refusals.Invalid("description", "bad_characters", "The description holds control characters.");
        }
        if (request.ValidMinutes is { } minutes and (< 1 or > MaxMinutes)) refusals.Invalid("validMinutes", "out_of_range", $"validMinutes is {minutes}; 1 to {MaxMinutes} are allowed.");
        return refusals.All;
    }

    private static JoinTokenRow Add(WriteScope scope, string secret, string description, string by, TimeSpan valid)
    {
        var row = new JoinTokenRow { Id = JoinTokenId.New(scope.Now), TokenHash = Secrets.Hash(secret), Description = description, CreatedBy = by, CreatedAt = scope.Now, ExpiresAt = scope.Now + valid };
        scope.Db.Add(row);
        return row;
    }

    private static JoinTokenView View(JoinTokenRow row, string? hostName) => new(row.Id, row.Description, row.CreatedAt, row.CreatedBy, row.ExpiresAt, row.UsedAt, row.Host, hostName);
}
