using Plinth.Core.Primitives;

namespace Plinth.Web.Api;

/// <summary>
/// Refuses query parameters that an endpoint does not have, and those given twice. A misspelt filter would otherwise answer with everything.
/// </summary>
internal static class StrictQuery
{
    public static TBuilder RefuseUnknownQuery<TBuilder>(this TBuilder group) where TBuilder : IEndpointConventionBuilder =>
        group.AddEndpointFilterFactory((context, next) =>
        {
            var known = context.MethodInfo.GetParameters().Where(p => p.ParameterType == typeof(string)).Select(p => p.Name!).ToHashSet(StringComparer.Ordinal);
            return invocation =>
            {
                var request = invocation.HttpContext.Request;
                var refusals = new List<Refusal>();
                foreach (var (name, values) in request.Query)
                {
                    var shown = string.Concat(name.Take(60).Select(c => char.IsControl(c) ? '?' : c));
                    if (!known.Contains(name) || request.RouteValues.ContainsKey(name))
                    {
                        var possible = known.Where(k => !request.RouteValues.ContainsKey(k)).Order().ToList();
                        refusals.Add(Refusal.Invalid(shown, "unknown_parameter", $"There is no query parameter {shown}{(possible.Count > 0 ? $"; known are: {string.Join(", ", possible)}" : "")}."));
                    }
                    else if (values.Count > 1)
                    {
                        refusals.Add(Refusal.Invalid(shown, "duplicate_parameter", $"The query parameter {shown} is given {values.Count} times."));
                    }
                }
                return refusals.Count == 0 ? next(invocation) : ValueTask.FromResult<object?>(Problems.Result(refusals));
            };
        });
}
