using Microsoft.EntityFrameworkCore;
using Plinth.Core.Identity;
using Plinth.Core.Machines;
using Plinth.Core.Primitives;
using Plinth.Web.Application.Identity;
using Plinth.Web.Persistence;
using Plinth.Web.Persistence.Rows;

namespace Plinth.Web.Application.Catalogue;

/// <inheritdoc cref="ICatalogue"/>
internal sealed class CatalogueUseCases(IConsoleStore store, AccessControl access, Mutations mutations, ImageFiles files, Signals signals) : ICatalogue
{
    public async Task<Result<Page<ImageView>>> Images(Caller caller, Window window, CancellationToken stop)
    {
        if (await access.Check(caller, Permissions.ImageRead, stop) is { } no) return no;
        await using var db = store.Read();
        return await ByName(db.Images, window, i => i.Name, (q, after) => q.Where(i => string.Compare(i.Name, after) > 0), q => q.OrderBy(i => i.Name), View, stop);
    }

    public async Task<Result<ImageView>> Image(Caller caller, ImageId image, CancellationToken stop)
    {
        if (await access.Check(caller, Permissions.ImageRead, stop) is { } no) return no;
        await using var db = store.Read();
        return await db.Images.SingleOrDefaultAsync(i => i.Id == image, stop) is { } row ? View(row) : NoImage(image);
    }

    public async Task<Result<ImageView>> CreateImage(Caller caller, CreateImage request, string? idempotencyKey, CancellationToken stop)
    {
        var made = await mutations.Run(caller, Permissions.ImageManage, "image.create", "image", Idempotency.Of(caller, idempotencyKey, "image.create", request), async m =>
        {
            var judged = CatalogueRules.Image(request, m.Now);
            if (!judged.Succeeded) return Result<Guid>.No(judged.Refusals);
            var row = judged.Value;
            if (await m.Db.Images.AnyAsync(i => i.Name == row.Name, stop)) return Taken("image", row.Name);
            // The same bytes may already be here under another name.
            if (await m.Db.Images.FirstOrDefaultAsync(i => i.Digest == row.Digest && i.State == ImageState.Ready, stop) is { } same && same.SizeBytes == row.SizeBytes && files.Has(row.Digest)) row.State = ImageState.Ready;
            m.Db.Images.Add(row);
            (m.Target, m.Detail) = ($"image/{row.Id}", $"{row.Name}, {row.Digest}");
            return row.Id.Value;
        }, stop);
        return made.Succeeded ? await Image(caller, new ImageId(made.Value), stop) : Result<ImageView>.No(made.Refusals);
    }

    public async Task<Result<ImageView>> PutImageContent(Caller caller, ImageId image, Stream content, CancellationToken stop)
    {
        if (await access.Check(caller, Permissions.ImageManage, stop) is { } no) return no;
        ImageRow? row;
        await using (var db = store.Read()) row = await db.Images.SingleOrDefaultAsync(i => i.Id == image, stop);
        // The bytes are taken outside of any write: an upload may last minutes, a write holds up everybody.
        var wrong = row switch
        {
            null => NoImage(image),
            // The same bytes again, where this server has lost them and none has them any more.
            { State: ImageState.Ready } when files.Has(row.Digest) => Refusal.Conflict("image_ready", $"The image {row.Name} has its content already; it never changes. Create a new image for new content."),
            _ => await files.Take(row.Digest, row.SizeBytes, content, stop),
        };
        var put = await mutations.Run(caller, Permissions.ImageManage, "image.put-content", $"image/{image}", async m =>
        {
            if (wrong is not null) return wrong;
            if (await m.Db.Images.SingleOrDefaultAsync(i => i.Id == image, stop) is not { } current) return NoImage(image);
            current.State = ImageState.Ready;
            m.Scope.AfterCommit(signals.Images.Ring);
            m.Detail = $"{current.Name}: {current.SizeBytes} bytes, {current.Digest}";
            return image.Value;
        }, stop);
        return put.Succeeded ? await Image(caller, image, stop) : Result<ImageView>.No(put.Refusals);
    }

    public async Task<Result<Done>> DeleteImage(Caller caller, ImageId image, CancellationToken stop)
    {
        var deleted = await mutations.Run(caller, Permissions.ImageManage, "image.delete", $"image/{image}", async m =>
        {
            if (await m.Db.Images.SingleOrDefaultAsync(i => i.Id == image, stop) is not { } row) return NoImage(image);
            // A rebuild that is under way needs it too; so few images are deleted that all VMs may be looked at.
            var users = (await m.Db.Vms.Where(v => v.DeletedAt == null).Select(v => v.Spec).ToListAsync(stop)).Count(s => s.Image == image || s.Rebuild?.Image == image);
            if (users > 0) return Refusal.Conflict("image_in_use", $"{users} VM{(users == 1 ? "" : "s")} use the image {row.Name}: their disks build on it. Delete them first.");
            m.Db.Images.Remove(row);
            m.Detail = row.Name;
            m.Scope.AfterCommit(signals.Images.Ring);
            if (!await m.Db.Images.AnyAsync(i => i.Digest == row.Digest && i.Id != image, stop)) m.Scope.AfterCommit(() => files.Remove(row.Digest));
            return image.Value;
        }, stop);
        return deleted.Succeeded ? Done.Value : Result<Done>.No(deleted.Refusals);
    }

