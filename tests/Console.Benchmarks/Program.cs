using Plinth.Benchmarks;

Dictionary<string, Func<Task>> benchmarks = new()
{
    ["placement"] = PlacementBenchmark.Run,
    ["create"] = CreateBenchmark.Run,
    ["fleet"] = () => FleetBenchmark.Run(hosts: 200),
    ["large-fleet"] = () => FleetBenchmark.Run(hosts: 2_000),
    ["live-list"] = LiveListBenchmark.Run,
    ["search"] = SearchBenchmark.Run,
    ["rights"] = RightsBenchmark.Run,
    ["sessions"] = SessionsBenchmark.Run,
};
var wanted = args.Length == 0 ? [.. benchmarks.Keys] : args;
if (wanted.FirstOrDefault(w => !benchmarks.ContainsKey(w)) is { } unknown)
{
    Console.Error.WriteLine($"unknown benchmark '{unknown}'; there are: {string.Join(", ", benchmarks.Keys)}");
    return 2;
}
foreach (var name in wanted) await benchmarks[name]();
return 0;
