using NetArchTest.Rules;
using Plinth.Web;

namespace Plinth.Web.Tests;

/// <summary>Who sees what in the server, as data: pages and endpoints reach data only through the application.</summary>
public class LayeringTests
{
    private const string Persistence = "Plinth.Web.Persistence";

    /// <summary>Who may see the database.</summary>
    private static readonly string[] SeePersistence = ["Plinth.Web.Application", "Plinth.Web.Workers", Persistence];

    /// <summary>Parts of the composition root: they name the database to the frameworks, and read nothing.</summary>
    private static readonly string[] CompositionRoot =
        ["Plinth.Web.ConsoleApplication", "Plinth.Web.Hosting.DatabaseStartup", "Plinth.Web.Hosting.MigrateDatabase", "Plinth.Web.Hosting.DatabaseStartTurn", "Plinth.Web.Hosting.DatabaseReadiness", "Plinth.Web.Security.SecurityRegistration"];

    private static Types Web => Types.InAssembly(typeof(ConsoleApplication).Assembly);

    [Fact]
    public void Only_application_and_workers_see_the_database()
    {
        var result = Web.That().DoNotHaveNameMatching("^<").ShouldNot().HaveDependencyOn(Persistence).GetResult();
        var outside = (result.FailingTypeNames ?? [])
            .Select(t => t.Split('/')[0])
            .Where(t => !SeePersistence.Any(allowed => t.StartsWith(allowed + ".", StringComparison.Ordinal)) && !CompositionRoot.Contains(t))
            .Distinct();
        Assert.Empty(outside);
    }

    [Theory]
    [InlineData("Plinth.Web.Pages")]
    [InlineData("Plinth.Web.Components")]
    [InlineData("Plinth.Web.Layout")]
    [InlineData("Plinth.Web.Api")]
    [InlineData("Plinth.Web.Hubs")]
    [InlineData("Plinth.Web.Live")]
    public void What_faces_outside_reaches_data_only_through_the_application(string area)
    {
        var result = Web.That().ResideInNamespaceStartingWith(area).ShouldNot().HaveDependencyOnAny(Persistence, "Microsoft.EntityFrameworkCore", "Microsoft.Data.Sqlite", "Npgsql").GetResult();
        Assert.True(result.IsSuccessful, string.Join(", ", result.FailingTypeNames ?? []));
    }

    [Fact]
    public void The_database_knows_nobody_above_it()
    {
        string[] above = ["Plinth.Web.Application", "Plinth.Web.Workers", "Plinth.Web.Api", "Plinth.Web.Hubs", "Plinth.Web.Pages", "Plinth.Web.Components", "Plinth.Web.Security"];
        var result = Web.That().ResideInNamespaceStartingWith(Persistence).ShouldNot().HaveDependencyOnAny(above).GetResult();
        Assert.True(result.IsSuccessful, string.Join(", ", result.FailingTypeNames ?? []));
    }

    [Fact]
    public void The_rules_would_notice()
    {
        // The application does see the database; if the tool did not see that, the rules above would prove nothing.
        Assert.False(Web.That().ResideInNamespaceStartingWith("Plinth.Web.Application").ShouldNot().HaveDependencyOn(Persistence).GetResult().IsSuccessful);
    }
}
