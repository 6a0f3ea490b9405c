using System.Diagnostics;
using Plinth.Core.Identity;
using Plinth.Core.Primitives;

namespace Plinth.Benchmarks;

/// <summary>CPU time of one permission decision for somebody with 50 roles, all on places of their own.</summary>
public static class RightsBenchmark
{
    private const int Grants = 50, Rounds = 2_000;

    public static Task Run()
    {
        Figures.Head($"Rights: one decision for somebody with {Grants} roles (CPU of one core)");
        var now = DateTimeOffset.UnixEpoch.AddYears(56);
        var random = new Random(1);
        var places = Enumerable.Range(0, Grants).Select(i => Scope.Of(OrganizationId.New(now.AddMilliseconds(i)), ProjectId.New(now.AddMilliseconds(i)))).ToArray();
        Role[] roles = [Roles.ProjectMember, Roles.ProjectViewer, Roles.OrganizationAdmin];
        var rights = new Rights(new Principal(PrincipalKind.User, "u", "u"), places.Select(p => new Grant(roles[random.Next(roles.Length)], p, "project p")), now);
        var elsewhere = Scope.Of(OrganizationId.New(now.AddDays(1)), ProjectId.New(now.AddDays(1)));
        Measure("allowed or not, on one of the 50 places", i => rights.Has(Permissions.All[i % Permissions.All.Count], places[i % Grants]));
        Measure("refused, on another place: every role is looked at", i => rights.Has(Permissions.VmDelete, elsewhere));
        return Task.CompletedTask;
    }

    private static void Measure(string what, Func<int, bool> decide)
    {
        var allowed = 0;
        for (var i = 0; i < Rounds * 10; i++) allowed += decide(i) ? 1 : 0;
        var before = Process.GetCurrentProcess().TotalProcessorTime;
        for (var i = 0; i < Rounds * 500; i++) allowed += decide(i) ? 1 : 0;
        var spent = Process.GetCurrentProcess().TotalProcessorTime - before;
        GC.KeepAlive(allowed);
        Figures.Row(what, spent.TotalMicroseconds / (Rounds * 500), "µs", 2);
    }
}
