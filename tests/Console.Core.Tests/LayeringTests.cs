using System.Text.RegularExpressions;
using NetArchTest.Rules;
using Plinth.Core.Primitives;

namespace Plinth.Core.Tests;

/// <summary>The arrows inside Core, as data. Areas on one line do not see each other; each sees what stands on the lines above it.</summary>
public partial class LayeringTests
{
    private static readonly string[][] Layers =
    [
        ["Primitives"],
        ["Inventory", "Identity"],
        ["Machines", "Storage", "Network"],
        ["State"],
        ["Placement"],
    ];

    /// <summary>Areas beside the tower, with all that each may see.</summary>
    private static readonly Dictionary<string, string[]> Beside = new()
    {
        ["Audit"] = ["Primitives"],
        // The configurations that the protocol carries are those of their areas.
        ["Protocol"] = ["Primitives", "Inventory", "Machines", "Storage", "Network"],
        ["Quotas"] = ["Primitives", "Machines"],
        // From reports to the steps of operations.
        ["Operations"] = ["Primitives", "Inventory", "Machines", "Storage", "Network", "Protocol"],
    };

    public static TheoryData<string> Areas() => [.. Allowed().Keys];

    [Theory, MemberData(nameof(Areas))]
    public void An_area_sees_only_what_its_arrows_say(string area)
    {
        var forbidden = Allowed().Keys.Except(Allowed()[area]).Except([area]).Select(a => "Plinth.Core." + a).ToArray();
        var result = Types.InAssembly(typeof(VmId).Assembly).That().ResideInNamespaceMatching($@"^Plinth\.Core\.{area}(\.|$)").ShouldNot().HaveDependencyOnAny(forbidden).GetResult();
        Assert.True(result.IsSuccessful, $"{area} may see {string.Join(", ", Allowed()[area])} and no other area, but these do: {string.Join(", ", result.FailingTypeNames ?? [])}");
    }

    [Fact]
    public void Every_area_stands_in_the_picture()
    {
        var areas = typeof(VmId).Assembly.GetTypes().Select(t => AreaName().Match(t.Namespace ?? "")).Where(m => m.Success).Select(m => m.Groups[1].Value).Distinct();
        Assert.Empty(areas.Except(Allowed().Keys));
    }

    [Fact]
    public void Core_is_pure()
    {
        string[] world = ["Microsoft.AspNetCore", "Microsoft.EntityFrameworkCore", "Microsoft.Extensions", "System.Net.Http", "System.Net.Sockets", "System.IO.File", "System.IO.Directory", "System.Diagnostics.Process", "System.Threading.Timer"];
        var result = Types.InAssembly(typeof(VmId).Assembly).ShouldNot().HaveDependencyOnAny(world).GetResult();
        Assert.True(result.IsSuccessful, "these see the world: " + string.Join(", ", result.FailingTypeNames ?? []));
    }

    private static Dictionary<string, string[]> Allowed()
    {
        var allowed = new Dictionary<string, string[]>(Beside);
        for (var i = 0; i < Layers.Length; i++)
            foreach (var area in Layers[i]) allowed[area] = [.. Layers.Take(i).SelectMany(l => l)];
        return allowed;
    }

    [GeneratedRegex(@"^Plinth\.Core\.(\w+)")]
    private static partial Regex AreaName();
}
