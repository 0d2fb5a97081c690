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

    /// <summary>The range and its buckets.</summary>
    public required RequestedTime Time { get; init; }
}
