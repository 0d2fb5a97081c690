// Published native by CI and run against the simulator: every path that could hide reflection is taken once.
using System.Diagnostics.Metrics;
using Fal.Observability.Client;
using Fal.Observability.Client.Prometheus;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;

if (args is not [string address, string key])
{
    Console.Error.WriteLine("usage: AotTests <base address> <key>");
    return 2;
}

int passed = 0;
int failed = 0;

// Without a container.
using var fal = new FalObservabilityClient(options =>
{
    options.ApiKey = key;
    options.BaseAddress = new Uri(address);
});
FalMetricsSnapshot snapshot = await fal.Metrics.GetSnapshotAsync();
Check("a snapshot has apps", snapshot.Apps.Count > 0);
Check("an app has runners and a latency", snapshot.Apps.Any(app => app.RunnerCount > 0 && app.Latency?.Quantile(0.99) > 0));

int samples = 0;
await foreach (PrometheusSample sample in fal.Metrics.StreamSamplesAsync())
{
    samples++;
}

Check("the stream has the samples of the families", samples == snapshot.Families.Sum(family => family.Samples.Count));

var query = new AnalyticsQuery(snapshot.Apps[0].Name)
{
    Expand = AnalyticsExpand.Structure | AnalyticsExpand.AllMetrics,
    AdditionalExpand = [],
    Range = AnalyticsTimeRange.Last(TimeSpan.FromDays(2)),
    Timeframe = AnalyticsTimeframe.Hour,
    TimeZone = "Europe/Berlin",
};
AnalyticsPage page = await fal.Analytics.GetPageAsync(query);
Check("a page has buckets and a summary", page.TimeSeries.Count > 0 && page.Summary.Count > 0);
Check("a row has exact values", page.Summary[0].GetValue(AnalyticsExpand.RequestCount) > 0 && page.Summary[0].P90Duration > TimeSpan.Zero);

int buckets = 0;
await foreach (AnalyticsBucket bucket in fal.Analytics.StreamTimeSeriesAsync(query with { Limit = 7 }))
{
    buckets++;
}

Check("the stream follows the pages", buckets >= 48);

AnalyticsReport report = await fal.Analytics.GetReportAsync(query with { Limit = 7 });
Check("a report has the buckets of the stream", report.TimeSeries.Count == buckets);

AnalyticsCheckpoint? checkpoint = null;
await foreach (AnalyticsWindow window in fal.Analytics.StreamWindowsAsync(query))
{
    checkpoint = AnalyticsCheckpoint.FromJson(window.Checkpoint.ToJson());
}

Check("a checkpoint survives its JSON", checkpoint is not null);

FalAppList list = await fal.Apps.ListAsync(new FalAppQuery { WithEndpoints = true });
Check(
    "the apps are those of the metrics",
    list.Apps.Select(app => app.EndpointId).Order().SequenceEqual(snapshot.Apps.Select(app => app.Name).Order())
);
Check("an app has its routes and times", list.Apps.All(app => app.Endpoints is not null && app.KeepAlive > TimeSpan.Zero));
FalRunnerHistory history = await fal.Apps.GetRunnerHistoryAsync(list.Apps[0].EndpointId, aggregation: FalRunnerAggregation.Average);
Check(
    "a history has buckets in order",
    history.Buckets.Count >= 24 && history.Buckets.Zip(history.Buckets.Skip(1), (a, b) => a.Start < b.Start).All(ascends => ascends)
);
UsageReport usage = await fal.Usage.GetReportAsync(new UsageQuery { Expand = UsageExpand.TimeSeries | UsageExpand.Summary, Limit = 7 });
Check(
    "the bill adds up to its summary",
    usage.Totals.Count > 0 && usage.Totals.Sum(total => total.Cost) == usage.Summary.Sum(row => row.Cost)
);
int billed = 0;
await foreach (UsageBucket bucket in fal.Usage.StreamTimeSeriesAsync(new UsageQuery { Limit = 7 }))
{
    billed++;
}

