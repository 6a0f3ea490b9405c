using Microsoft.AspNetCore.Components;

namespace Plinth.Web.Layout.Commands;

/// <summary>An act that the open page offers, as the palette shows it.</summary>
/// <param name="WhyNot">Why it cannot be done now; null where it can.</param>
public sealed record PageCommand(string Text, Func<Task> Act, string? WhyNot = null);

/// <summary>What the open page can do: a page sets it as often as it is drawn, the palette lists it first. They end with the page's address.</summary>
public sealed class PageCommands(NavigationManager navigation)
{
    private string? _address;
    private IReadOnlyList<PageCommand> _commands = [];

    public IReadOnlyList<PageCommand> Commands => _address == Address ? _commands : [];

    public void Set(params IReadOnlyList<PageCommand> commands) => (_address, _commands) = (Address, commands);

    private string Address => new Uri(navigation.Uri).AbsolutePath;
}
