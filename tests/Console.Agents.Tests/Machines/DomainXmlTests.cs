using System.Xml.Linq;
using CsCheck;
using Plinth.Agents.Machines;
using Plinth.Agents.Machines.Xml;
using Plinth.Core.Inventory;
using Plinth.Core.Machines;
using Plinth.Core.Network;
using Plinth.Core.Primitives;
using Plinth.Core.Protocol;
using Xunit;

namespace Plinth.Agents.Tests.Machines;

public sealed class DomainXmlTests
{
    private static readonly NetworkConfig Network = new(new NetworkId(new Guid("01900000-0000-7000-8000-000000000003")), "default", NetworkKind.HostNat, "10.87.0.0/22", "plinth0");
    private static readonly ImageReference Image = new(new ImageId(new Guid("01900000-0000-7000-8000-00000000000a")), "sha256:" + new string('b', 64), 20_000_000, "qcow2");

    private static readonly DesiredMachine Machine = new(
        new VmId(new Guid("01900000-1111-7000-8000-0000deadbeef")), new ProjectId(new Guid("01900000-0000-7000-8000-000000000002")), "web-1",
        Vcpus: 2, MemoryMib: 512,
        [new DesiredDisk("root", "default", 10, Image), new DesiredDisk("data", "default", 5, null)],
        [new DesiredNic("52:54:00:12:34:56", Network.Id)],
        new Seed("web-1", "ada", [], ""), HasGuestAgent: true, DesiredPower.Running, 1, 60);

    [Fact]
    public void With_kvm() => Golden.Check("domain-kvm.xml", DomainXml.Generate(Context(Machine, Acceleration.Kvm, directIo: true)));

    [Fact]
    public void With_software_emulation_on_a_file_system_without_direct_io() =>
        Golden.Check("domain-qemu.xml", DomainXml.Generate(Context(Machine, Acceleration.Qemu, directIo: false)));

    [Fact]
    public void With_uefi_secure_boot_and_a_tpm() =>
        Golden.Check("domain-secure.xml", DomainXml.Generate(Context(Machine with { Firmware = new GuestFirmware(FirmwareKind.Uefi, SecureBoot: true, Tpm: true) }, Acceleration.Kvm, directIo: true)));

    [Fact]
    public void With_uefi_alone() =>
        Golden.Check("domain-uefi.xml", DomainXml.Generate(Context(Machine with { Firmware = new GuestFirmware(FirmwareKind.Uefi) }, Acceleration.Kvm, directIo: true)));

    [Theory]
    [InlineData("efi", "yes", "emulator", true, true, true)]
    [InlineData("efi", "no", "passthrough", true, false, false)]
    [InlineData("bios", "yes", "", false, false, false)]
    public void What_guests_can_boot_with_is_read_from_libvirts_capabilities(string firmware, string secure, string tpm, bool uefi, bool secureBoot, bool hasTpm) =>
        Assert.Equal(new FirmwareSupport(uefi, secureBoot, hasTpm), DomainCapabilities.Firmware($"""
            <domainCapabilities>
              <os supported='yes'><enum name='firmware'><value>{firmware}</value></enum><loader supported='yes'><enum name='secure'><value>no</value><value>{secure}</value></enum></loader></os>
              <devices><tpm supported='yes'><enum name='backendModel'><value>{tpm}</value></enum><enum name='backendVersion'><value>1.2</value><value>2.0</value></enum></tpm></devices>
            </domainCapabilities>
            """));

    [Fact]
    public void Nothing_typed_becomes_markup() =>
        Gen.Char[' ', '~'].Array.Select(chars => new string(chars)).Sample(text =>
        {
            var domain = XElement.Parse(DomainXml.Generate(Context(Machine with { Name = text }, Acceleration.Qemu, directIo: true)));
            Assert.Equal(text, domain.Element("title")!.Value);
            Assert.Equal(3, domain.Element("devices")!.Elements("disk").Count());
        });

    [Theory]
    [InlineData("name", "a b")]
    [InlineData("name", "")]
    [InlineData("name", "-a")]
    [InlineData("name", "a\n")]
    [InlineData("name", "UPPER")]
    [InlineData("name", "</name><os>")]
    [InlineData("name", "x123456789012345678901234567890123456789012345678901234567890123")]
    public void Names_are_refused_before_anything_is_made(string field, string name)
    {
        var refused = Assert.Throws<HypervisorException>(() => DomainRules.Check(Machine with { Name = name }, [Network]));
        Assert.Equal("invalid_" + field, refused.Code);
        Assert.True(refused.Final);
    }

    [Theory]
    [InlineData("52:54:00:12:34")]
    [InlineData("01:54:00:12:34:56")]
    [InlineData("52:54:00:12:34:5G")]
    [InlineData("52:54:00:12:34:56'/>")]
    public void Only_unicast_macs(string mac) =>
        Assert.Equal("invalid_mac", Assert.Throws<HypervisorException>(() => DomainRules.Check(Machine with { Nics = [new DesiredNic(mac, Network.Id)] }, [Network])).Code);

    [Theory]
    [InlineData("10.0.0.0")]
    [InlineData("10.0.0.0/30")]
    [InlineData("10.0.0.0/0")]
    [InlineData("10.0.0.1/24")]
    [InlineData("fd00::/64")]
    [InlineData("10.0.0.0/24'/>")]
    public void Only_ipv4_ranges(string cidr) =>
        Assert.Equal("invalid_cidr", Assert.Throws<HypervisorException>(() => DomainRules.Check(Machine, [Network with { Cidr = cidr }])).Code);

    [Fact]
    public void A_change_of_name_and_size_leaves_everything_else_as_it_is()
    {
        var text = DomainXml.Generate(Context(Machine, Acceleration.Qemu, directIo: false));
        var domain = XElement.Parse(text);
        Assert.True(DomainXml.Adjust(domain, Machine with { Name = "other", Vcpus = 4, MemoryMib = 1024 }, mostVcpus: 16));
        Assert.Equal(
            text.Replace($"<title>{Machine.Name}</title>", "<title>other</title>").Replace($"name=\"{Machine.Name}\"", "name=\"other\"")
                .Replace($"<memory unit=\"MiB\">{Machine.MemoryMib}</memory>", "<memory unit=\"MiB\">1024</memory>\n  <currentMemory unit=\"MiB\">1024</currentMemory>").Replace("<vcpu current=\"2\">8</vcpu>", "<vcpu current=\"4\">16</vcpu>"),
            domain.ToString());
        Assert.False(DomainXml.Adjust(domain, Machine with { Name = "other", Vcpus = 4, MemoryMib = 1024 }, mostVcpus: 16));
    }

    private static DomainContext Context(DesiredMachine machine, Acceleration acceleration, bool directIo) => new(
        machine, acceleration, "/usr/bin/qemu-system-x86_64",
        [
            new DomainDisk("root", "/pool/vm-1-root.qcow2", new BackingFile("/pool/image-b.qcow2", "qcow2")),
            new DomainDisk("data", "/pool/vm-1-data.qcow2", null),
        ],
        "/pool/vm-1-seed.iso", [Network], "/consoles/1.log", directIo, MostVcpus: 8);
}
