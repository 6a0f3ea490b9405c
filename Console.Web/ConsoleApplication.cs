namespace Plinth.Web;

/// <summary>The composition root. Tests enter by the same door through one hook.</summary>
public static class ConsoleApplication
{
    public static WebApplication Build(string[] args, Action<WebApplicationBuilder>? configure = null)
    {
        var builder = WebApplication.CreateBuilder(args);
        configure?.Invoke(builder);
        return builder.Build();
    }
}
