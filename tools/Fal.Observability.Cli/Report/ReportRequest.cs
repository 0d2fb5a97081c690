using Fal.Observability.Client;

namespace Fal.Observability.Cli.Report;

/// <summary>What a report is about.</summary>
internal sealed record ReportRequest
{
    /// <summary>The apps of the account, to which the bill is attributed.</summary>
    public required FalAppList Apps { get; init; }

    /// <summary>What is missing already, because the service does not list the apps.</summary>
    public IReadOnlyList<ReportGap> Gaps { get; init; } = [];

    /// <summary>The endpoints to read.</summary>
    public required IReadOnlyList<string> EndpointIds { get; init; }

    /// <summary>Whether the endpoints are all apps of the account, so that the whole bill belongs to the report.</summary>
    public required bool IsWholeAccount { get; init; }

    /// <summary>Whether the data come from the simulator.</summary>
    public required bool IsSimulated { get; init; }

    /// <summary>The first day, in UTC.</summary>
    public required DateOnly First { get; init; }

    /// <summary>The last day, in UTC; null: until now.</summary>
    public DateOnly? Last { get; init; }

    public AnalyticsTimeframe Timeframe { get; init; } = AnalyticsTimeframe.Hour;

    public required AvailabilityObjective Objective { get; init; }

    /// <summary>The time of the report: whole days, but never past the present minute.</summary>
    public AnalyticsTimeRange RangeAt(DateTimeOffset now)
    {
        DateTimeOffset start = StartOf(First);
        DateTimeOffset minute = new(now.UtcTicks - (now.UtcTicks % TimeSpan.TicksPerMinute), TimeSpan.Zero);
        DateTimeOffset end = Last is { } last && StartOf(last.AddDays(1)) < minute ? StartOf(last.AddDays(1)) : minute;
        return AnalyticsTimeRange.Between(start, end > start ? end : start.AddMinutes(1));

        static DateTimeOffset StartOf(DateOnly day) => new(day, TimeOnly.MinValue, TimeSpan.Zero);
    }
}
