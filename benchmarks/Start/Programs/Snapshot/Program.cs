using Fal.Observability.Client;
using Fal.Observability.Client.Benchmarks.Programs;

using var fal = new FalObservabilityClient(options =>
{
    options.ApiKey = "benchmark:key";
    options.BaseAddress = new Uri(args[0]);
});
await MeasuredCall.RunAsync(args, () => fal.Metrics.GetSnapshotAsync(), snapshot => snapshot.Apps.Count);
