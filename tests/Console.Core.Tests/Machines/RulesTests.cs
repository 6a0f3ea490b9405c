using System.Text;
using Plinth.Core.Machines;
using Plinth.Core.Primitives;
using Xunit;

namespace Plinth.Core.Tests.Machines;

/// <summary>Bad input as a hostile user sends it: each is refused with its field, and nothing good is.</summary>
public sealed class RulesTests
{
    private static IReadOnlyList<Refusal> Of(Action<RefusalList> check)
    {
        var refusals = new RefusalList();
        check(refusals);
        return refusals.All;
    }

    [Theory]
    [InlineData("a")]
    [InlineData("web-1")]
    [InlineData("0123456789-0123456789-0123456789-0123456789-0123456789-01234567")]
    public void Good_names(string name) => Assert.Empty(Of(r => NameRules.CheckName(r, "name", name)));

    [Theory]
    [InlineData(null, "required")]
    [InlineData("", "required")]
    [InlineData("-a", "bad_name")]
    [InlineData("a-", "bad_name")]
    [InlineData("A", "bad_name")]
    [InlineData("a.b", "bad_name")]
    [InlineData("a b", "bad_name")]
    [InlineData("../etc", "bad_name")]
    [InlineData("$(reboot)", "bad_name")]
    [InlineData("<name/>", "bad_name")]
    [InlineData("a\0", "bad_name")]
    [InlineData("naïve", "bad_name")]
    [InlineData("'; drop table vms; --", "bad_name")]
    [InlineData("0123456789-0123456789-0123456789-0123456789-0123456789-012345678", "too_long")]
    public void Bad_names(string? name, string code)
    {
        var no = Assert.Single(Of(r => NameRules.CheckName(r, "name", name)));
        Assert.Equal((RefusalKind.Invalid, code, "name"), (no.Kind, no.Code, no.Field));
    }

    [Fact]
    public void Descriptions_are_bounded_and_printable()
    {
        Assert.Empty(Of(r => NameRules.CheckDescription(r, "description", new string('ä', 1000))));
        Assert.Equal("too_long", Assert.Single(Of(r => NameRules.CheckDescription(r, "description", new string('a', 1001)))).Code);
        foreach (var bad in new[] { "a\u0000", "a\u001b[31m", "\ud800", "a\u202eb", "a\nb", "\uffff" })
            Assert.Equal("control_character", Assert.Single(Of(r => NameRules.CheckDescription(r, "description", bad))).Code);
    }

    [Fact]
    public void Every_bad_label_is_named()
    {
        var labels = new Dictionary<string, string?> { ["team"] = "a b", ["env"] = "prod", ["none"] = null, ["b ad"] = "x", ["long"] = new string('x', 64) };
        var fields = Of(r => LabelRules.Check(r, "labels", labels)).Select(r => r.Field).Order();
        Assert.Equal(["labels", "labels.long", "labels.none", "labels.team"], fields);
        var many = Enumerable.Range(0, 65).ToDictionary(i => $"k{i}", _ => (string?)"v");
        Assert.Equal("too_many", Assert.Single(Of(r => LabelRules.Check(r, "labels", many))).Code);
    }

    [Theory]
    [InlineData(0L, 512L, 1L, "vcpus")]
    [InlineData(-1L, 512L, 1L, "vcpus")]
    [InlineData(1L, long.MinValue, 1L, "memoryMib")]
    [InlineData(1L, 512L, long.MaxValue, "diskGib")]
    [InlineData(1L, 512L, null, "diskGib")]
    [InlineData(257L, 512L, 1L, "vcpus")]
    public void Sizes_are_bounded(long? vcpus, long? memory, long? disk, string field)
    {
        var no = Assert.Single(Of(r => Assert.Null(SizeRules.Check(r, vcpus, memory, disk))));
        Assert.Equal(field, no.Field);
    }

    [Theory]
    [InlineData("ana")]
    [InlineData("_svc-1")]
    public void Good_user_names(string name) => Assert.Empty(Of(r => GuestRules.CheckUserName(r, "userName", name)));

    [Theory]
    [InlineData("")]
    [InlineData("Ana")]
    [InlineData("1a")]
    [InlineData("a:b")]
    [InlineData("a\nb")]
    [InlineData("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")]
    public void Bad_user_names(string name) => Assert.Equal("bad_user_name", Assert.Single(Of(r => GuestRules.CheckUserName(r, "userName", name))).Code);

