namespace Fal.Observability.Client;

/// <summary>The shapes of a usage answer.</summary>
[Flags]
public enum UsageExpand
{
    /// <summary>No shape. No query can request it.</summary>
    None = 0,

    /// <summary>A row for each line of the bill in each bucket of time.</summary>
    TimeSeries = 1,

    /// <summary>A row for each line of the bill over the whole range.</summary>
    Summary = 2,
}
