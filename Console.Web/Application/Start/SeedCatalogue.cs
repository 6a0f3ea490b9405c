using Microsoft.EntityFrameworkCore;
using Plinth.Core.Identity;
using Plinth.Core.Primitives;
using Plinth.Web.Persistence;
using Plinth.Web.Persistence.Rows;

namespace Plinth.Web.Application.Start;

/// <summary>The flavors of the first day; project, network and storage class come with the database itself.</summary>
internal sealed class SeedCatalogue(IConsoleStore store) : IStartupStep
{
    private const string SeededKey = "catalogue.seeded";

    private static readonly (string Name, Resources Size, string Description)[] Flavors =
    [
        ("tiny", new Resources(1, 128, 1), "For trying things out; fits software emulation."),
        ("small", new Resources(1, 512, 2), "One small service."),
        ("medium", new Resources(2, 2048, 10), "A usual Linux server."),
        ("large", new Resources(4, 4096, 20), "Databases and builds."),
    ];

    public int Order => 10;

    public Task Run(CancellationToken stop) => store.Write(async scope =>
    {
        if (await scope.Db.Settings.AnyAsync(x => x.Key == SeededKey, stop)) return Done.Value;
        // Once: what an operator deletes later stays deleted.
        scope.Db.Settings.Add(new SettingRow { Key = SeededKey, Value = "1", UpdatedAt = scope.Now });
        foreach (var (name, size, description) in Flavors)
            scope.Db.Flavors.Add(new FlavorRow { Id = FlavorId.New(scope.Now), Name = name, Description = description, Vcpus = size.Vcpus, MemoryMib = size.MemoryMib, DiskGib = size.DiskGib, CreatedAt = scope.Now });
        scope.Audit(Principal.System, null, "console.first-start", "console", null, AuditOutcomes.Done, $"flavors {string.Join(", ", Flavors.Select(f => f.Name))}");
        return Done.Value;
    }, stop);
}
