using Plinth.Core.Inventory;
using Plinth.Core.Machines;
using Plinth.Core.Primitives;
using Plinth.Core.Protocol;
using Plinth.Web.Persistence.Rows;

namespace Plinth.Web.Tests.Persistence;

/// <summary>Rows as they look in a small fleet.</summary>
internal static class Sample
{
    public static HostRow Host(DateTimeOffset now, string name, int vcpus = 16, int memoryMib = 65536, int diskGib = 500) => new()
    {
        Id = HostId.New(now),
        Name = name,
        State = HostState.Ready,
        MachineId = $"machine of {name}",
        Epoch = new Epoch(3),
        Generation = new Generation(7),
        AcceptedGeneration = new Generation(6),
        Facts = new HostFacts(name, "0.1.0", Acceleration.Kvm, "a guest was booted", "x86_64", "Example CPU", new Resources(vcpus, memoryMib, diskGib), "Debian 12", "6.1.0", "9.0.0", "7.2.0"),
        ObservedFree = new Resources(vcpus, memoryMib, diskGib),
        Facilities = [new ObservedFacility("network", "default", true, "bridge up")],
        UnknownDomains = ["stranger"],
        ReportedAt = now,
        Connected = true,
        BootId = Guid.CreateVersion7(now),
        JoinedAt = now,
        CertificateExpiresAt = now.AddHours(24),
    };

    public static VmSpec Spec(DateTimeOffset now, string name, Resources? size = null) => new(
        name, "a \"quoted\" description; DROP TABLE", new Dictionary<string, string> { ["tier"] = "web" }, ImageId.New(now), null,
        size ?? new Resources(1, 512, 2), "default", ["default"], "plinth", ["ssh-ed25519 AAAA me"], "#cloud-config\n");

    public static VmRow Vm(DateTimeOffset now, string name, Resources? size = null) => new VmRow
    {
        Id = VmId.New(now),
        Project = WellKnown.DefaultProject,
        State = VmState.Running,
        Power = DesiredPower.Running,
        PowerGeneration = 1,
        Nics = [new VmNic(WellKnown.DefaultNetwork, "default", "52:54:00:00:00:01")],
        CreatedBy = "me",
        CreatedAt = now,
        UpdatedAt = now,
    }.SetSpec(Spec(now, name, size));
}
