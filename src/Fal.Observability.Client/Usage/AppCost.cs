using System.Globalization;

namespace Fal.Observability.Client;

/// <summary>What one app cost in one currency, and what its requests did in the same time.</summary>
/// <remarks>Immutable and safe to share between threads.</remarks>
public sealed class AppCost
{
    internal AppCost(FalApp app, UsageTotals? cost, AnalyticsTotals? requests)
    {
        App = app;
        Usage = cost;
        Requests = requests;
    }

    /// <summary>The app, in one of its environments.</summary>
    public FalApp App { get; }

    /// <summary>
    /// What the app used and cost. Null if no row of the bill has exactly its name and environment, or if apps of several owners share its
    /// name, unless the caller assigned rows to it.
    /// </summary>
    public UsageTotals? Usage { get; }

    /// <summary>The amount charged for the app: the cost of <see cref="Usage"/>. Null if <see cref="Usage"/> is.</summary>
    public decimal? Cost => Usage?.Cost;

    /// <summary>The currency of <see cref="Cost"/>: a code of ISO 4217, such as <c>USD</c>. Null where <see cref="Usage"/> is.</summary>
    public string? Currency => Usage?.Currency;

    /// <summary>
    /// The totals of the requests to the app and its routes. Null if there is no report about requests, if it did not include the app,
    /// if the service refused it, or if the app is listed for several environments under one id.
    /// </summary>
    public AnalyticsTotals? Requests { get; }

    /// <summary>
    /// What a thousand successful requests (2xx) cost, in <see cref="Currency"/>. Null if the cost or the requests are not known, if there
    /// was no success, or if the report about requests lacks <see cref="AnalyticsExpand.SuccessCount"/>.
    /// </summary>
    public decimal? CostPerThousandSuccesses =>
        Usage is { } usage && Requests?.GetValue(AnalyticsExpand.SuccessCount) is > 0 and < long.MaxValue and { } successes
            ? usage.Cost * 1000m / (long)successes
            : null;

    /// <summary>The app, its cost and the cost of a thousand successes, for a log line.</summary>
    public override string ToString() => Usage is null ? $"{App.EndpointId}: cost unknown"
        : CostPerThousandSuccesses is { } cost
            ? string.Create(CultureInfo.InvariantCulture, $"{App.EndpointId}: {Cost} {Currency}, {cost:0.####} per 1,000 successes")
        : string.Create(CultureInfo.InvariantCulture, $"{App.EndpointId}: {Cost} {Currency}");
}
