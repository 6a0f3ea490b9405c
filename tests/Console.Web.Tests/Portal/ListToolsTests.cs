using Plinth.Web.Api;
using Plinth.Web.Components.Lists;

namespace Plinth.Web.Tests.Portal;

public sealed class ListToolsTests
{
    private static readonly IReadOnlyList<ListColumn> All = [new("state", "State"), new("host", "Host"), new("labels", "Labels", Usual: false)];

    [Fact]
    public void Without_a_choice_the_usual_columns_are_shown_and_the_url_says_nothing()
    {
        var usual = ColumnSet.Read(null, All);
        Assert.Equal((null, "state,host"), (usual.Text, usual.Keys));
        Assert.False(usual.Has("labels"));
    }

    [Fact]
    public void A_choice_stands_in_the_url_and_comes_back_as_it_was()
    {
        var chosen = ColumnSet.Read(null, All).With("labels", true, All).With("host", false, All);
        Assert.Equal("state,labels", chosen.Text);
        Assert.Equal(chosen, ColumnSet.Read(chosen.Text, All));
        Assert.Null(chosen.With("labels", false, All).With("host", true, All).Text);
    }

    [Fact]
    public void No_column_is_a_choice_too_and_unknown_ones_are_left_out()
    {
        var none = ColumnSet.Read("state", All).With("state", false, All);
        Assert.Equal("", ColumnSet.Read(none.Text, All).Keys);
        Assert.Equal("host", ColumnSet.Read("shoes,host", All).Keys);
    }

    [Fact]
    public void A_selection_survives_its_url_whole()
    {
        var ids = Enumerable.Range(0, Selection.Most).Select(_ => Guid.NewGuid()).ToList();
        var text = Selection.Of(ids).Text!;
        Assert.Equal(ids, Selection.Read(text).Ids);
        Assert.True(text.Length < 2_500, $"{text.Length} characters");
        Assert.Equal(text, Uri.EscapeDataString(text));
    }

    [Fact]
    public void A_damaged_selection_picks_less_and_never_something_else()
    {
        var id = Guid.NewGuid();
        var text = Selection.Of([id]).Text!;
        Assert.Equal([id], Selection.Read($"{text}.###.abc.").Ids);
        Assert.Null(Selection.None.Text);
        Assert.Equal(Selection.Most, Selection.Of(Enumerable.Range(0, 300).Select(_ => Guid.NewGuid())).Count);
    }

    [Theory]
    [InlineData("web-1", "web-1")]
    [InlineData(null, "")]
    [InlineData("a,b", "\"a,b\"")]
    [InlineData("say \"hi\"", "\"say \"\"hi\"\"\"")]
    [InlineData("two\nlines", "\"two\nlines\"")]
    [InlineData("=1+1", "'=1+1")]
    [InlineData("+49 30", "'+49 30")]
    [InlineData("-1", "'-1")]
    [InlineData("@SUM(A1)", "'@SUM(A1)")]
    [InlineData("\t=1", "'\t=1")]
    [InlineData("=HYPERLINK(\"http://x\",\"y\")", "\"'=HYPERLINK(\"\"http://x\"\",\"\"y\"\")\"")]
    public void No_cell_is_a_formula_and_each_stays_one_cell(string? text, string cell) => Assert.Equal(cell, CsvExport.Cell(text));
}
