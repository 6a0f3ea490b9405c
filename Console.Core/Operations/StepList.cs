using Plinth.Core.Machines;

namespace Plinth.Core.Operations;

/// <summary>The steps of one operation while they are moved on. A step begins when the one before it ended.</summary>
internal sealed class StepList(IReadOnlyList<OperationStep> steps)
{
    private readonly OperationStep[] _steps = [.. steps];

    public IReadOnlyList<OperationStep> Steps => _steps;

    /// <summary>The step that is under way or next; null when all have ended.</summary>
    public OperationStep? Current => Array.Find(_steps, s => s.State is StepState.Pending or StepState.Running);

    public OperationStep this[StepKind kind] => _steps[Index(kind)];

    /// <summary>The first, "accepted", is done by the fact that the operation exists.</summary>
    public static IReadOnlyList<OperationStep> Accepted(OperationKind kind, DateTimeOffset now, string by)
    {
        var definitions = OperationSteps.For(kind);
        var steps = definitions.Select(d => new OperationStep(d.Kind, StepState.Pending, null, null, null, "")).ToArray();
        steps[0] = steps[0] with { State = StepState.Done, StartedAt = now, EndedAt = now, Detail = $"Asked for by {by}." };
        steps[1] = steps[1] with { State = StepState.Running, StartedAt = now };
        return steps;
    }

    public void Begin(StepKind kind, DateTimeOffset now)
    {
        var i = Index(kind);
        if (_steps[i].State == StepState.Pending) _steps[i] = _steps[i] with { State = StepState.Running, StartedAt = i > 0 ? _steps[i - 1].EndedAt ?? now : now };
    }

    public void Note(StepKind kind, string detail, int? percent) => Set(kind, s => s with { Detail = detail, Percent = percent });

    /// <summary><paramref name="at"/> may come from another clock: it is kept between the step's begin and now, so no step lasts less than nothing.</summary>
    public void Done(StepKind kind, DateTimeOffset at, DateTimeOffset now, string detail) => End(kind, StepState.Done, at, now, detail);

    public void Skip(StepKind kind, DateTimeOffset now, string detail) => End(kind, StepState.Skipped, now, now, detail);

    public void Fail(StepKind kind, DateTimeOffset now, string detail)
    {
        End(kind, StepState.Failed, now, now, detail);
        SkipRest();
    }

    public void SkipRest()
    {
        for (var i = 0; i < _steps.Length; i++)
            if (_steps[i].State is StepState.Pending or StepState.Running) _steps[i] = _steps[i] with { State = StepState.Skipped, Percent = null };
    }

    /// <summary>What was done is undone; what was not begun is skipped. Being accepted cannot be undone and needs not.</summary>
    public void Undo(DateTimeOffset now)
    {
        for (var i = 1; i < _steps.Length; i++)
        {
            if (_steps[i].State == StepState.Done) _steps[i] = _steps[i] with { State = StepState.Undone };
            else if (_steps[i].State == StepState.Running) _steps[i] = _steps[i] with { State = StepState.Undone, EndedAt = now, Percent = null };
        }
        SkipRest();
    }

    private void End(StepKind kind, StepState state, DateTimeOffset at, DateTimeOffset now, string detail)
    {
        Begin(kind, now);
        Set(kind, s =>
        {
            var begin = s.StartedAt ?? now;
            var end = at < begin ? begin : at > now ? now : at;
            return s with { State = state, EndedAt = end < begin ? begin : end, Percent = null, Detail = detail };
        });
    }

    private void Set(StepKind kind, Func<OperationStep, OperationStep> change)
    {
        var i = Index(kind);
        _steps[i] = change(_steps[i]);
    }

    private int Index(StepKind kind)
    {
        var i = Array.FindIndex(_steps, s => s.Kind == kind);
        return i >= 0 ? i : throw new InvalidOperationException($"the operation has no step {kind}");
    }
}
