namespace Plinth.Web.Tests.Serving;

public static class Waiting
{
    /// <summary>A condition with a deadline that a loaded machine can keep.</summary>
    public static async Task Until(Func<Task<bool>> condition, string what)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        while (!await condition())
        {
            if (deadline.IsCancellationRequested) Assert.Fail($"{what} did not happen within 20 s");
            await Task.Yield();
            await Task.Delay(20, CancellationToken.None);
        }
    }

    public static Task Until(Func<bool> condition, string what) => Until(() => Task.FromResult(condition()), what);
}
