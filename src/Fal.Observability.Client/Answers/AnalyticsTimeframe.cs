namespace Fal.Observability.Client;

/// <summary>The length of one time bucket.</summary>
/// <remarks>
/// If a query names none, the service chooses by the length of the range: minutes under two hours, hours under two days, days under 64
/// days, weeks under 183 days, and months otherwise. Hours and longer follow the calendar of <see cref="FalPagedQuery.TimeZone"/>, so that
/// a day has 23 or 25 hours where the clocks change.
/// </remarks>
public enum AnalyticsTimeframe
{
    /// <summary>One minute.</summary>
    Minute,

    /// <summary>One hour.</summary>
    Hour,

    /// <summary>One calendar day.</summary>
    Day,

    /// <summary>One calendar week.</summary>
    Week,

    /// <summary>One calendar month.</summary>
    Month,
}
