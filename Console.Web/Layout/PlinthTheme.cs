using MudBlazor;

namespace Plinth.Web.Layout;

/// <summary>
/// What MudBlazor needs to know at run time: type and corners. The two palettes are CSS (wwwroot/app.css), chosen by
/// <c>html[data-theme]</c> before the first paint, so a change of theme costs no round trip and nothing flashes.
/// </summary>
public static class PlinthTheme
{
    private static readonly string[] Sans = ["Geist", "system-ui", "sans-serif"];

    public static MudTheme Theme { get; } = new()
    {
        LayoutProperties = new LayoutProperties { DefaultBorderRadius = "8px" },
        Typography = new Typography
        {
            Default = new DefaultTypography { FontFamily = Sans, FontSize = ".875rem", LineHeight = "1.43", LetterSpacing = "normal" },
            Button = new ButtonTypography { FontFamily = Sans, FontSize = ".875rem", FontWeight = "500", LineHeight = "1.43", LetterSpacing = "normal", TextTransform = "none" },
            H6 = new H6Typography { FontFamily = Sans, FontSize = "1.0625rem", FontWeight = "600", LineHeight = "1.4", LetterSpacing = "-0.005em" },
            Body1 = new Body1Typography { FontFamily = Sans, FontSize = ".875rem", LineHeight = "1.5", LetterSpacing = "normal" },
            Body2 = new Body2Typography { FontFamily = Sans, FontSize = ".8125rem", LineHeight = "1.5", LetterSpacing = "normal" },
        },
    };
}
