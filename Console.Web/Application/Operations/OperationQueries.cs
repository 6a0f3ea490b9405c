using Plinth.Core.Machines;
using Plinth.Web.Persistence.Rows;

namespace Plinth.Web.Application.Operations;

/// <summary>Sets of operations that are asked for at several places.</summary>
internal static class OperationQueries
{
    /// <summary>Those that have not ended.</summary>
    public static IQueryable<OperationRow> UnderWay(this IQueryable<OperationRow> operations) =>
        operations.Where(o => o.State == OperationState.Pending || o.State == OperationState.Running || o.State == OperationState.Cancelling);

    /// <summary>Those that replace agents.</summary>
    public static IQueryable<OperationRow> OfAgents(this IQueryable<OperationRow> operations) =>
        operations.Where(o => o.Kind == OperationKind.UpgradeAgents || o.Kind == OperationKind.RevertAgents);
}
