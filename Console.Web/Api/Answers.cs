using Plinth.Core.Primitives;
using Plinth.Web.Application;

namespace Plinth.Web.Api;

/// <summary>Results of use cases as HTTP answers.</summary>
internal static class Answers
{
    public static IResult Ok<T>(Result<T> result) => result.Succeeded ? Results.Json(result.Value, Json.Options) : Problems.Result(result.Refusals);

    /// <summary>With the version as ETag; 304 where the caller has it already.</summary>
    public static IResult Resource<T>(HttpContext context, Result<T> result, Func<T, long> version)
    {
        if (!result.Succeeded) return Problems.Result(result.Refusals);
        var tag = $"\"{version(result.Value!)}\"";
        context.Response.Headers.ETag = tag;
        return HttpMethods.IsGet(context.Request.Method) && context.Request.Headers.IfNoneMatch == tag ? Results.StatusCode(StatusCodes.Status304NotModified) : Results.Json(result.Value, Json.Options);
    }

    public static IResult Created<T>(HttpContext context, Result<T> result, Func<T, string> location, Func<T, long>? version = null)
    {
        if (!result.Succeeded) return Problems.Result(result.Refusals);
        if (version is not null) context.Response.Headers.ETag = $"\"{version(result.Value!)}\"";
        context.Response.Headers.Location = location(result.Value!);
        return Results.Json(result.Value, Json.Options, statusCode: StatusCodes.Status201Created);
    }

    /// <summary>Long work: 202, and where to follow it.</summary>
    public static IResult Accepted(HttpContext context, Result<OperationView> result)
    {
        if (!result.Succeeded) return Problems.Result(result.Refusals);
        context.Response.Headers.Location = $"{ApiRegistration.Root}/operations/{result.Value.Id}";
        return Results.Json(result.Value, Json.Options, statusCode: StatusCodes.Status202Accepted);
    }

    public static IResult NoContent(Result<Done> result) => result.Succeeded ? Results.NoContent() : Problems.Result(result.Refusals);

    /// <summary>A list that is always whole, in the form of every list.</summary>
    public static IResult Whole<T>(Result<IReadOnlyList<T>> result) => result.Succeeded ? Results.Json(new Page<T>(result.Value!, result.Value!.Count, null), Json.Options) : Problems.Result(result.Refusals);
}
