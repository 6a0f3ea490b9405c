using Plinth.Core.Machines;
using Plinth.Core.Operations;
using Plinth.Web.Application.Machines;
using Plinth.Web.Persistence.Rows;

namespace Plinth.Web.Application.Operations;

internal static class OperationViews
{
    public static OperationView View(OperationRow row)
    {
        var record = MachineRows.Record(row);
        var definitions = OperationSteps.For(row.Kind).ToDictionary(d => d.Kind);
        return new OperationView(
            row.Id, row.Kind, row.Project, row.Vm, row.Target, row.State, row.Reason.Length > 0 ? row.Reason : OperationLifecycle.Sentence(row.State),
            [.. row.Steps.Select(s => Step(s, definitions[s.Kind], row))],
            OperationProgress.Percent(record), row.State != OperationState.Cancelling && OperationProgress.Cancel(record, "").Succeeded,
            row.StartedBy, row.CreatedAt, row.EndedAt, row.Deadline, row.Version, row.Volume);
    }

    private static OperationStepView Step(OperationStep step, StepDefinition definition, OperationRow row) => new(
        OperationSteps.Word(step.Kind), definition.Title, step.State, step.StartedAt, step.EndedAt,
        step.StartedAt is { } a && step.EndedAt is { } b ? Math.Round((b - a).TotalSeconds, 3) : null,
        step.State == StepState.Running ? row.Deadline : null,
        step.Percent, step.Detail, definition.Undo);
}
