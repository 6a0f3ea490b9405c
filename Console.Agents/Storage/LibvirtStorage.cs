using System.Collections.Concurrent;
using Plinth.Agents.Libvirt;
using Plinth.Agents.Machines;
using Plinth.Agents.Machines.Xml;
using Plinth.Core.Inventory;
using Plinth.Core.Primitives;
using Plinth.Core.Protocol;

namespace Plinth.Agents.Storage;

/// <summary>Pools, disks and seeds of a host. Disks are made by libvirt in its pool; whose a file is stands in its name (<see cref="PoolFiles"/>).</summary>
internal sealed class LibvirtStorage(LibvirtConnection libvirt, LibvirtOptions options)
{
    private const string DefaultPool = HostPool.DefaultName;

    private readonly ConcurrentDictionary<string, string> _directories = new();
    // libvirt refuses some acts on a pool while a disk is being made in it; disks take milliseconds.
    private readonly SemaphoreSlim _oneAtATime = new(1, 1);

    /// <summary>The directory of the pool; before the pool was seen, where it would be made.</summary>
    public string DirectoryOf(string pool) => _directories.GetValueOrDefault(pool) ?? options.PoolPath(pool);

    public string ImagePath(ImageReference image) => Path.Combine(DirectoryOf(DefaultPool), PoolFiles.ImageName(image));

    public string SeedPath(VmId vm, long generation) => Path.Combine(DirectoryOf(DefaultPool), PoolFiles.SeedName(vm, generation));

    public DomainDisk Disk(VmId vm, DesiredDisk disk) => new(disk.Serial, PathOf(vm, disk), Backing(disk), disk.Limits);

    public async Task<ObservedFacility> EnsurePool(PoolConfig pool, CancellationToken stop)
    {
        DomainRules.Check(pool);
        var directory = await libvirt.Call(connection => Realise(connection, pool), e => PoolFailed(pool.Name, e), stop);
        _directories[pool.Name] = directory;
        return new ObservedFacility("pool", pool.Name, true, $"Directory {directory}.");
    }

    public async Task EnsureDisk(VmId vm, DesiredDisk disk, CancellationToken stop)
    {
        DomainRules.Check(disk);
        await EnsureFile(disk, PathOf(vm, disk), stop);
    }

    public bool HasDisk(VmId vm, DesiredDisk disk) => File.Exists(PathOf(vm, disk));

    public async Task CopyDisk(VmId vm, DesiredDisk disk, Action<int> copied, CancellationToken stop)
    {
        var (path, source) = (PathOf(vm, disk), Path.Combine(DirectoryOf(disk.Pool), PoolFiles.DiskName(disk.Source!.Vm, disk.Serial, disk.Source.Generation)));
        if (!File.Exists(source)) throw Refusals.SourceGone(disk.Source);
        try
        {
            await DiskCopy.Make(source, path, disk.SizeGib, copied, stop);
        }
        catch (HypervisorException e) when (e.Message.Contains("No space left", StringComparison.OrdinalIgnoreCase))
        {
            throw new HypervisorException("disk_full", $"The pool '{disk.Pool}' is full ({DirectoryOf(disk.Pool)}): the disk of {disk.Source.Name} could not be copied. Remove VMs or images, or enlarge the file system.", cause: e);
        }
    }

    private string PathOf(VmId vm, DesiredDisk disk) => Path.Combine(DirectoryOf(disk.Pool), PoolFiles.DiskName(vm, disk.Serial, disk.Generation));

    // What has just been removed, and what is no qcow2 file any more, holds nothing for a guest.
    private static long SizeOf(FileInfo file)
    {
        try
        {
            return Qcow2Header.Read(file.FullName).VirtualSizeBytes;
        }
        catch (Exception e) when (e is IOException or InvalidDataException)
        {
            return 0;
        }
    }

    private async Task EnsureFile(DesiredDisk disk, string path, CancellationToken stop)
    {
        if (File.Exists(path)) return;
        if (disk.Image is { } image) Images.Check(ImagePath(image), image, disk.SizeGib);
        await _oneAtATime.WaitAsync(stop);
        try
        {
            await libvirt.Call(connection => MakeDisk(connection, disk, path), e => DiskFailed(disk, e), stop);
        }
        finally
        {
            _oneAtATime.Release();
        }
    }

