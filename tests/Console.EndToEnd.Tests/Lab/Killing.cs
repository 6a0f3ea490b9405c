namespace Plinth.EndToEnd.Tests.Lab;

/// <summary>What cases of kill -9 share. Each signs in: together they outlast a token.</summary>
public abstract class Killing(Fleet fleet) : IAsyncLifetime
{
    protected static readonly string[] Victims = ["agent", "server", "libvirtd"];

    public Task InitializeAsync() => fleet.Console.SignInAsClient();

    public Task DisposeAsync() => Task.CompletedTask;

    /// <summary>One victim at each of the steps, in turn: what <c>./test</c> has time for.</summary>
    protected static TheoryData<string, string> OneVictimAt(string[] steps) => At(steps, static (victim, step) => step % Victims.Length == victim);

    /// <summary>All others at each of the steps.</summary>
    protected static TheoryData<string, string> OtherVictimsAt(string[] steps) => At(steps, static (victim, step) => step % Victims.Length != victim);

    private static TheoryData<string, string> At(string[] steps, Func<int, int, bool> wanted)
    {
        var moments = new TheoryData<string, string>();
        for (var victim = 0; victim < Victims.Length; victim++)
            for (var step = 0; step < steps.Length; step++)
                if (wanted(victim, step)) moments.Add(Victims[victim], steps[step]);
        return moments;
    }

    /// <summary>Kills once the step of the operation is done.</summary>
    protected async Task Kill(string victim, string operation, string step)
    {
        await Wait.Until($"step {step} done", async () => (await fleet.Console.Get($"operations/{operation}")).GetProperty("steps").EnumerateArray()
            .Any(s => s.GetProperty("name").GetString() == step && s.GetProperty("state").GetString() is "done" or "skipped"));
        await Kill(victim);
    }

    protected async Task Kill(string victim)
    {
        switch (victim)
        {
            case "agent":
                await fleet.Agent.Kill9();
                fleet.StartAgent();
                break;
            case "server":
                await fleet.Console.Kill9();
                await fleet.Console.Start();
                break;
            case "libvirtd":
                await fleet.RestartLibvirt();
                break;
        }
    }
}
