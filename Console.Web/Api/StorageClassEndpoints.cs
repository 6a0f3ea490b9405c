using Plinth.Core.Identity;
using Plinth.Core.Primitives;
using Plinth.Web.Application;
using Plinth.Web.Security;

namespace Plinth.Web.Api;

internal static class StorageClassEndpoints
{
    public static void Map(RouteGroupBuilder api)
    {
        var classes = api.MapGroup("/storage-classes").WithTags("Storage classes");

        classes.MapGet("", async (HttpContext http, IStorageClasses use) => Answers.Whole(await use.List(http.Caller(), http.RequestAborted)))
            .Needs(Permissions.StorageRead).Describe<Page<StorageClassView>>("List storage classes", "Each with how many hosts have a pool that fits.");

        classes.MapPost("", async (HttpContext http, IStorageClasses use, JsonBody<CreateStorageClass> body) =>
                Answers.Created(http, await use.Create(http.Caller(), body.Value, Inputs.IdempotencyKey(http), http.RequestAborted), s => $"{ApiRegistration.Root}/storage-classes/{s.Id}", s => s.Version))
            .Needs(Permissions.StorageManage).Describe<StorageClassView>("Create a storage class", "needs: what a host's pool has to be able to do. limits: how much each disk may do in a second.", StatusCodes.Status201Created);

        classes.MapGet("/{storageClass}", async (HttpContext http, string storageClass, IStorageClasses use) =>
                Answers.Resource(http, await use.Get(http.Caller(), Class(storageClass), http.RequestAborted), s => s.Version))
            .Needs(Permissions.StorageRead).Describe<StorageClassView>("Get a storage class", "");

        classes.MapGet("/{storageClass}/hosts", async (HttpContext http, string storageClass, IStorageClasses use) =>
                Answers.Whole(await use.Hosts(http.Caller(), Class(storageClass), http.RequestAborted)))
            .Needs(Permissions.HostRead).Describe<Page<StorageClassHostView>>("Match a storage class with hosts", "Why each host's pool fits or not, and whether its disks keep to the limits.");

        classes.MapPatch("/{storageClass}", async (HttpContext http, string storageClass, IStorageClasses use, JsonBody<UpdateStorageClass> body) =>
                Answers.Resource(http, await use.Update(http.Caller(), Class(storageClass), body.Value, Inputs.ExpectedVersion(http), http.RequestAborted), s => s.Version))
            .Needs(Permissions.StorageManage).Describe<StorageClassView>("Change description or limits", "What is absent stays; limits are replaced as a whole and reach running guests at once. What the class needs stays.");

        classes.MapDelete("/{storageClass}", async (HttpContext http, string storageClass, IStorageClasses use) =>
                Answers.NoContent(await use.Delete(http.Caller(), Class(storageClass), http.RequestAborted)))
            .Needs(Permissions.StorageManage).Describe("Delete a storage class", "Refused while disks are in it.");
    }

    private static StorageClassId Class(string text) => Inputs.Id<StorageClassId>(text, "storageClass");
}