    /// <summary>Every volume with a file here, and its size; 0 for one that is half made.</summary>
    public IReadOnlyDictionary<VolumeId, long> VolumeSizes() => Files()
        .Select(f => (File: f, Volume: PoolFiles.Volume(f.Name)))
        .Where(f => f.Volume is not null)
        .GroupBy(f => f.Volume!.Value)
        .ToDictionary(g => g.Key, g => g.Max(f => f.File.Name.EndsWith(PoolFiles.Part, StringComparison.Ordinal) ? 0 : SizeOf(f.File)));

    public string VolumePath(DesiredVolume volume) => Path.Combine(DirectoryOf(volume.Pool), PoolFiles.VolumeName(volume.Volume));

    public Task EnsureVolume(DesiredVolume volume, CancellationToken stop) => EnsureFile(new DesiredDisk(volume.Serial, volume.Pool, volume.SizeGib, null), VolumePath(volume), stop);

    /// <summary>Only while no machine runs with it: QEMU itself grows what it has open.</summary>
    public async Task GrowVolume(DesiredVolume volume, CancellationToken stop)
    {
        await _oneAtATime.WaitAsync(stop);
        try
        {
            await libvirt.Call(
                connection =>
                {
                    using var pool = Lookup(connection, volume.Pool) ?? throw Refusals.PoolMissing(volume.Pool);
                    // libvirt's list is older than a name that was given by a move.
                    if (Native.virStoragePoolRefresh(pool, 0) < 0) throw LibvirtException.Last("reading the pool");
                    using var file = Native.virStorageVolLookupByName(pool, PoolFiles.VolumeName(volume.Volume));
                    if (file.IsInvalid || Native.virStorageVolResize(file, (ulong)volume.SizeGib << 30, 0) < 0) throw LibvirtException.Last("growing the volume");
                },
                e => new HypervisorException("grow_failed", $"The volume '{volume.Name}' could not be grown to {volume.SizeGib} GiB: {e.Said}", cause: e),
                stop);
        }
        finally
        {
            _oneAtATime.Release();
        }
    }

    public async Task RemoveVolume(VolumeId volume, CancellationToken stop)
    {
        var files = Files().Where(f => PoolFiles.Volume(f.Name) == volume).ToArray();
        foreach (var file in files) file.Delete();
        if (files.Length > 0) await RefreshAll(stop);
    }

    public async Task EnsureSeed(VmId vm, Seed seed, CancellationToken stop)
    {
        DomainRules.Check(seed);
        var path = SeedPath(vm, seed.Generation);
        if (File.Exists(path)) return;
        if (!Directory.Exists(Path.GetDirectoryName(path))) throw Refusals.PoolMissing(DefaultPool);
        try
        {
            await SeedImage.Write(path, options.SeedWorkPath(vm), vm, seed, stop);
        }
        catch (IOException e)
        {
            throw new HypervisorException("seed_failed", $"The seed of VM {vm} could not be written: {e.Message}", cause: e);
        }
    }

    public IReadOnlyList<VmId> Owners() => [.. Files().Select(f => PoolFiles.Owner(f.Name)).OfType<VmId>().Distinct()];

    public IReadOnlyList<VmId> OwnersOfSeveral() =>
        [.. Files().Select(f => (Owner: PoolFiles.Owner(f.Name), Generation: PoolFiles.Generation(f.Name))).Where(f => f.Owner is not null).Distinct().GroupBy(f => f.Owner!.Value).Where(g => g.Skip(1).Any()).Select(g => g.Key)];

    /// <summary>Removes the VM's disks and seeds of every generation but this.</summary>
    public Task RemoveOthers(VmId vm, long generation, CancellationToken stop) => Remove(file => PoolFiles.Owner(file.Name) == vm && PoolFiles.Generation(file.Name) != generation, stop);

    public async Task Remove(VmId vm, CancellationToken stop)
    {
        if (Directory.Exists(options.SeedWorkPath(vm))) Directory.Delete(options.SeedWorkPath(vm), recursive: true);
        await Remove(file => PoolFiles.Owner(file.Name) == vm, stop);
    }

    private async Task Remove(Func<FileInfo, bool> which, CancellationToken stop)
    {
        var removed = false;
        foreach (var file in Files().Where(which))
        {
            // What a killed agent left copying would go on into a file without a name.
            if (file.Name.EndsWith(PoolFiles.Part, StringComparison.Ordinal)) DiskCopy.End(file.FullName);
            file.Delete();
            removed = true;
        }
        if (removed) await RefreshAll(stop);
    }

    // libvirt's list of volumes follows; nothing depends on it.
    private async Task RefreshAll(CancellationToken stop)
    {
        foreach (var name in _directories.Keys)
            await libvirt.Call(connection => Refresh(connection, name), e => PoolFailed(name, e), stop);
    }

