namespace Fal.Observability.Client;

/// <summary>A query for a range of time in buckets.</summary>
public abstract record FalRangeQuery
{
    private protected FalRangeQuery()
    {
    }

    /// <summary>The time to cover. Default: the last 24 hours.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The range is longer than the service supports.</exception>
    public AnalyticsTimeRange Range
    {
        get;
        init
        {
            ThrowIfTooLong(value);
            field = value;
        }
    }

    /// <summary>
    /// The length of a bucket. Default: null, the service chooses by the length of the range: see <see cref="AnalyticsTimeframe"/>.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not one of the named ones.</exception>
    public AnalyticsTimeframe? Timeframe
    {
        get;
        init
        {
            if (value is < AnalyticsTimeframe.Minute or > AnalyticsTimeframe.Month)
            {
                throw new ArgumentOutOfRangeException(
                    nameof(value), value, "The timeframe must be Minute, Hour, Day, Week or Month, or null to let the service choose.");
            }

            field = value;
        }
    }

    /// <summary>Which time is covered, and how it is cut.</summary>
    internal abstract AnalyticsTimeGrid Grid { get; }

    /// <summary>What the query says of the time, in parts for a line in a log.</summary>
    private protected virtual IEnumerable<string> TimeParts => Grid.Words;

    private protected virtual void ThrowIfTooLong(AnalyticsTimeRange range)
    {
    }
}
