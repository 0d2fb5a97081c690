using System.Text.Json.Serialization;

namespace Fal.Observability.Cli.Report;

/// <summary>Everything that a report says. The page and the JSON are both written from this one tree.</summary>
internal sealed record AccountFigures
{
    [JsonPropertyName("simulated")]
    public required bool IsSimulated { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public required PeriodFigures Period { get; init; }

    public required TrafficFigures Traffic { get; init; }

    /// <summary>Null: no bucket has ended yet.</summary>
    public required AvailabilityFigures? Availability { get; init; }

    /// <summary>The idle share of all runners together; null: no runner was up, or no history is known.</summary>
    public required double? IdleShare { get; init; }

    /// <summary>The runner hours of all apps; null: no history is known.</summary>
    public required RunnerHoursFigures? RunnerHours { get; init; }

    /// <summary>Null: the service refuses the usage.</summary>
    public required BillFigures? Bill { get; init; }

    /// <summary>The apps, from the most requests to the fewest.</summary>
    public required IReadOnlyList<AppFigures> Apps { get; init; }

    /// <summary>The buckets with the most server errors over all apps.</summary>
    public required IReadOnlyList<BucketFigures> WorstBuckets { get; init; }

    /// <summary>Among the buckets with at least 20 requests, those in which an endpoint had the longest wait in the queue.</summary>
    public required IReadOnlyList<BucketFigures> SlowestBuckets { get; init; }

    public required ColumnsFigures Columns { get; init; }

    /// <summary>What the service did not deliver.</summary>
    public required IReadOnlyList<ReportGap> Gaps { get; init; }
}

/// <summary>The time that the figures are about.</summary>
/// <param name="Start">The first instant.</param>
/// <param name="End">The end, exclusive.</param>
/// <param name="StartBefore">The first instant of the period before, which ends at <paramref name="Start"/>.</param>
/// <param name="Timeframe">The length of a bucket: <c>minute</c>, <c>hour</c> or <c>day</c>.</param>
/// <param name="BucketCount">How many buckets there are.</param>
/// <param name="ProvisionalBucketCount">How many of them may still change.</param>
/// <param name="ProvisionalSince">The start of the first of those; null: there is none.</param>
/// <param name="ProvisionalRequestCount">Their requests.</param>
internal sealed record PeriodFigures(
    DateTimeOffset Start,
    DateTimeOffset End,
    DateTimeOffset StartBefore,
    string Timeframe,
    int BucketCount,
    int ProvisionalBucketCount,
    DateTimeOffset? ProvisionalSince,
    double? ProvisionalRequestCount);

/// <summary>A figure of the period beside that of the period before.</summary>
/// <param name="Value">Null: not known.</param>
/// <param name="Before">Null: not known.</param>
internal sealed record Compared(double? Value, double? Before)
{
    /// <summary>The difference as a share of the earlier value: 0.1 for 10 % more. Null if that is 0 or not known.</summary>
    public double? Change => Before > 0 ? (Value / Before) - 1 : null;
}

/// <summary>Requests, their outcomes and the shares of these.</summary>
internal sealed record TrafficFigures
{
    public required Compared RequestCount { get; init; }

    public required Compared SuccessCount { get; init; }

    public required Compared UserErrorCount { get; init; }

    public required Compared ErrorCount { get; init; }

    public required Compared StartupErrorCount { get; init; }

    public required Compared ConnectionErrorCount { get; init; }

    public required Compared TimeoutErrorCount { get; init; }

    public required Compared RuntimeErrorCount { get; init; }

    public required Compared ColdBootCount { get; init; }

    public required Compared SuccessRate { get; init; }

    public required Compared UserErrorRate { get; init; }

    public required Compared ErrorRate { get; init; }

    /// <summary>The share of requests that did not end in a server error.</summary>
    public Compared ErrorFreeRate => new(1 - ErrorRate.Value, 1 - ErrorRate.Before);

    public required Compared ColdBootRate { get; init; }
}

/// <summary>The status of the objective.</summary>
internal sealed record AvailabilityFigures(
    double Target,
    double WindowDays,
    DateTimeOffset AsOf,
    double? Coverage,
    double? RequestCount,
    double? ErrorCount,
    bool? IsMet,
    double? ErrorBudgetConsumed,
    double? ShortBurnRate,
    double? LongBurnRate)
{
    /// <summary>The share of requests that did not end in a server error.</summary>
    public double? ErrorFreeRate => RequestCount > 0 ? 1 - (ErrorCount / RequestCount) : null;
}

/// <summary>One app.</summary>
internal sealed record AppFigures
{
    /// <summary>The id, <c>owner/name</c>.</summary>
    public required string App { get; init; }

    public required IReadOnlyList<string> Environments { get; init; }

    public required IReadOnlyList<string> MachineTypes { get; init; }

    public required TrafficFigures Traffic { get; init; }

