// A hosted service with two accounts: their metrics go to OpenTelemetry side by side, and a worker reads both. Ctrl+C ends it.
// Fal__Accounts__acme__ApiKey=id:secret Fal__Accounts__globex__ApiKey=id:secret dotnet run --project samples/TwoAccounts
using Fal.Observability.Client;
using Fal.Observability.Client.Testing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using OpenTelemetry.Metrics;

HostApplicationBuilder builder = Host.CreateApplicationBuilder(args);
await using FalSimulator sim = await FalSimulator.StartAsync();
sim.App("simulated/my-app").Queue = 250;
foreach (string account in (string[])["acme", "globex"])
{
    // Each account has a section of the configuration, a key and HTTP clients of its own.
    builder.Services.AddFalObservability(account).AddMetricsPublisher();
    builder.Services.AddSingleton<IHostedService>(services =>
        new QueueWorker(account, services.GetRequiredKeyedService<IFalObservabilityClient>(account)));
    IConfigurationSection section = builder.Configuration.GetSection($"Fal:Accounts:{account}");
    if (section["ApiKey"] is not { Length: > 0 })
    {
        Console.WriteLine($"SIMULATED DATA for {account}: Fal:Accounts:{account}:ApiKey is not set.");
        (section["ApiKey"], section["BaseAddress"]) = (sim.Key, sim.BaseAddress.ToString());
    }
}

// The console is for the eye; AddOtlpExporter() sends to a collector. The tag "account" tells the accounts apart.
builder.Services.AddOpenTelemetry().WithMetrics(metrics => metrics
    .AddMeter(FalMetricsPublisher.MeterName)
    .AddView(instrument => instrument.Name is "fal_up" or "fal_app_queue_size" ? null : MetricStreamConfiguration.Drop)
    .AddConsoleExporter((_, reader) => reader.PeriodicExportingMetricReaderOptions.ExportIntervalMilliseconds = 15_000));
await builder.Build().RunAsync();

/// <summary>What you do with an account: this worker prints how many requests wait.</summary>
internal sealed class QueueWorker(string account, IFalObservabilityClient fal) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await foreach (FalMetricsSnapshot now in fal.Metrics.WatchAsync(TimeSpan.FromSeconds(15), stoppingToken))
        {
            Console.WriteLine($"{account}: {now.Apps.Count} apps, {now.Apps.Sum(app => app.QueueSize ?? 0)} requests are waiting.");
        }
    }
}
