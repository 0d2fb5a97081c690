namespace Fal.Observability.Client.Testing;

/// <summary>The width of an analytics bucket.</summary>
internal enum BucketLength
{
    /// <summary>One minute.</summary>
    Minute,

    /// <summary>One hour of the zone's clocks.</summary>
    Hour,

    /// <summary>One day of the zone, midnight to midnight.</summary>
    Day,

    /// <summary>One week of the zone, from Monday (ISO 8601).</summary>
    Week,

    /// <summary>One calendar month of the zone.</summary>
    Month,
}

/// <summary>What an analytics call asks for, apart from paging.</summary>
internal sealed record AnalyticsRequest
{
    /// <summary>The endpoints asked for; an app id covers its routes.</summary>
    public required IReadOnlyList<string> EndpointIds { get; init; }

    /// <summary>The wire names of the metrics asked for, in the order in which a row lists them.</summary>
    public required IReadOnlyList<string> Metrics { get; init; }

    /// <summary>The answer has a time series.</summary>
    public bool TimeSeries { get; init; } = true;

    /// <summary>The answer has a summary of the whole range.</summary>
    public bool Summary { get; init; }

    /// <summary>The start of the range, inclusive.</summary>
    public required DateTimeOffset Start { get; init; }

    /// <summary>The end of the range, exclusive.</summary>
    public required DateTimeOffset End { get; init; }

    /// <summary>The zone whose calendar the buckets follow. UTC unless set.</summary>
    public TimeZoneInfo TimeZone { get; init; } = TimeZoneInfo.Utc;

    /// <summary>The width of a bucket; null: by the length of the range.</summary>
    public BucketLength? Timeframe { get; init; }

    /// <summary>Start and end are moved outward to whole buckets. True unless set.</summary>
    public bool BoundToTimeframe { get; init; } = true;

    internal RequestedTime Time => new(Start, End, TimeZone, Timeframe, BoundToTimeframe);
}
