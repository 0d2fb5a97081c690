namespace Fal.Observability.Client;

/// <summary>
/// A service level objective for availability: which share of the requests has to end without a server error, over how long a time.
/// </summary>
/// <remarks>
/// The terms are those of the SRE workbook of Google, chapter "Alerting on SLOs". A request is bad if it ended in a server error (5xx);
/// errors of the caller (4xx) count as good. Immutable.
/// </remarks>
public sealed class AvailabilityObjective
{
    /// <summary>States an objective.</summary>
    /// <param name="target">The share of good requests, more than 0 and less than 1, such as 0.999.</param>
    /// <param name="window">The time that it is kept over, at least <see cref="LongBurnWindow"/>; as a rule 28 or 30 days.</param>
    /// <exception cref="ArgumentOutOfRangeException">A value is outside its range.</exception>
    public AvailabilityObjective(double target, TimeSpan window)
    {
        if (!(target > 0 && target < 1))
        {
            throw new ArgumentOutOfRangeException(
                nameof(target), target, "The target is a share between 0 and 1, both excluded, such as 0.999 for 99.9 %: at 1 there is no error budget.");
        }

        if (window < LongBurnWindow)
        {
            throw new ArgumentOutOfRangeException(nameof(window), window, "The window must be at least the 6 hours of the long burn rate.");
        }

        Target = target;
        Window = window;
    }

    /// <summary>The short window of a burn rate: 1 hour.</summary>
    public static TimeSpan ShortBurnWindow { get; } = TimeSpan.FromHours(1);

    /// <summary>The long window of a burn rate: 6 hours.</summary>
    public static TimeSpan LongBurnWindow { get; } = TimeSpan.FromHours(6);

    /// <summary>The share of good requests, between 0 and 1.</summary>
    public double Target { get; }

    /// <summary>The time that the objective is kept over.</summary>
    public TimeSpan Window { get; }

    /// <summary>Measures how the objective is kept.</summary>
    /// <param name="buckets">
    /// Buckets of an hour or shorter with <see cref="AnalyticsExpand.RequestCount"/> and <see cref="AnalyticsExpand.ErrorCount"/>, none
    /// of them twice; of a report with <see cref="AnalyticsQuery.ClosedOnly"/>, or the provisional ones count as they are. Those that start
    /// outside the window do not count.
    /// </param>
    /// <param name="asOf">The instant at which the windows end: the end of the last bucket that should count.</param>
    public AvailabilityStatus Evaluate(IEnumerable<AnalyticsBucket> buckets, DateTimeOffset asOf)
    {
        ArgumentNullException.ThrowIfNull(buckets);
        AnalyticsBucket[] past = [.. buckets.Where(bucket => bucket.Start < asOf)];
        AnalyticsTotals totals = Over(Window);
        return new AvailabilityStatus
        {
            Objective = this,
            AsOf = asOf,
            Requests = totals.GetValue(AnalyticsExpand.RequestCount),
            Errors = totals.GetValue(AnalyticsExpand.ErrorCount),
            ErrorBudgetConsumed = Burn(totals),
            ShortBurnRate = Burn(Over(ShortBurnWindow)),
            LongBurnRate = Burn(Over(LongBurnWindow)),
        };

        AnalyticsTotals Over(TimeSpan window) => AnalyticsTotals.Of(past.Where(bucket => asOf - bucket.Start <= window));

        double? Burn(AnalyticsTotals part) => part.ErrorRate / (1 - Target);
    }
}