    private IEnumerable<FileInfo> Files()
    {
        var made = Directory.Exists(options.PoolPath("")) ? Directory.GetDirectories(options.PoolPath("")) : [];
        return made.Union(_directories.Values).Where(Directory.Exists).SelectMany(directory => new DirectoryInfo(directory).EnumerateFiles());
    }

    private BackingFile? Backing(DesiredDisk disk) => disk.Image is { } image ? new BackingFile(ImagePath(image), image.Format) : null;

    private string Realise(ConnectHandle connection, PoolConfig wanted)
    {
        using var known = Lookup(connection, wanted.Name);
        using var pool = known ?? Define(connection, wanted);
        var xml = Native.Take(Native.virStoragePoolGetXMLDesc(pool, 0)) ?? throw LibvirtException.Last("reading the pool");
        // A directory pool of that name that somebody made before serves as well; files tell whose they are.
        var directory = StorageXml.DirectoryOf(xml)
            ?? throw new HypervisorException("pool_failed", $"libvirt has a pool '{wanted.Name}' that is not a directory. Rename it: the agent makes its own.");
        Directory.CreateDirectory(directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute);
        if (Native.virStoragePoolIsActive(pool) != 1 && Native.virStoragePoolCreate(pool, 0) < 0) throw LibvirtException.Last("starting the pool");
        if (Native.virStoragePoolSetAutostart(pool, 1) < 0) throw LibvirtException.Last("letting the pool start with the host");
        return directory;
    }

    private PoolHandle Define(ConnectHandle connection, PoolConfig wanted)
    {
        var pool = Native.virStoragePoolDefineXML(connection, StorageXml.Pool(wanted, options.PoolPath(wanted.Name)), 0);
        return pool.IsInvalid ? throw LibvirtException.Last("defining the pool") : pool;
    }

    private static PoolHandle? Lookup(ConnectHandle connection, string name)
    {
        var pool = Native.virStoragePoolLookupByName(connection, name);
        if (!pool.IsInvalid) return pool;
        var error = LibvirtException.Last($"looking for the pool '{name}'");
        return error.Error == LibvirtError.NoStoragePool ? null : throw error;
    }

    private void MakeDisk(ConnectHandle connection, DesiredDisk disk, string path)
    {
        using var pool = Lookup(connection, disk.Pool) ?? throw Refusals.PoolMissing(disk.Pool);
        var part = path + PoolFiles.Part;
        if (File.Exists(path)) return;
        if (File.Exists(part)) File.Delete(part);
        using (var volume = CreateVolume(pool, StorageXml.Disk(Path.GetFileName(part), disk.SizeGib, Backing(disk))))
            File.Move(part, path);
        // Lets libvirt's list follow the new name; refused while another disk is being made, and then done by the next one.
        _ = Native.virStoragePoolRefresh(pool, 0);
    }

    private static VolumeHandle CreateVolume(PoolHandle pool, string xml)
    {
        var volume = Native.virStorageVolCreateXML(pool, xml, 0);
        if (!volume.IsInvalid) return volume;
        var error = LibvirtException.Last("making the disk");
        // A crash left the name in libvirt's list, or libvirtd's list is older than the directory: read the directory again.
        if (error.Error != LibvirtError.StorageVolumeExists || Native.virStoragePoolRefresh(pool, 0) < 0) throw error;
        volume = Native.virStorageVolCreateXML(pool, xml, 0);
        return volume.IsInvalid ? throw LibvirtException.Last("making the disk") : volume;
    }

    private static void Refresh(ConnectHandle connection, string name)
    {
        using var pool = Lookup(connection, name);
        if (pool is not null) _ = Native.virStoragePoolRefresh(pool, 0);
    }

    private static HypervisorException PoolFailed(string name, LibvirtException e) =>
        new("pool_failed", $"The pool '{name}' could not be made ready: {e.Said}", cause: e);

    private HypervisorException DiskFailed(DesiredDisk disk, LibvirtException e)
    {
        var full = e.Said.Contains("No space left", StringComparison.OrdinalIgnoreCase);
        return full
            ? new HypervisorException("disk_full", $"The pool '{disk.Pool}' is full ({DirectoryOf(disk.Pool)}): the disk '{disk.Serial}' of {disk.SizeGib} GiB could not be made. Remove VMs or images, or enlarge the file system.", cause: e)
            : new HypervisorException("disk_failed", $"The disk '{disk.Serial}' of {disk.SizeGib} GiB could not be made in the pool '{disk.Pool}': {e.Said}", cause: e);
    }
}
