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
if (args is [_, "calls"])
{
    await CallLoop.RunAsync(() => fal.Metrics.GetSnapshotAsync());
    return;
}

FalMetricsSnapshot snapshot = await fal.Metrics.GetSnapshotAsync();
Console.WriteLine(snapshot.Apps.Count);
if (args is [_, "stay"])
{
    await Task.Delay(Timeout.Infinite);
}
