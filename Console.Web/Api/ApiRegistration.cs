namespace Plinth.Web.Api;

public static class ApiRegistration
{
    public static void AddPlinthApi(this IServiceCollection services)
    {
        services.ConfigureHttpJsonOptions(o => Json.Configure(o.SerializerOptions));
    }

    public static void MapPlinthApi(this WebApplication app)
    {
    }
}