    /// <summary>Null: the app had no request in the window of the objective, or no bucket has ended yet.</summary>
    public required AvailabilityFigures? Availability { get; init; }

    /// <summary>Percentiles of the app's endpoints: no percentile of several endpoints together is known.</summary>
    public required IReadOnlyList<EndpointFigures> Endpoints { get; init; }

    /// <summary>Null: no history is known.</summary>
    public required RunnerFigures? Runners { get; init; }

    /// <summary>One for each environment and currency; empty: no cost is known.</summary>
    public required IReadOnlyList<CostFigures> Costs { get; init; }

    public required IReadOnlyList<BucketFigures> WorstBuckets { get; init; }

    public required IReadOnlyList<BucketFigures> SlowestBuckets { get; init; }

    public required ColumnsFigures Columns { get; init; }
}

/// <summary>Percentiles over the whole period, in seconds.</summary>
internal sealed record EndpointFigures(
    string Endpoint,
    Compared RequestCount,
    PercentileFigures Queue,
    PercentileFigures Execution,
    PercentileFigures ColdBoot);

/// <summary>Percentiles in seconds. The service has neither p95 nor p99 of cold boots.</summary>
internal sealed record PercentileFigures(Compared P50, Compared P75, Compared P90, Compared P95, Compared P99);

/// <summary>The runners of an app.</summary>
internal sealed record RunnerFigures(
    double? IdleShare, RunnerHoursFigures? Hours, double? PeakRunning, double? MaxConcurrency, double? PeakShare);

/// <summary>The time that runners were up. The idle share is <see cref="Idle"/> divided by <see cref="Paid"/>.</summary>
/// <param name="Idle">The hours without a request.</param>
/// <param name="Paid">The hours of running, idle and draining runners.</param>
internal sealed record RunnerHoursFigures(double Idle, double Paid);

/// <summary>A bucket that was worse than others.</summary>
/// <param name="Start">Its start.</param>
/// <param name="Endpoint">The endpoint; in a bucket over all apps, the app that caused most of the errors.</param>
/// <param name="RequestCount">The requests in it.</param>
/// <param name="ErrorCount">Those that ended in a server error.</param>
/// <param name="ErrorRate">Their share.</param>
/// <param name="IsProvisional">Whether the figures may still change.</param>
internal sealed record BucketFigures(
    DateTimeOffset Start,
    string Endpoint,
    double? RequestCount,
    double? ErrorCount,
    double? ErrorRate,
    [property: JsonPropertyName("provisional")] bool IsProvisional)
{
    /// <summary>The 90th percentile of the wait, in seconds; null in a bucket that is here for its errors.</summary>
    public double? QueueP90 { get; init; }

    /// <summary>In a bucket over all apps, the requests of <see cref="Endpoint"/>; else null.</summary>
    public double? OwnRequestCount { get; init; }

    /// <summary>In a bucket over all apps, the requests of <see cref="Endpoint"/> that ended in a server error; else null.</summary>
    public double? OwnErrorCount { get; init; }

    /// <summary>In a bucket over all apps, the share of those requests; else null.</summary>
    public double? OwnErrorRate => OwnRequestCount > 0 ? OwnErrorCount / OwnRequestCount : null;
}

/// <summary>The course over time, in as many columns as a plot has room for.</summary>
/// <param name="BucketsPerColumn">How many buckets a column holds.</param>
/// <param name="Items">The columns, in ascending order.</param>
internal sealed record ColumnsFigures(int BucketsPerColumn, IReadOnlyList<ColumnFigures> Items);

/// <summary>
/// One column: sums, their shares, and the mean number of runners. A percentile is the highest of all buckets and endpoints in the column,
/// in seconds.
/// </summary>
internal sealed record ColumnFigures
{
    public required DateTimeOffset Start { get; init; }

    [JsonPropertyName("provisional")]
    public required bool IsProvisional { get; init; }

    public required double? RequestCount { get; init; }

    public required double? ErrorRate { get; init; }

    public required double? UserErrorRate { get; init; }

    public double? QueueP50 { get; init; }

    public double? QueueP90 { get; init; }

    public double? QueueP99 { get; init; }

    public double? ExecutionP50 { get; init; }

    public double? ExecutionP90 { get; init; }

    public double? ExecutionP99 { get; init; }

    public double? RunningRunners { get; init; }

    public double? IdleRunners { get; init; }
}

/// <summary>Something that the report lacks.</summary>
/// <param name="Kind">What it is about, as a word for programs.</param>
/// <param name="Subject">The endpoint or app; null: the whole account.</param>
/// <param name="Text">What is missing and why.</param>
internal sealed record ReportGap(string Kind, string? Subject, string Text);

/// <summary>The tree as JSON.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, WriteIndented = true)]
[JsonSerializable(typeof(AccountFigures))]
internal sealed partial class FiguresJson : JsonSerializerContext;
