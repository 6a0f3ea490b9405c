using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;
using Plinth.Core.Identity;
using Plinth.Web.Security.OpenId;

namespace Plinth.Web.Api;

/// <summary>What the OpenAPI document says beyond what the endpoints say themselves.</summary>
internal static class OpenApiDescription
{
    private const string TokenScheme = "token";

    /// <summary>Which permission an operation needs, for programs that read the description.</summary>
    public const string PermissionExtension = "x-plinth-permission";

    public static void Configure(OpenApiOptions options)
    {
        options.OpenApiVersion = OpenApiSpecVersion.OpenApi3_1;
        options.AddDocumentTransformer((document, _, _) =>
        {
            document.Info = new OpenApiInfo
            {
                Title = "Plinth",
                Version = "v1",
                Description = "Run a private cloud: hosts, virtual machines, images and the work on them. Refusals are RFC 9457 problem details with a stable `code` and every error at once; long work answers 202 with an operation to follow; lists are windows with a true total and a cursor.",
            };
            document.Servers?.Clear();
            document.Components ??= new OpenApiComponents();
            document.Components.SecuritySchemes = new Dictionary<string, IOpenApiSecurityScheme>
            {
                [TokenScheme] = new OpenApiSecurityScheme
                {
                    Type = SecuritySchemeType.OAuth2,
                    Description = "Access token of the embedded OpenID provider, or a token that a person made for a program (plinth_…). Browsers of people who are signed in use their cookie.",
                    Flows = new OpenApiOAuthFlows
                    {
                        ClientCredentials = new OpenApiOAuthFlow { TokenUrl = new Uri(OpenIdProvider.TokenPath, UriKind.Relative), Scopes = new Dictionary<string, string> { [OpenIdProvider.ApiScope] = "Use the API" } },
                    },
                },
            };
            document.Security = [new OpenApiSecurityRequirement { [new OpenApiSecuritySchemeReference(TokenScheme, document)] = [OpenIdProvider.ApiScope] }];
            return Task.CompletedTask;
        });
        options.AddOperationTransformer((operation, context, _) =>
        {
            if (context.Description.ActionDescriptor.EndpointMetadata.OfType<NeedsPermission>().LastOrDefault() is { } needs)
            {
                operation.Description = $"{operation.Description} Needs `{needs.Permission}`{(needs.Permission == Permissions.Personal ? ", which everybody has" : "")}.".TrimStart();
                (operation.Extensions ??= new Dictionary<string, IOpenApiExtension>())[PermissionExtension] = new JsonNodeExtension(needs.Permission);
            }
            var post = HttpMethods.IsPost(context.Description.HttpMethod ?? "");
            if (post || HttpMethods.IsDelete(context.Description.HttpMethod ?? ""))
                Header(operation, "Idempotency-Key", "1–100 visible ASCII characters. The same request under the same key is done once and answered alike.");
            if (HttpMethods.IsPatch(context.Description.HttpMethod ?? "") || HttpMethods.IsDelete(context.Description.HttpMethod ?? ""))
                Header(operation, "If-Match", "The ETag that the change is based on; 412 when there is a newer one.");
            foreach (var parameter in operation.Parameters ?? [])
                if (parameter is OpenApiParameter { In: ParameterLocation.Query, Name: "limit" or "offset" or "sequence" or "size" or "from" or "to" } number)
                    number.Schema = new OpenApiSchema { Type = JsonSchemaType.Integer, Format = "int64" };
            return Task.CompletedTask;
        });
    }

    private static void Header(OpenApiOperation operation, string name, string description) =>
        (operation.Parameters ??= []).Add(new OpenApiParameter { Name = name, In = ParameterLocation.Header, Description = description, Schema = new OpenApiSchema { Type = JsonSchemaType.String } });

    /// <summary>The permission that the use case behind it asks for: on the project in the path, where there is one. Every endpoint says it.</summary>
    public static RouteHandlerBuilder Needs(this RouteHandlerBuilder endpoint, string permission) => endpoint.WithMetadata(new NeedsPermission(permission));

    /// <summary>Summary, description, the answer on success, and the problems that every endpoint may answer with.</summary>
    public static RouteHandlerBuilder Describe<T>(this RouteHandlerBuilder endpoint, string summary, string description, int status = StatusCodes.Status200OK) =>
        endpoint.WithSummary(summary).WithDescription(description).Produces<T>(status, "application/json").WithProblems();

    public static RouteHandlerBuilder Describe(this RouteHandlerBuilder endpoint, string summary, string description) =>
        endpoint.WithSummary(summary).WithDescription(description).Produces(StatusCodes.Status204NoContent).WithProblems();

    public static RouteHandlerBuilder DescribeFile(this RouteHandlerBuilder endpoint, string summary, string description, string type) =>
        endpoint.WithSummary(summary).WithDescription(description).Produces<byte[]>(StatusCodes.Status200OK, type).WithProblems();

    public static RouteHandlerBuilder DescribeStream(this RouteHandlerBuilder endpoint, string summary) =>
        endpoint.WithSummary(summary)
            .WithDescription("Server-sent events: each carries the present form of one resource, or {\"id\", \"deleted\": true}; event \"reset\" means read the list anew.")
            .Produces<string>(StatusCodes.Status200OK, "text/event-stream").WithProblems();

    public static RouteHandlerBuilder DescribeFile(this RouteHandlerBuilder endpoint, string summary) =>
        endpoint.WithSummary(summary)
            .WithDescription("The whole list under the filters, streamed. Cells that a spreadsheet would take for a formula begin with an apostrophe.")
            .Produces<string>(StatusCodes.Status200OK, "text/csv").WithProblems();

    private static RouteHandlerBuilder WithProblems(this RouteHandlerBuilder endpoint)
    {
        foreach (var status in (int[])[400, 401, 403, 404, 409, 412]) endpoint.Produces<Problem>(status, Problems.ContentType);
        return endpoint;
    }
}

/// <summary>Says of an endpoint which permission it needs.</summary>
internal sealed record NeedsPermission(string Permission);
