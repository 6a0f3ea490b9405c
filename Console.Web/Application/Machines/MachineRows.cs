using Plinth.Core.Machines;
using Plinth.Core.Operations;
using Plinth.Core.Primitives;
using Plinth.Core.Protocol;
using Plinth.Web.Persistence.Rows;

namespace Plinth.Web.Application.Machines;

/// <summary>Between rows and the records that Core decides on.</summary>
internal static class MachineRows
{
    public static MachineRecord Record(VmRow vm, string? hostName, bool hasGuestAgent) =>
        new(vm.Id, vm.State, vm.StateReason, vm.Power, vm.PowerGeneration, hasGuestAgent, vm.Host is null ? null : hostName ?? "the host", vm.StopDeadlineSeconds, vm.Spec.Protected, new MachineSize(vm.Spec.Size.Vcpus, vm.Spec.Size.MemoryMib),
            vm.RestorableUntil is { } until ? new MachineDeletion(until, vm.PowerBefore ?? DesiredPower.Stopped) : null, vm.Observed?.DiskReadyAt is not null,
            vm.Operation is { } operation && vm.Nics.FirstOrDefault(n => n.Operation == operation) is { } nic ? Interface(nic) : null);

    public static MachineInterface Interface(VmNic nic) => new(nic.Mac, nic.Name, nic.Address, nic.State);

    public static OperationRecord Record(OperationRow o) =>
        new(o.Kind, o.State, o.Reason, o.Steps, o.CreatedAt, o.EndedAt, o.Generation, o.PowerGeneration);

    public static void Take(VmRow row, MachineRecord record, DateTimeOffset now)
    {
        (row.RestorableUntil, row.PowerBefore) = (record.Deletion?.Until, record.Deletion?.Power);
        if (row.State == record.State && row.StateReason == record.Reason && row.Power == record.Power && row.PowerGeneration == record.PowerGeneration && row.StopDeadlineSeconds == record.StopDeadlineSeconds) return;
        (row.State, row.StateReason, row.Power, row.PowerGeneration, row.StopDeadlineSeconds) = (record.State, record.Reason, record.Power, record.PowerGeneration, record.StopDeadlineSeconds);
        row.UpdatedAt = now;
    }

    public static void Take(OperationRow row, OperationRecord record, int stopDeadlineSeconds)
    {
        (row.State, row.Reason, row.EndedAt, row.Generation, row.PowerGeneration) = (record.State, record.Reason, record.EndedAt, record.Generation, record.PowerGeneration);
        if (!row.Steps.SequenceEqual(record.Steps)) row.Steps = record.Steps;
        row.Deadline = OperationProgress.Deadline(record, stopDeadlineSeconds);
    }

    public static OperationRow Row(OperationRecord record, OperationId id, VmRow vm, string by, int stopDeadlineSeconds)
    {
        var row = new OperationRow { Id = id, Kind = record.Kind, Project = vm.Project, Vm = vm.Id, Host = vm.Host, Target = vm.Name, StartedBy = by, CreatedAt = record.CreatedAt };
        Take(row, record, stopDeadlineSeconds);
        return row;
    }

    public static Image Image(ImageRow i) =>
        new(i.Id, i.Name, i.Description, i.State, i.Format, i.Digest, i.SizeBytes, i.MinDiskGib, i.MinMemoryMib, i.HasGuestAgent, i.DefaultUser);

    /// <summary>
    /// True when a report tells nothing new about a machine. The generation it answers matters only while an operation waits
    /// for one; a guest agent that goes on answering is no news either.
    /// </summary>
    public static bool SaysTheSame(this ObservedMachine a, ObservedMachine b) =>
        a.HasSameLists(b)
        && (a.GuestAgentAt is null) == (b.GuestAgentAt is null)
        && (a with { Addresses = [], Interfaces = null, Generation = Generation.None, GuestAgentAt = null }) == (b with { Addresses = [], Interfaces = null, Generation = Generation.None, GuestAgentAt = null });
}
