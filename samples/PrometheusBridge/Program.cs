using System.Globalization;
using Fal.Observability.Client;
using Fal.Observability.PrometheusBridge;
using Fal.Observability.PrometheusBridge.RemoteWrite;
using Fal.Observability.Simulator;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;
using OpenTelemetry.Metrics;

// Reads the metrics of one fal account or of many, serves them to Prometheus, and pushes them on where it is told to.
//   dotnet run --project samples/PrometheusBridge
//   dotnet run --project samples/PrometheusBridge -- history FILE --endpoints a/b,c/d --first 2026-01-01 --last 2026-03-31 [--account KEY]
const string defaultAccount = "default";
bool writesHistory = args is ["history", ..];
WebApplicationBuilder builder = WebApplication.CreateBuilder(new WebApplicationOptions
{
    Args = writesHistory ? args[2..] : args,
    // The settings lie beside the program, wherever it is started from.
    ContentRootPath = AppContext.BaseDirectory,
});
BridgeOptions bridge;
try
{
    bridge = BridgeOptions.From(builder.Configuration);
}
catch (InvalidOperationException e)
{
    await Console.Error.WriteLineAsync($"The configuration cannot be used. {e.Message} {e.InnerException?.Message}".TrimEnd());
    return 2;
}

bool isLive = bridge.Accounts.Count > 0 || builder.Configuration["Fal:ApiKey"] is { Length: > 0 } || builder.Configuration["Fal:BaseAddress"] is not null
    || Environment.GetEnvironmentVariable("FAL_KEY") is { Length: > 0 };
await using SimulatorServer? simulator = isLive ? null : await SimulatorServer.StartAsync();
if (simulator is not null)
{
    Console.WriteLine("SIMULATED DATA: no fal key is configured, so every figure comes from the built-in simulator.");
    builder.Configuration["Fal:ApiKey"] = simulator.Key;
    builder.Configuration["Fal:BaseAddress"] = simulator.BaseAddress.ToString();
}

builder.Services.AddSingleton(bridge).AddSingleton(TimeProvider.System).AddSingleton<RemoteWriteClient>().AddSingleton<MetricsPage>();
IHealthChecksBuilder health = builder.Services.AddHealthChecks();
string?[] keys = bridge.Accounts.Count == 0 ? [null] : [.. bridge.Accounts];
foreach (string? key in keys)
{
    IFalObservabilityBuilder account = key is null ? builder.Services.AddFalObservability() : builder.Services.AddFalObservability(key);
    account.AddMetricsPublisher(publisher => publisher.AccountLabel ??= key ?? defaultAccount);
    builder.Services.AddSingleton(services => new BridgedAccount(
        services.GetRequiredService<IOptionsMonitor<FalMetricsPublisherOptions>>().Get(key ?? Options.DefaultName).AccountLabel!,
        key is null ? services.GetRequiredService<FalMetricsPublisher>() : services.GetRequiredKeyedService<FalMetricsPublisher>(key)));
    health.AddFal(key);
}

if (writesHistory)
{
    return await WriteHistoryAsync(args[1], simulator);
}

if (bridge.RemoteWrite.Url is not null)
{
    builder.Services.AddSingleton(_ => new HistoryProgress(bridge.RemoteWrite.StateFile));
    foreach (HistoryOptions history in bridge.RemoteWrite.Histories)
    {
        builder.Services.AddSingleton(services => CreateWorker(services, history));
    }

    // One registration for all, so that the health check finds them too.
    builder.Services.AddHostedService<HistoryWorkers>();
    health.Add(new HealthCheckRegistration("remote write", services => services.GetRequiredService<HistoryWorkers>(), HealthStatus.Degraded, tags: null));
}

if (bridge.OtlpEndpoint is not null || builder.Configuration["OTEL_EXPORTER_OTLP_ENDPOINT"] is not null)
{
    builder.Services.AddOpenTelemetry().WithMetrics(metrics => metrics
        .AddMeter(FalMetricsPublisher.MeterName)
        // The SDK keeps 2,000 series a metric and folds the rest into one: an account of 10,000 apps has more.
        .AddView("*", new MetricStreamConfiguration { CardinalityLimit = 200_000 })
        .AddOtlpExporter(otlp => otlp.Endpoint = bridge.OtlpEndpoint ?? otlp.Endpoint));
}

WebApplication app = builder.Build();
app.MapGet("/metrics", (HttpContext context, MetricsPage page) => page.WriteAsync(context));
app.MapHealthChecks("/health", new() { ResponseWriter = HealthPage.WriteAsync });
try
{
    await app.RunAsync();
    return 0;
}
catch (Exception e) when (e is OptionsValidationException or InvalidOperationException or IOException)
{
    // A wrong setting or a port that is taken: the message says which, a stack trace does not.
    await Console.Error.WriteLineAsync($"The bridge cannot start. {e.Message}");
    return 2;
}

HistoryWorker CreateWorker(IServiceProvider services, HistoryOptions history) => ActivatorUtilities.CreateInstance<HistoryWorker>(
    services,
    history,
    services.GetRequiredService<IOptionsMonitor<FalMetricsPublisherOptions>>().Get(history.Account ?? Options.DefaultName).AccountLabel!,
    history.Account is null ? services.GetRequiredService<IFalAnalyticsClient>() : services.GetRequiredKeyedService<IFalAnalyticsClient>(history.Account),
    services.GetRequiredService<IOptionsMonitor<FalObservabilityOptions>>().Get(history.Account ?? Options.DefaultName).ProvisionalAge);

async Task<int> WriteHistoryAsync(string path, SimulatorServer? simulator)
{
    IConfiguration settings = builder.Configuration;
    string[] endpoints = settings["endpoints"]?.Split(',') ?? simulator?.Apps.Take(3).ToArray() ?? [];
    if (endpoints.Length == 0)
    {
        await Console.Error.WriteLineAsync("Name the endpoints: --endpoints my-org/my-app,my-org/other");
        return 2;
    }

    string? key = settings["account"];
    await using ServiceProvider services = builder.Services.BuildServiceProvider();
    IFalAnalyticsClient analytics = key is null ? services.GetRequiredService<IFalAnalyticsClient>() : services.GetRequiredKeyedService<IFalAnalyticsClient>(key);
    var query = new AnalyticsQuery(endpoints)
    {
        Expand = AnalyticsExpand.Standard | AnalyticsExpand.TimeSeries,
        Range = settings["first"] is { } first && settings["last"] is { } last
            ? AnalyticsTimeRange.Days(Day(first), Day(last))
            : AnalyticsTimeRange.Last(TimeSpan.FromDays(7)),
        Timeframe = AnalyticsTimeframe.Hour,
        ClosedOnly = true,
        RefusedEndpoints = RefusedEndpointPolicy.Skip,
        DegradeOnServerError = true,
    };
    try
    {
        await HistoryFile.WriteAsync(analytics, query, key ?? defaultAccount, path);
        return 0;
    }
    catch (Exception e) when (e is FalObservabilityException or IOException or UnauthorizedAccessException)
    {
        await Console.Error.WriteLineAsync($"The history was not written. {e.Message}");
        return 1;
    }
}

static DateOnly Day(string text) => DateOnly.ParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture);
