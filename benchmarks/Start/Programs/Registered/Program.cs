using Fal.Observability.Client;
using Fal.Observability.Client.Benchmarks.Programs;
using Microsoft.Extensions.DependencyInjection;

var services = new ServiceCollection();
services.AddFalObservability(options =>
{
    options.ApiKey = "benchmark:key";
    options.BaseAddress = new Uri(args[0]);
});
await using ServiceProvider provider = services.BuildServiceProvider();
IFalObservabilityClient fal = provider.GetRequiredService<IFalObservabilityClient>();
await MeasuredCall.RunAsync(args, () => fal.Metrics.GetSnapshotAsync(), snapshot => snapshot.Apps.Count);
