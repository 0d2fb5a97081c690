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
    /// What the app used and cost. Null where no row of the bill has exactly its name and environment, or where apps of several owners
    /// have its name, unless the caller gave it rows.
    /// </summary>
    public UsageTotals? Usage { get; }

    /// <summary>What was charged for the app: the cost of <see cref="Usage"/>. Null where that is.</summary>
    public decimal? Cost => Usage?.Cost;

    /// <summary>The currency of <see cref="Cost"/>: a code of ISO 4217, such as <c>USD</c>. Null where <see cref="Usage"/> is.</summary>
    public string? Currency => Usage?.Currency;

    /// <summary>
    /// What the requests to the app and its routes come to. Null where the report about requests did not ask for the app, or the service
    /// refused it, or the app is listed for several environments under one id.
    /// </summary>
    public AnalyticsTotals? Requests { get; }

    /// <summary>
    /// What a thousand successful requests (2xx) cost, in <see cref="Currency"/>. Null where cost or requests are not known, where there
    /// was no success, and where the report about requests lacks <see cref="AnalyticsExpand.SuccessCount"/>.
    /// </summary>
    public decimal? CostPerThousandSuccesses =>
        Usage is { } usage && Requests?.GetValue(AnalyticsExpand.SuccessCount) is > 0 and < long.MaxValue and { } successes
            ? usage.Cost * 1000m / (long)successes
            : null;

    /// <summary>The app, its cost and the cost of a thousand successes, for a log line.</summary>
    public override string ToString() => Usage is null
        ? $"{App.EndpointId}: cost unknown"
        : string.Create(CultureInfo.InvariantCulture,
            $"{App.EndpointId}: {Cost} {Currency}{(CostPerThousandSuccesses is { } cost ? $", {cost:0.####} per 1,000 successes" : "")}");
}
