using Plinth.Agents.Storage;
using Plinth.Agents.Tests.Machines;
using Plinth.Core.Primitives;
using Plinth.Core.Protocol;
using Xunit;

namespace Plinth.Agents.Tests.Storage;

public sealed class SeedDocumentsTests
{
    private static readonly VmId Vm = new(new Guid("01900000-1111-7000-8000-0000deadbeef"));

    [Fact]
    public void A_login_with_keys() =>
        Golden.Check("user-data.yaml", SeedDocuments.UserData(new Seed("web-1", "ada", ["ssh-ed25519 AAAA ada@example", "ssh-rsa BBBB \"quoted\" \\ key"], "")).TrimEnd('\n'));

    [Fact]
    public void Given_user_data_is_passed_as_it_is()
    {
        const string Script = "#!/bin/sh\necho \"$HOME\" > /root/home\n";
        Assert.Equal(Script, SeedDocuments.UserData(new Seed("web-1", "", [], Script)));
    }

    [Fact]
    public void Meta_data() =>
        Assert.Equal("instance-id: \"01900000-1111-7000-8000-0000deadbeef\"\nlocal-hostname: \"web-1\"\n", SeedDocuments.MetaData(Vm, new Seed("web-1", "ada", [], "")));
}
