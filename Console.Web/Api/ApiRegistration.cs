using Plinth.Web.Security;
using Scalar.AspNetCore;

namespace Plinth.Web.Api;

/// <summary>The API: one file per area, everything under one policy.</summary>
public static class ApiRegistration
{
    public const string Root = "/api/v1";
    private const string DocumentPath = "/openapi/{documentName}.json";

    public static void AddPlinthApi(this IServiceCollection services)
    {
        services.ConfigureHttpJsonOptions(o => Json.Configure(o.SerializerOptions));
        services.Configure<RouteHandlerOptions>(o => o.ThrowOnBadRequest = true);
        services.AddSingleton<Watch>();
        services.AddOpenApi("v1", OpenApiDescription.Configure);
    }

    public static void MapPlinthApi(this WebApplication app)
    {
        var api = app.MapGroup(Root).RequireAuthorization(ApiAuthorization.Policy).DisableAntiforgery().RefuseUnknownQuery();
        IdentityEndpoints.Map(api);
        VmEndpoints.Map(api);
        VolumeEndpoints.Map(api);
        SnapshotEndpoints.Map(api);
        InterfaceEndpoints.Map(api);
        HostEndpoints.Map(api);
        CatalogueEndpoints.Map(api);
        NetworkEndpoints.Map(api);
        StorageClassEndpoints.Map(api);
        OperationEndpoints.Map(api);
        AgentEndpoints.Map(api);
        JoinTokenEndpoints.Map(api);
        AuditEndpoints.Map(api);
        OverviewEndpoints.Map(api);
        UpkeepEndpoints.Map(api);
        SearchEndpoints.Map(api);
        PersonalEndpoints.Map(api);
        AccountEndpoints.Map(api);
        CsvEndpoints.Map(api);
        HistoryEndpoints.Map(api);

        // The description holds no data; whoever may not call the API may still read how it works.
        app.MapOpenApi(DocumentPath).AllowAnonymous();
        app.MapScalarApiReference("/docs/api", o =>
        {
            o.Title = "Plinth API";
            o.OpenApiRoutePattern = DocumentPath;
            o.DefaultFonts = false;
            o.HideDeveloperTools();
        }).AllowAnonymous();
    }
}
