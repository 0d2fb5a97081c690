using System.Globalization;

namespace Fal.Observability.Client;

/// <summary>One bucket in the time series of an endpoint or of an app: a point of a plot.</summary>
/// <remarks>Immutable and safe to share between threads.</remarks>
public sealed class AnalyticsPoint
{
    internal AnalyticsPoint(AnalyticsBucket bucket, IReadOnlyList<AnalyticsRow> rows)
    {
        Start = bucket.Start;
        IsOpen = bucket.IsOpen;
        IsProvisional = bucket.IsProvisional;
        Rows = rows;
    }

    /// <summary>The instant at which the bucket starts, as in <see cref="FalBucket{TRow}.Start"/>.</summary>
    public DateTimeOffset Start { get; }

    /// <summary>Whether the service sent a row. A bucket without requests has none.</summary>
    public bool HasData => Rows.Count > 0;

    /// <inheritdoc cref="AnalyticsBucket.IsOpen"/>
    public bool IsOpen { get; }

    /// <inheritdoc cref="AnalyticsBucket.IsProvisional"/>
    public bool IsProvisional { get; }

    /// <summary>The rows: one for an endpoint, one per route for an app, none for a bucket without requests.</summary>
    public IReadOnlyList<AnalyticsRow> Rows { get; }

    /// <summary>The totals of the rows, with rates.</summary>
    public AnalyticsTotals Totals => AnalyticsTotals.Of(Rows);

    /// <summary>One metric: a number of requests, or seconds.</summary>
    /// <param name="metric">A single metric.</param>
    /// <returns>
    /// The value of the row, or the sum of several rows. Null if the bucket has no data, if a row has no value, or for a percentile of
    /// several rows, because percentiles cannot be combined.
    /// </returns>
    /// <exception cref="ArgumentException"><paramref name="metric"/> is not a single metric.</exception>
    public double? GetValue(AnalyticsExpand metric)
    {
        AnalyticsExpandExtensions.IndexOfMetric(metric, nameof(metric));
        return Rows switch
        {
            [] => null,
            [var row] => row.GetValue(metric),
            _ => AnalyticsTotals.CanAdd(metric) ? Totals.GetValue(metric) : null,
        };
    }

    /// <summary>The start and the number of requests, for a log line.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"{Start:yyyy-MM-dd'T'HH:mm:sszzz}: {(HasData ? GetValue(AnalyticsExpand.RequestCount)?.ToString(CultureInfo.InvariantCulture) ?? "?" : "no")} requests");
}
