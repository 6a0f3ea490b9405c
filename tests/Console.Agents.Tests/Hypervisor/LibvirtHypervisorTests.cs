using System.Text.Json;
using Plinth.Agents.Machines;
using Plinth.Core.Primitives;
using Plinth.Core.Protocol;
using Xunit;

namespace Plinth.Agents.Tests.Hypervisor;

/// <summary>One lab host for all tests with libvirt: it takes seconds to make. Needs root and the packages that <c>./test</c> installs.</summary>
public sealed class LibvirtFixture : IAsyncLifetime
{
    public LabHost Lab { get; private set; } = null!;
    public string GuestImage { get; private set; } = "";

    public async Task InitializeAsync()
    {
        GuestImage = await LabHost.GuestImage();
        Lab = await LabHost.Up();
    }

    public async Task DisposeAsync() => await Lab.DisposeAsync();
}

/// <summary>The contract, held by libvirt in a lab host.</summary>
public sealed class LibvirtHypervisorTests(LibvirtFixture fixture) : HypervisorContract, IClassFixture<LibvirtFixture>
{
    protected override Task<HypervisorBench> Open() => Task.FromResult<HypervisorBench>(new Bench(fixture));

    private sealed class Bench(LibvirtFixture fixture) : HypervisorBench
    {
        private readonly LibvirtHypervisor _host = new(
            new LibvirtOptions(Uri: fixture.Lab.Uri, Root: fixture.Lab.StateRoot, PidFiles: fixture.Lab.PidFiles), TimeProvider.System);

        public override IHypervisor Hypervisor => _host;

        public override ImageReference Image { get; } = ReadManifest(fixture.GuestImage);

        public override Task ProvideImage()
        {
            var path = _host.ImagePath(Image);
            if (!File.Exists(path)) File.Copy(Path.Combine(fixture.GuestImage, "plinth-guest.qcow2"), path);
            return Task.CompletedTask;
        }

        public override Task KillService() => fixture.Lab.KillLibvirtd();

        public override Task StartService() => fixture.Lab.StartLibvirtd();

        public override async Task PlantForeignDomain(string name)
        {
            var file = Path.Combine(fixture.Lab.Directory, "foreign.xml");
            await File.WriteAllTextAsync(file, $"<domain type='qemu'><name>{name}</name><memory unit='MiB'>16</memory><os><type arch='x86_64'>hvm</type></os></domain>");
            await fixture.Lab.Virsh("define", file);
        }

        public override Task PlantHalfMadeDisk(VmId vm, string serial) =>
            File.WriteAllTextAsync(Path.Combine(Path.GetDirectoryName(_host.ImagePath(Image))!, PoolFiles.DiskName(vm, serial) + PoolFiles.Part), "half");

        public override ValueTask DisposeAsync() => _host.DisposeAsync();

        private static ImageReference ReadManifest(string directory)
        {
            using var manifest = JsonDocument.Parse(File.ReadAllText(Path.Combine(directory, "plinth-guest.json")));
            var root = manifest.RootElement;
            return new ImageReference(new ImageId(Guid.CreateVersion7()), root.GetProperty("digest").GetString()!, root.GetProperty("sizeBytes").GetInt64(), root.GetProperty("format").GetString()!);
        }
    }
}
