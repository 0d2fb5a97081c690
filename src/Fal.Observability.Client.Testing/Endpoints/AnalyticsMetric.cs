namespace Fal.Observability.Client.Testing;

/// <summary>The metrics that <c>expand</c> may ask for, and how each is read from the traffic.</summary>
internal sealed class AnalyticsMetric
{
    private static readonly AnalyticsMetric[] All =
    [
        Count("request_count", (in t) => t.Requests),
        Count("success_count", (in t) => t.Successes),
        Count("user_error_count", (in t) => t.UserErrors),
        Count("error_count", (in t) => t.Errors),
        Count("startup_error_count", (in t) => t.StartupErrors),
        Count("connection_error_count", (in t) => t.ConnectionErrors),
        Count("timeout_error_count", (in t) => t.TimeoutErrors),
        Count("runtime_error_count", (in t) => t.RuntimeErrors),
        Seconds("p50_prepare_duration", (in t) => t.WaitPercentile(50)),
        Seconds("p75_prepare_duration", (in t) => t.WaitPercentile(75)),
        Seconds("p90_prepare_duration", (in t) => t.WaitPercentile(90)),
        Seconds("p95_prepare_duration", (in t) => t.WaitPercentile(95)),
        Seconds("p99_prepare_duration", (in t) => t.WaitPercentile(99)),
        Seconds("p25_duration", (in t) => t.Execution.Percentile(25)),
        Seconds("p50_duration", (in t) => t.Execution.Percentile(50)),
        Seconds("p75_duration", (in t) => t.Execution.Percentile(75)),
        Seconds("p90_duration", (in t) => t.Execution.Percentile(90)),
        Seconds("p95_duration", (in t) => t.Execution.Percentile(95)),
        Seconds("p99_duration", (in t) => t.Execution.Percentile(99)),
        Count("cold_boot_count", (in t) => t.ColdBoots),
        Seconds("p50_cold_boot_duration", (in t) => t.ColdBoot.Percentile(50)),
        Seconds("p75_cold_boot_duration", (in t) => t.ColdBoot.Percentile(75)),
        Seconds("p90_cold_boot_duration", (in t) => t.ColdBoot.Percentile(90)),
        Seconds("total_billable_duration", (in t) => t.BillableMilliseconds / 1000.0),
    ];

    private readonly Reading _read;

    private AnalyticsMetric(string name, bool isCount, Reading read)
    {
        Name = name;
        IsCount = isCount;
        _read = read;
    }

    private delegate double? Reading(in TrafficTotals totals);

    private delegate long CountReading(in TrafficTotals totals);

    /// <summary>Every metric by its wire name.</summary>
    public static IReadOnlyDictionary<string, AnalyticsMetric> ByName { get; } =
        All.ToDictionary(metric => metric.Name, StringComparer.Ordinal);

    /// <summary>The wire name, as in <c>expand</c> and in a row.</summary>
    public string Name { get; }

    /// <summary>Sent as an integer; else it is a number of seconds.</summary>
    public bool IsCount { get; }

    /// <summary>One of the three that the service is known to fail on for some endpoints.</summary>
    public bool IsColdBootPercentile => !IsCount && Name.EndsWith("cold_boot_duration", StringComparison.Ordinal);

    /// <summary>The value; null for a percentile of nothing.</summary>
    public double? Read(in TrafficTotals totals) => _read(totals);

    private static AnalyticsMetric Count(string name, CountReading read) => new(name, isCount: true, (in t) => read(t));

    private static AnalyticsMetric Seconds(string name, Reading read) => new(name, isCount: false, read);
}
