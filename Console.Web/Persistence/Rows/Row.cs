using Plinth.Core.Primitives;

namespace Plinth.Web.Persistence.Rows;

/// <summary>A row with a concurrency version: it rises with every change that readers can see (ETag, If-Match).</summary>
public interface IVersioned
{
    long Version { get; set; }
}

/// <summary>A row whose every change is appended to the change log by the store, in the same transaction.</summary>
public interface ILogged
{
    /// <summary>The kind in the change log and on the live feed: "vm", "host", …</summary>
    string LogKind { get; }
    Guid LogId { get; }
    ProjectId? LogProject { get; }
    /// <summary>What the log keeps of the row: everything a snapshot of the past needs, and no secrets.</summary>
    object LogDocument { get; }
}

/// <summary>
/// Marks a column that moves with every report and says nothing new by itself. A change of such columns alone neither raises
/// the row's version nor enters the change log: 200 hosts that report every 10 s would write 1.7 million entries a day.
/// </summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class HeartbeatAttribute : Attribute;

/// <summary>Kinds in the change log and on the live feed.</summary>
public static class LogKinds
{
    public const string Organization = "organization", Project = "project", Host = "host", Vm = "vm", Operation = "operation", Image = "image",
        Flavor = "flavor", Network = "network", StorageClass = "storage-class", Allocation = "allocation", JoinToken = "join-token", Volume = "volume", VolumeAllocation = "volume-allocation", RoleBinding = "role-binding", User = "user", QuotaRequest = "quota-request", Session = "session", Elevation = "elevation";
}
