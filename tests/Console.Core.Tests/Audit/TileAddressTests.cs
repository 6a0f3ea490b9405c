using Plinth.Core.Audit;

namespace Plinth.Core.Tests.Audit;

public class TileAddressTests
{
    [Theory]
    [InlineData(0, "000", 0L, 256)]
    [InlineData(0, "067", 67L, 256)]
    [InlineData(1, "x001/x234/067", 1_234_067L, 256)]
    [InlineData(0, "x001/000.p/17", 1_000L, 17)]
    [InlineData(2, "000.p/1", 0L, 1)]
    public void A_path_names_a_tile(int level, string path, long index, int count) => Assert.Equal(new TileAddress(level, index, count), TileAddress.Parse(level, path));

    [Theory]
    [InlineData("")]
    [InlineData("1")]
    [InlineData("0067")]
    [InlineData("067/")]
    [InlineData("001/067")]
    [InlineData("x000/067")]
    [InlineData("x001/x067")]
    [InlineData("067.p/0")]
    [InlineData("067.p/256")]
    [InlineData("067.p/007")]
    [InlineData("067.p/")]
    [InlineData("-67")]
    [InlineData("x001/x001/x001/x001/x001/001")]
    public void One_name_for_each_tile_and_no_other(string path) => Assert.Null(TileAddress.Parse(0, path));

    [Fact]
    public void Tiles_of_all_levels_hold_the_whole_tree_and_nothing_beyond_it()
    {
        const long leaves = (256L * 256) + 300;
        Assert.True(new TileAddress(0, 256, 256).IsWithin(leaves));
        Assert.True(new TileAddress(0, 257, 44).IsWithin(leaves));
        Assert.False(new TileAddress(0, 257, 45).IsWithin(leaves));
        Assert.True(new TileAddress(1, 0, 256).IsWithin(leaves));
        Assert.True(new TileAddress(1, 1, 1).IsWithin(leaves));
        Assert.False(new TileAddress(1, 1, 2).IsWithin(leaves));
        Assert.True(new TileAddress(2, 0, 1).IsWithin(leaves));
        Assert.False(new TileAddress(3, 0, 1).IsWithin(leaves));
        Assert.Equal(new NodeAddress(8, 257), new TileAddress(1, 1, 2).Nodes[1]);
    }

    [Fact]
    public void A_bundle_has_each_entry_after_its_length() => Assert.Equal([0, 2, 7, 8, 0, 0, 0, 1, 9], TileAddress.Bundle([[7, 8], [], [9]]));
}
