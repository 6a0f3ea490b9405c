using Microsoft.AspNetCore.Components;

namespace Plinth.Web.Components;

/// <summary>A popover has opened or closed, by whatever means; js/plinth.js makes it from the browser's <c>toggle</c>.</summary>
public sealed class PopoverEventArgs : EventArgs
{
    public bool Open { get; set; }
}

[EventHandler("onpopover", typeof(PopoverEventArgs))]
public static class EventHandlers;
