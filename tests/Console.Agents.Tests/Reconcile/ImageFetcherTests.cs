using System.Security.Cryptography;
using Plinth.Agents.Machines;
using Plinth.Agents.Reconcile;
using Plinth.Agents.Simulation;
using Plinth.Core.Primitives;
using Plinth.Core.Protocol;
using Xunit;

namespace Plinth.Agents.Tests.Reconcile;

public sealed class ImageFetcherTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("plinth-images").FullName;
    private readonly byte[] _bytes = RandomNumberGenerator.GetBytes(300_000);
    private readonly TestImages _console = new();

    public ImageFetcherTests() => _console.Bytes = _bytes;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    private ImageReference Image => new(new ImageId(Guid.Empty), "sha256:" + Convert.ToHexStringLower(SHA256.HashData(_bytes)), _bytes.Length, "qcow2");

    private string Target => Path.Combine(_directory, "image");

    private ImageFetcher Fetcher() => new(new WithBytes(Target), _console, TimeProvider.System, AgentLog.Silent);

    private async Task<Download?> Settled(ImageFetcher fetcher)
    {
        Download? download = null;
        await Eventually.True(() =>
        {
            download = fetcher.Ensure(Image, default);
            return download is null or { Running: false };
        });
        return download;
    }

    [Fact]
    public async Task The_bytes_appear_under_their_name_once_they_are_verified()
    {
        Assert.Null(await Settled(Fetcher()));
        Assert.Equal(_bytes, File.ReadAllBytes(Target));
        Assert.False(File.Exists(Target + ".part"));
    }

    [Fact]
    public async Task Many_waiters_make_one_download()
    {
        var fetcher = Fetcher();
        for (var i = 0; i < 50; i++) fetcher.Ensure(Image, default);
        await Settled(fetcher);
        Assert.Single(_console.Asked);
    }

    [Fact]
    public async Task What_was_cut_goes_on_where_it_was_also_in_another_process()
    {
        _console.CutAfter = 120_000;
        var cut = await Settled(Fetcher());
        Assert.Equal("image_fetch", cut!.Problem!.Code);
        Assert.False(File.Exists(Target));
        _console.CutAfter = int.MaxValue;
        Assert.Null(await Settled(Fetcher()));
        Assert.Equal([0, 120_000], _console.Asked);
        Assert.Equal(_bytes, File.ReadAllBytes(Target));
    }

    [Fact]
    public async Task Wrong_bytes_are_thrown_away_and_said()
    {
        _console.Bytes = RandomNumberGenerator.GetBytes(_bytes.Length);
        var wrong = await Settled(Fetcher());
        Assert.Equal("image_digest", wrong!.Problem!.Code);
        Assert.False(File.Exists(Target));
        Assert.False(File.Exists(Target + ".part"));
        _console.Bytes = _bytes;
        Assert.Null(await Settled(Fetcher()));
    }

    [Fact]
    public async Task More_bytes_than_announced_are_not_taken()
    {
        _console.Bytes = [.. _bytes, .. new byte[100_000]];
        Assert.Equal("image_digest", (await Settled(Fetcher()))!.Problem!.Code);
        Assert.False(File.Exists(Target));
    }

    private sealed class TestImages : IImageSource
    {
        public byte[] Bytes { get; set; } = [];
        public int CutAfter { get; set; } = int.MaxValue;
        public List<long> Asked { get; } = [];

        public Task<(Stream Bytes, long From)> Open(string digest, long from, CancellationToken stop)
        {
            lock (Asked) Asked.Add(from);
            var until = (int)Math.Min(Bytes.Length, Math.Max(from, CutAfter));
            return Task.FromResult<(Stream, long)>((new MemoryStream(Bytes[(int)from..until]), from));
        }
    }

    private sealed class WithBytes(string path) : DelegatingHypervisor(new SimulatedHypervisor(SimulatedProfile.Server(1, SimulatedTimings.Instant), TimeProvider.System)), IHypervisor
    {
        string IHypervisor.ImagePath(ImageReference image) => path;
        bool IHypervisor.NeedsImageBytes => true;
        protected override Task Around(string act, VmId? vm, Func<Task> call) => call();
    }
}
