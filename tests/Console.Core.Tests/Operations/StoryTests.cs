using Xunit;

namespace Plinth.Core.Tests.Operations;

/// <summary>
/// Every folder under data/operations is a story: <c>why</c>, <c>start</c>, <c>commands</c> and the expected <c>log</c>.
/// After a change of behaviour run with PLINTH_ACCEPT_STORIES=path-of-data/operations and read the diff before committing it.
/// </summary>
public sealed class StoryTests
{
    private static readonly string Stories = Path.Combine(AppContext.BaseDirectory, "data", "operations");

    public static TheoryData<string> Names => new(Directory.GetDirectories(Stories).Select(d => Path.GetFileName(d)!).Order(StringComparer.Ordinal));

    [Theory]
    [MemberData(nameof(Names))]
    public void The_story_goes_as_written(string name)
    {
        string Text(string file) => File.ReadAllText(Path.Combine(Stories, name, file));
        Assert.NotEmpty(Text("why"));
        var log = Story.Play(Text("start"), Text("commands"));
        if (Environment.GetEnvironmentVariable("PLINTH_ACCEPT_STORIES") is { Length: > 0 } target)
        {
            File.WriteAllText(Path.Combine(target, name, "log"), log);
            return;
        }
        Assert.Equal(Text("log"), log);
    }

    [Fact]
    public void There_are_stories() => Assert.True(Names.Count >= 10);
}
