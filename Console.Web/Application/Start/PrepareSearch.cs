namespace Plinth.Web.Application.Start;

/// <summary>The first search of a process pays for what later ones find prepared (compiled queries, pages of the database in memory): the start pays, not a person.</summary>
internal sealed class PrepareSearch(ISearch search) : IStartupStep
{
    public int Order => 100;

    public Task Run(CancellationToken stop) => search.Find(Caller.System, "a", 1, stop);
}
