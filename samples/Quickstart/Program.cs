using Fal.Observability.Client;
using Fal.Observability.Client.Testing;
using Fal.Observability.Quickstart;

// With a key in the environment this reads your own apps; without one it reads a simulator that it starts itself.
string[] keys = ["FAL_KEY", "FAL_KEY_ID", "FAL_KEY_FILE"];
bool live = keys.Any(key => Environment.GetEnvironmentVariable(key) is { Length: > 0 });
await using FalSimulator? simulator = live ? null : await FalSimulator.StartAsync(options => options.Seed = 1);

using var stop = new CancellationTokenSource();
Console.CancelKeyPress += (_, e) =>
{
    e.Cancel = true;
    stop.Cancel();
};

try
{
    using var fal = new FalObservabilityClient(options =>
    {
        if (simulator is not null)
        {
            options.ApiKey = simulator.Key;
            options.BaseAddress = simulator.BaseAddress;
        }
    });

    Console.WriteLine(live
        ? "Your apps on fal."
        : """
            SIMULATED DATA: no key is set in FAL_KEY or FAL_KEY_FILE, so every figure below
            comes from the built-in simulator.
            """);
    Console.WriteLine();

    // The live metrics: one call, typed for each app.
    FalMetricsSnapshot now = await fal.Metrics.GetSnapshotAsync(stop.Token);
    Report.WriteNow(now);

    // The analytics of the busiest apps over the last seven days and today: totals first, then day by day.
    string[] endpoints = [.. now.Apps.OrderByDescending(app => app.RequestsReceived ?? 0).Take(10).Select(app => app.Name)];
    if (endpoints.Length == 0)
    {
        Console.WriteLine("No app has metrics now, so there are no analytics to read.");
        return 0;
    }

    var week = new AnalyticsQuery(endpoints)
    {
        Expand = AnalyticsExpand.Summary | AnalyticsExpand.Volume
            | AnalyticsExpand.P50Duration | AnalyticsExpand.P99Duration,
        Range = AnalyticsTimeRange.Last(TimeSpan.FromDays(7)),
        Timeframe = AnalyticsTimeframe.Day,
    };
    AnalyticsPage totals = await fal.Analytics.GetPageAsync(week, stop.Token);
    Report.WriteWeek(totals.Summary);

    if (totals.Summary.MaxBy(row => row.RequestCount ?? 0) is { } busiest)
    {
        AnalyticsQuery days = week with { EndpointIds = [busiest.EndpointId] };
        await Report.WriteDaysAsync(busiest.EndpointId, fal.Analytics.StreamTimeSeriesAsync(days, stop.Token));
    }

    Console.WriteLine("""

        Try next:
          your own apps          export FAL_KEY=id:secret, then run this again
          an alert on a queue    dotnet run --project samples/QueueAlert
          an SLO in a pipeline   dotnet run --project samples/SlaCheck
          all samples            samples/README.md
        """);
    return 0;
}
catch (FalObservabilityException failure)
{
    // Every failure of a call has this base, and a message that says what happened and what to do.
    Console.Error.WriteLine(failure.Message);
    return 1;
}
catch (Microsoft.Extensions.Options.OptionsValidationException failure)
{
    Console.Error.WriteLine(failure.Message);
    return 2;
}
catch (OperationCanceledException)
{
    return 130;
}