    public async Task<Result<Page<FlavorView>>> Flavors(Caller caller, Window window, CancellationToken stop)
    {
        if (await access.Check(caller, Permissions.FlavorRead, stop) is { } no) return no;
        await using var db = store.Read();
        return await ByName(db.Flavors, window, f => f.Name, (q, after) => q.Where(f => string.Compare(f.Name, after) > 0), q => q.OrderBy(f => f.Name), View, stop);
    }

    public async Task<Result<FlavorView>> CreateFlavor(Caller caller, CreateFlavor request, string? idempotencyKey, CancellationToken stop)
    {
        var made = await mutations.Run(caller, Permissions.FlavorManage, "flavor.create", "flavor", Idempotency.Of(caller, idempotencyKey, "flavor.create", request), async m =>
        {
            var judged = CatalogueRules.Flavor(request, m.Now);
            if (!judged.Succeeded) return Result<Guid>.No(judged.Refusals);
            var row = judged.Value;
            if (await m.Db.Flavors.AnyAsync(f => f.Name == row.Name, stop)) return Taken("flavor", row.Name);
            m.Db.Flavors.Add(row);
            (m.Target, m.Detail) = ($"flavor/{row.Id}", row.Name);
            return row.Id.Value;
        }, stop);
        if (!made.Succeeded) return Result<FlavorView>.No(made.Refusals);
        await using var db = store.Read();
        var id = new FlavorId(made.Value);
        return await db.Flavors.SingleOrDefaultAsync(f => f.Id == id, stop) is { } saved ? View(saved) : NoFlavor(id);
    }

    public async Task<Result<Done>> DeleteFlavor(Caller caller, FlavorId flavor, CancellationToken stop)
    {
        var deleted = await mutations.Run(caller, Permissions.FlavorManage, "flavor.delete", $"flavor/{flavor}", async m =>
        {
            if (await m.Db.Flavors.SingleOrDefaultAsync(f => f.Id == flavor, stop) is not { } row) return NoFlavor(flavor);
            // VMs keep the size they were made with: a flavor is a name for a size, nothing depends on it later.
            m.Db.Flavors.Remove(row);
            m.Detail = row.Name;
            return flavor.Value;
        }, stop);
        return deleted.Succeeded ? Done.Value : Result<Done>.No(deleted.Refusals);
    }

    private static async Task<Result<Page<TView>>> ByName<TRow, TView>(IQueryable<TRow> rows, Window window, Func<TRow, string> name, Func<IQueryable<TRow>, string, IQueryable<TRow>> behind, Func<IQueryable<TRow>, IQueryable<TRow>> order, Func<TRow, TView> view, CancellationToken stop)
    {
        var refusals = new RefusalList();
        Lists.Check(refusals, window);
        var cursor = Cursor.Read(window, "name");
        if (!cursor.Succeeded) refusals.Add(cursor.Refusals[0]);
        if (refusals.Any) return Result<Page<TView>>.No(refusals.All);
        var total = await rows.LongCountAsync(stop);
        if (window.Offset is null && cursor.Value is { } after) rows = behind(rows, after.Name);
        rows = order(rows);
        if (window.Offset is { } offset) rows = rows.Skip(offset);
        var page = await rows.Take(window.Limit + 1).ToListAsync(stop);
        var more = page.Count > window.Limit;
        if (more) page.RemoveAt(page.Count - 1);
        return new Page<TView>([.. page.Select(view)], total, more ? new Cursor("name", "", name(page[^1])).Text() : null);
    }

    private static ImageView View(ImageRow i) => new(i.Id, i.Name, i.Description, i.State, i.Format, i.Digest, i.SizeBytes, i.MinDiskGib, i.MinMemoryMib, i.HasGuestAgent, i.DefaultUser, i.CreatedAt, i.Version);
    private static FlavorView View(FlavorRow f) => new(f.Id, f.Name, f.Description, f.Vcpus, f.MemoryMib, f.DiskGib, f.CreatedAt, f.Version);
    private static Refusal NoImage(ImageId image) => Refusal.NotFound("image_not_found", $"There is no image {image}.");
    private static Refusal NoFlavor(FlavorId flavor) => Refusal.NotFound("flavor_not_found", $"There is no flavor {flavor}.");
    private static Refusal Taken(string kind, string name) => Refusal.Conflict("name_taken", $"There is {(kind[0] is 'i' ? "an" : "a")} {kind} named {name} already; choose another name.") with { Field = "name" };
}
