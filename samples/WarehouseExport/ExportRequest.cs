using System.Globalization;
using Fal.Observability.Client;

namespace Fal.Observability.WarehouseExport;

/// <summary>What is exported, from the command line.</summary>
internal sealed record ExportRequest
{
    /// <summary>The most endpoints that one call of the service takes is no limit here.</summary>
    public required IReadOnlyList<string> EndpointIds { get; init; }

    public AnalyticsTimeframe Timeframe { get; init; } = AnalyticsTimeframe.Hour;

    /// <summary>The first day, in UTC.</summary>
    public required DateOnly First { get; init; }

    /// <summary>The last day, in UTC; null: until now, and further each time the export is run again.</summary>
    public DateOnly? Last { get; init; }

    /// <summary>The name of the timeframe in the table.</summary>
    public string TimeframeName => Timeframe switch
    {
        AnalyticsTimeframe.Minute => "minute",
        AnalyticsTimeframe.Hour => "hour",
        _ => "day",
    };

    /// <summary>The name under which progress is written down: exports of other endpoints go on where they were themselves.</summary>
    public string Name => $"{TimeframeName} {string.Join(',', EndpointIds.Order(StringComparer.Ordinal))}";

    public static AnalyticsTimeframe ParseTimeframe(string text) => text switch
    {
        "minute" => AnalyticsTimeframe.Minute,
        "hour" => AnalyticsTimeframe.Hour,
        "day" => AnalyticsTimeframe.Day,
        _ => throw new FormatException($"--timeframe is '{text}'; it must be minute, hour or day."),
    };

    public static DateOnly ParseDay(string name, string text) => DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out DateOnly day)
        ? day
        : throw new FormatException($"{name} is '{text}'; it must be a day such as 2026-01-31.");
}