    [Fact]
    public void User_data_is_bounded_utf8()
    {
        Assert.Empty(Of(r => GuestRules.CheckUserData(r, "userData", "#cloud-config\r\n\tü: 1\n")));
        Assert.Equal("too_long", Assert.Single(Of(r => GuestRules.CheckUserData(r, "userData", new string('ü', 8193)))).Code);
        Assert.Equal("control_character", Assert.Single(Of(r => GuestRules.CheckUserData(r, "userData", "a\0b"))).Code);
        Assert.Equal("control_character", Assert.Single(Of(r => GuestRules.CheckUserData(r, "userData", "\udc00"))).Code);
    }

    [Fact]
    public void Good_keys()
    {
        foreach (var key in new[] { Ed25519(), Ed25519() + " ana@laptop with words", Rsa(2048), Rsa(4096), Ecdsa("nistp256", 65), Ecdsa("nistp384", 97), Ecdsa("nistp521", 133) })
            Assert.Equal("", SshPublicKey.Parse(key).Reason);
        Assert.Equal("ana@laptop", SshPublicKey.Parse(Ed25519() + " ana@laptop").Value!.Comment);
    }

    [Fact]
    public void Bad_keys()
    {
        string?[] bad =
        [
            null, "", " ", "ssh-ed25519", "ssh-ed25519 !!!!", "ssh-ed25519 AAAA", "ssh-dss " + Blob("ssh-dss", new byte[32]),
            "no-pty " + Ed25519(), "command=\"reboot\" " + Ed25519(), Ed25519() + "\nssh-rsa", Ed25519() + "\r", Ed25519() + "\0",
            "ssh-rsa " + Ed25519().Split(' ')[1], Rsa(1024), "ssh-ed25519 " + Blob("ssh-ed25519", new byte[31]), "ssh-ed25519 " + Blob("ssh-ed25519", new byte[32], new byte[1]),
            "ecdsa-sha2-nistp256 " + Blob("ecdsa-sha2-nistp256", Encoding.ASCII.GetBytes("nistp384"), Point(65)),
            "-----BEGIN OPENSSH PRIVATE KEY-----", "ssh-ed25519 " + Convert.ToBase64String([0xff, 0xff, 0xff, 0xff, 1]), Ed25519() + new string('x', 9000),
        ];
        foreach (var key in bad) Assert.False(SshPublicKey.Parse(key).Succeeded, key);
        var no = Of(r => GuestRules.CheckKeys(r, "keys", [Ed25519(), Ed25519(), "x"]));
        Assert.Equal(["keys[1]", "keys[2]"], no.Select(r => r.Field));
        Assert.Equal(["duplicate", "bad_key"], no.Select(r => r.Code));
    }

    [Fact]
    public void A_refusal_repeats_hostile_input_escaped_and_short()
    {
        var quoted = RefusalList.Quote("\"\u001b" + new string('x', 500));
        Assert.StartsWith("\"\\\"\\u001b", quoted);
        Assert.True(quoted.Length < 60);
    }

    [Fact]
    public void The_image_sets_the_least_size()
    {
        var image = new Image(ImageId.New(DateTimeOffset.UnixEpoch), "debian", "", ImageState.Ready, "qcow2", "sha256:0", 1, 3, 512, true, "debian");
        var no = Of(r => SizeRules.CheckAgainst(r, image, new Resources(1, 128, 2), "diskGib", "memoryMib"));
        Assert.Equal(["disk_too_small", "memory_too_small"], no.Select(r => r.Code));
        Assert.Contains("at least 3 GiB", no[0].Message);
    }

    private static string Ed25519() => "ssh-ed25519 " + Blob("ssh-ed25519", new byte[32]);
    private static string Ecdsa(string curve, int length) => $"ecdsa-sha2-{curve} " + Blob($"ecdsa-sha2-{curve}", Encoding.ASCII.GetBytes(curve), Point(length));
    private static byte[] Point(int length) => [4, .. new byte[length - 1]];
    private static string Rsa(int bits) => "ssh-rsa " + Blob("ssh-rsa", [1, 0, 1], [0, 0x80, .. new byte[(bits / 8) - 1]]);

    private static string Blob(string type, params byte[][] parts)
    {
        using var bytes = new MemoryStream();
        foreach (var part in parts.Prepend(Encoding.ASCII.GetBytes(type)))
        {
            bytes.Write([(byte)(part.Length >> 24), (byte)(part.Length >> 16), (byte)(part.Length >> 8), (byte)part.Length]);
            bytes.Write(part);
        }
        return Convert.ToBase64String(bytes.ToArray());
    }
}