Check("the stream of the bill follows the pages", billed == usage.TimeSeries.Count);
AnalyticsReport requests = await fal.Analytics.GetReportAsync(list.ToQuery() with { Range = usage.Query.Range });
AppCostReport costs = usage.ByApp(list, requests);
Check("cost is joined with requests", costs.Apps.Any(app => app.CostPerThousandSuccesses > 0));

// With one, its options bound from a configuration.
IConfigurationRoot configuration = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
{
    ["Fal:ApiKey"] = key,
    ["Fal:BaseAddress"] = address,
    ["Fal:MaxAttempts"] = "2",
    ["Fal:TotalTimeout"] = "00:00:40",
    ["Fal:Publisher:Interval"] = "00:00:20",
    ["Fal:Publisher:AnalyticsEndpointIds:0"] = snapshot.Apps[0].Name,
    ["Fal:Publisher:AnalyticsMetrics"] = "RequestCount, P90Duration",
    ["Fal:Accounts:other:ApiKey"] = "nobody:knows-this-key",
    ["Fal:Accounts:other:BaseAddress"] = address,
}).Build();
var services = new ServiceCollection();
services.AddSingleton<IConfiguration>(configuration);
services.AddFalObservability().AddMetricsPublisher();
services.AddFalObservability("other");
services.AddLogging();
services.AddHealthChecks().AddFal();
await using ServiceProvider provider = services.BuildServiceProvider();
Check(
    "the container's client reads the same apps",
    (await provider.GetRequiredService<IFalMetricsClient>().GetSnapshotAsync()).Apps.Count == snapshot.Apps.Count
);

await using (Stream raw = await provider.GetRequiredService<IFalMetricsApi>().GetMetricsAsync())
{
    Check("the Refit interface hands out the text", raw.ReadByte() == '#');
}

try
{
    await provider.GetRequiredKeyedService<IFalMetricsClient>("other").GetSnapshotAsync();
    Check("a wrong key is refused", false);
}
catch (FalAuthenticationException failure)
{
    Check(
        "a wrong key is refused with the service's words",
        failure.ErrorType == FalErrorTypes.AuthorizationError && !string.IsNullOrEmpty(failure.ServiceMessage)
    );
}

// The publisher, without a host, until its first instruments of both kinds are there.
var live = new TaskCompletionSource();
var analytics = new TaskCompletionSource();
using var listener = new MeterListener
{
    InstrumentPublished = (instrument, all) =>
    {
        all.EnableMeasurementEvents(instrument);
        (instrument.Name switch
        {
            FalMetricNames.QueueSize => live,
            "fal_analytics_p90_duration_seconds" => analytics,
            _ => null,
        })?.TrySetResult();
    },
};
int queues = 0;
listener.SetMeasurementEventCallback<double>((instrument, _, _, _) => queues += instrument.Name == FalMetricNames.QueueSize ? 1 : 0);
listener.Start();
FalMetricsPublisher publisher = provider.GetRequiredService<FalMetricsPublisher>();
await publisher.StartAsync(CancellationToken.None);
await Task.WhenAll(live.Task, analytics.Task).WaitAsync(TimeSpan.FromSeconds(60));
listener.RecordObservableInstruments();
Check("the publisher's options are bound and its instruments say what was read", queues == snapshot.Apps.Count);
HealthReport health = await provider.GetRequiredService<HealthCheckService>().CheckHealthAsync();
Check("the health check judges the publisher's read", health.Entries["fal"].Data["apps"] is int apps && apps == snapshot.Apps.Count);
await publisher.StopAsync(CancellationToken.None);

Console.WriteLine($"{passed} passed, {failed} failed");
return failed == 0 ? 0 : 1;

void Check(string what, bool holds)
{
    Console.WriteLine($"{(holds ? "ok    " : "FAILED")} {what}");
    passed += holds ? 1 : 0;
    failed += holds ? 0 : 1;
}
