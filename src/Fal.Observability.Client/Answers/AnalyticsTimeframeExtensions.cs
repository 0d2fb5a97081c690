namespace Fal.Observability.Client;

/// <summary>The name and the length of a timeframe.</summary>
public static class AnalyticsTimeframeExtensions
{
    /// <summary>The value of the parameter <c>timeframe</c>: <c>minute</c>, <c>hour</c>, <c>day</c>, <c>week</c> or <c>month</c>.</summary>
    /// <param name="timeframe">The timeframe.</param>
    /// <exception cref="ArgumentOutOfRangeException">The value is not one of the named ones.</exception>
    public static string GetWireName(this AnalyticsTimeframe timeframe) => timeframe switch
    {
        AnalyticsTimeframe.Minute => "minute",
        AnalyticsTimeframe.Hour => "hour",
        AnalyticsTimeframe.Day => "day",
        AnalyticsTimeframe.Week => "week",
        AnalyticsTimeframe.Month => "month",
        _ => throw Unknown(timeframe),
    };

    /// <summary>
    /// The length of every bucket in UTC. In a zone whose clocks change, a day or a week can be an hour longer or shorter.
    /// </summary>
    /// <param name="timeframe">The timeframe: <see cref="AnalyticsTimeframe.Minute"/> to <see cref="AnalyticsTimeframe.Week"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">
    /// The value is <see cref="AnalyticsTimeframe.Month"/>, since months differ in length, or it is not one of the named ones.
    /// </exception>
    public static TimeSpan GetLengthInUtc(this AnalyticsTimeframe timeframe) => timeframe switch
    {
        AnalyticsTimeframe.Minute => TimeSpan.FromMinutes(1),
        AnalyticsTimeframe.Hour => TimeSpan.FromHours(1),
        AnalyticsTimeframe.Day => TimeSpan.FromDays(1),
        AnalyticsTimeframe.Week => TimeSpan.FromDays(7),
        AnalyticsTimeframe.Month => throw new ArgumentOutOfRangeException(
            nameof(timeframe), timeframe,
                "Months differ in length. Pass Minute, Hour, Day or Week, or compute the length of a month with a calendar."),
        _ => throw Unknown(timeframe),
    };

    private static ArgumentOutOfRangeException Unknown(AnalyticsTimeframe timeframe) =>
        new(nameof(timeframe), timeframe, "The timeframe must be Minute, Hour, Day, Week or Month.");
}
