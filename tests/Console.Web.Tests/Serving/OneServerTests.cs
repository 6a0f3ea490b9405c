using Plinth.Web.Options;

namespace Plinth.Web.Tests.Serving;

[Collection(ServedConsoleCollection.Name)]
public sealed class OneServerTests(ServedConsole console)
{
    [Fact]
    public void A_second_process_on_the_same_sqlite_files_is_refused_with_what_to_do()
    {
        var e = Assert.Throws<SettingsException>(() => ServedConsole.Build(console.Data, new CapturedLog()));
        Assert.Contains("is in use", e.Message, StringComparison.Ordinal);
        Assert.Contains("use PostgreSQL", e.Message, StringComparison.Ordinal);
    }
}
