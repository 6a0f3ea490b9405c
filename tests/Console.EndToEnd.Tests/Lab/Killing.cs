namespace Plinth.EndToEnd.Tests.Lab;

/// <summary>What cases of kill -9 share. Each signs in: together they outlast a token.</summary>
public abstract class Killing(Fleet fleet) : IAsyncLifetime
{
    private static readonly string[] Victims = ["agent", "server", "libvirtd"];

    public Task InitializeAsync() => fleet.Console.SignInAsClient();

    public Task DisposeAsync() => Task.CompletedTask;

    /// <summary>Every victim at each of the steps.</summary>
    protected static TheoryData<string, string> Every(params string[] steps)
    {
        var moments = new TheoryData<string, string>();
        foreach (var victim in Victims)
            foreach (var step in steps)
                moments.Add(victim, step);
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
