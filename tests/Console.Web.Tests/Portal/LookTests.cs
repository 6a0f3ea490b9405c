using System.Reflection;
using Plinth.Core.Inventory;
using Plinth.Core.Machines;
using Plinth.Core.Primitives;
using Plinth.Core.Storage;
using Plinth.Web.Application;
using Plinth.Web.Components;
using Plinth.Web.Components.Data;
using Plinth.Web.Components.States;

namespace Plinth.Web.Tests.Portal;

public sealed class LookTests
{
    public static TheoryData<StateLook> EveryLook =>
    [
        .. Enum.GetValues<VmState>().Select(StateLook.Of),
        .. Enum.GetValues<HostState>().Select(StateLook.Of),
        .. Enum.GetValues<OperationState>().Select(StateLook.Of),
        .. Enum.GetValues<StepState>().Select(StateLook.Of),
        .. Enum.GetValues<ImageState>().Select(StateLook.Of),
    ];

    [Theory]
    [MemberData(nameof(EveryLook))]
    public void Every_state_has_a_word_a_tone_and_an_icon_that_is_drawn(StateLook look)
    {
        Assert.NotEmpty(look.Text);
        var css = File.ReadAllText(Path.Combine(WebRoot, "app.css"));
        foreach (var name in look.CssClass.Split(' ')) Assert.Contains($".{name} {{", css);
    }

    [Fact]
    public void Only_what_is_not_plain_kvm_is_labelled()
    {
        Assert.Null(StateLook.Of(Acceleration.Kvm));
        Assert.Equal("emulated", StateLook.Of(Acceleration.Qemu)?.Label);
        Assert.Equal("simulated", StateLook.Of(Acceleration.Simulated)?.Label);
    }

    [Theory]
    [InlineData(512, "512 MiB")]
    [InlineData(1536, "1.5 GiB")]
    [InlineData(2 * 1024 * 1024, "2 TiB")]
    public void Memory_is_told_in_the_unit_that_fits(long mib, string expected) => Assert.Equal(expected, Quantity.Mib(mib));

    [Theory]
    [InlineData(0.04, "40 ms")]
    [InlineData(3.26, "3.3 s")]
    [InlineData(75, "1 min 15 s")]
    [InlineData(7260, "2 h 1 min")]
    public void Durations_are_told_as_people_do(double seconds, string expected) => Assert.Equal(expected, Quantity.Seconds(seconds));

    [Fact]
    public void The_line_of_a_form_is_one_that_the_api_reads()
    {
        var request = new CreateStorageClass("fast", null, new StorageNeeds(StorageMedium.SolidState), null);
        var line = ApiCall.Post("http://localhost:8400", "/api/v1/storage-classes", request);
        Assert.Contains("\"medium\": \"solid-state\"", line);
        var body = line[(line.IndexOf("-d '", StringComparison.Ordinal) + 4)..^1];
        Assert.Equal(request, System.Text.Json.JsonSerializer.Deserialize<CreateStorageClass>(body, Plinth.Web.Api.Json.Options));
    }

    [Fact]
    public void Whatever_people_type_is_one_shell_word()
    {
        var text = ApiCall.Post("http://localhost:8400/", "/api/v1/x", new { name = "it's $(reboot) `id` \"q\"" });
        Assert.StartsWith("curl -X POST 'http://localhost:8400/api/v1/x' \\", text);
        Assert.Contains(@"it'\''s $(reboot) `id` \""q\""", text);
    }

    [Fact]
    public void Urls_carry_filters_and_nothing_that_is_empty()
    {
        Assert.Equal("/projects/default/vms", PortalUrls.Vms(q: ""));
        Assert.Equal("/projects/a%2Fb/vms?q=x%20%26%20y&state=running,failed", PortalUrls.Vms("a/b", q: "x & y", state: "running,failed").Replace("%2C", ",", StringComparison.Ordinal));
        var id = VmId.From(Guid.Parse("0193f0c4-0000-7000-8000-000000000001"));
        Assert.Equal($"/projects/default/vms/{id}?tab=console", PortalUrls.Vm("default", id, "console"));
    }

    /// <summary>No page loads anything from elsewhere: the console works where there is no Internet.</summary>
    [Fact]
    public void Nothing_is_loaded_from_other_origins()
    {
        var files = Directory.EnumerateFiles(WebRoot, "*", SearchOption.AllDirectories).Where(f => f.EndsWith(".js", StringComparison.Ordinal) || f.EndsWith(".css", StringComparison.Ordinal)).Where(f => !f.Contains("/lib/", StringComparison.Ordinal));
        foreach (var file in files) Assert.DoesNotMatch(@"(import|src|url\(|fetch\()\s*[""'(]*https?://", File.ReadAllText(file));
    }

    private static string WebRoot
    {
        get
        {
            var directory = new DirectoryInfo(Path.GetDirectoryName(Assembly.GetExecutingAssembly().Location)!);
            while (!File.Exists(Path.Combine(directory.FullName, "Console.sln"))) directory = directory.Parent ?? throw new InvalidOperationException("the repository's root is not above the tests");
            return Path.Combine(directory.FullName, "Console.Web", "wwwroot");
        }
    }
}
