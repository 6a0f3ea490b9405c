using MudBlazor;

namespace Plinth.Web.Components.Data;

/// <summary>Asks before something is done that cannot be taken back.</summary>
public static class Confirmations
{
    /// <summary>Null when it was declined; otherwise whether the harsher option was chosen.</summary>
    public static async Task<bool?> Confirm(this IDialogService dialogs, string title, string consequence, string act, bool danger = false, string? option = null, string? typeToConfirm = null)
    {
        var parameters = new DialogParameters<ConfirmDialog>
        {
            { d => d.Title, title },
            { d => d.Consequence, consequence },
            { d => d.Act, act },
            { d => d.Danger, danger },
            { d => d.Option, option },
            { d => d.TypeToConfirm, typeToConfirm },
        };
        var dialog = await dialogs.ShowAsync<ConfirmDialog>(title, parameters);
        return await dialog.Result is { Canceled: false } result ? result.Data is true : null;
    }
}
