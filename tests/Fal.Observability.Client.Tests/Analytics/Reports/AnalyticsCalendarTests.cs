using System.Globalization;
using Xunit;

namespace Fal.Observability.Client.Tests;

public sealed class AnalyticsCalendarTests
{
    [Theory]
    // 25 hours: the cut a day later is not 24 hours later.
    [InlineData("Europe/Berlin", AnalyticsTimeframe.Day, 1, "2026-10-24T22:00:00Z", "2026-10-26T23:00:00Z", "2026-10-25T23:00:00Z")]
    [InlineData("Europe/Berlin", AnalyticsTimeframe.Day, 1, "2026-03-27T23:00:00Z", "2026-03-29T22:00:00Z", "2026-03-28T23:00:00Z")]
    // From the middle of a day on, the first cut is a midnight.
    [InlineData(
        "America/New_York",
        AnalyticsTimeframe.Day,
        1,
        "2026-03-07T12:00:00Z",
        "2026-03-09T12:00:00Z",
        "2026-03-08T05:00:00Z 2026-03-09T04:00:00Z"
    )]
    // At 15:00Z the clocks of Lord Howe go back half an hour, and hours begin at half past the hour of UTC no longer.
    [InlineData(
        "Australia/Lord_Howe",
        AnalyticsTimeframe.Hour,
        1,
        "2026-04-04T13:00:00Z",
        "2026-04-04T18:00:00Z",
        "2026-04-04T14:00:00Z 2026-04-04T15:30:00Z 2026-04-04T16:30:00Z 2026-04-04T17:30:00Z"
    )]
    [InlineData(
        "Australia/Lord_Howe",
        AnalyticsTimeframe.Hour,
        1,
        "2026-10-03T14:30:00Z",
        "2026-10-03T18:00:00Z",
        "2026-10-03T16:00:00Z 2026-10-03T17:00:00Z"
    )]
    [InlineData(
        "Asia/Kathmandu",
        AnalyticsTimeframe.Hour,
        2,
        "2026-06-01T00:00:00Z",
        "2026-06-01T04:00:00Z",
        "2026-06-01T01:15:00Z 2026-06-01T03:15:00Z"
    )]
    // Never into the hour that occurs twice, 00:00Z to 02:00Z.
    [InlineData(
        "Europe/Berlin",
        AnalyticsTimeframe.Hour,
        1,
        "2026-10-24T23:00:00Z",
        "2026-10-25T04:00:00Z",
        "2026-10-25T02:00:00Z 2026-10-25T03:00:00Z"
    )]
    [InlineData("Europe/Berlin", AnalyticsTimeframe.Minute, 60, "2026-10-24T23:30:00Z", "2026-10-25T03:00:00Z", "2026-10-25T02:00:00Z")]
    // A midnight that does not exist (Chile) or occurs twice (Cuba) is no place for a cut.
    [InlineData(
        "America/Santiago",
        AnalyticsTimeframe.Day,
        1,
        "2026-09-05T04:00:00Z",
        "2026-09-08T12:00:00Z",
        "2026-09-07T03:00:00Z 2026-09-08T03:00:00Z"
    )]
    [InlineData(
        "America/Havana",
        AnalyticsTimeframe.Day,
        1,
        "2026-10-31T04:00:00Z",
        "2026-11-03T12:00:00Z",
        "2026-11-02T05:00:00Z 2026-11-03T05:00:00Z"
    )]
    [InlineData(
        "Europe/Berlin",
        AnalyticsTimeframe.Week,
        1,
        "2026-03-25T12:00:00Z",
        "2026-04-07T12:00:00Z",
        "2026-03-29T22:00:00Z 2026-04-05T22:00:00Z"
    )]
    [InlineData(
        "America/New_York",
        AnalyticsTimeframe.Month,
        2,
        "2026-02-10T12:00:00Z",
        "2026-06-07T12:00:00Z",
        "2026-04-01T04:00:00Z 2026-06-01T04:00:00Z"
    )]
    public void A_range_is_cut_between_buckets_of_the_zone(
        string zone, AnalyticsTimeframe timeframe, int buckets, string start, string end, string cuts)
    {
        IReadOnlyList<AnalyticsTimeRange> windows = Windows(zone, timeframe, buckets, start, end);

        Assert.Equal(cuts.Split(' ').Select(Instant), windows.Skip(1).Select(window => window.Start!.Value));
        Assert.Equal(windows.Skip(1).Select(window => window.Start), windows.SkipLast(1).Select(window => window.End));
        Assert.Equal((Instant(start), Instant(end)), (windows[0].Start!.Value, windows[^1].End!.Value));
    }

    [Fact]
    public void Days_that_fit_one_window_stay_days_and_longer_ranges_begin_at_the_zones_midnight()
    {
        var days = AnalyticsTimeRange.Days(new DateOnly(2026, 3, 28), new DateOnly(2026, 3, 30));
        AnalyticsQuery query = new("a/b") { Range = days, TimeZone = "Europe/Berlin", Timeframe = AnalyticsTimeframe.Hour };

        Assert.Equal([days], AnalyticsCalendar.Windows(query.Grid, 720));
        IReadOnlyList<AnalyticsTimeRange> windows = AnalyticsCalendar.Windows(query.Grid, 36);
        Assert.Equal(
            ["2026-03-27T23:00:00Z/2026-03-29T11:00:00Z", "2026-03-29T11:00:00Z/2026-03-30T22:00:00Z"],
            windows.Select(window => window.ToString())
        );
    }

    [Theory]
    [InlineData("0001-01-01T00:00:00Z", "0001-02-01T00:00:00Z")]
    [InlineData("9999-10-01T00:00:00Z", "9999-12-31T23:59:59Z")]
    public void At_the_ends_of_time_the_range_is_one_window(string start, string end) =>
        Assert.Single(Windows("Europe/Berlin", AnalyticsTimeframe.Day, 20, start, end));

    [Theory]
    // The day ends after 25 hours, at 23:00Z.
    [InlineData("Europe/Berlin", AnalyticsTimeframe.Day, "2026-10-25T00:00:00+02:00", "2026-10-25T22:59:00Z", true, true)]
    [InlineData("Europe/Berlin", AnalyticsTimeframe.Day, "2026-10-25T00:00:00+02:00", "2026-10-25T23:00:00Z", false, true)]
    [InlineData("Europe/Berlin", AnalyticsTimeframe.Day, "2026-10-25T00:00:00+02:00", "2026-10-25T23:05:00Z", false, false)]
    [InlineData("Europe/Berlin", AnalyticsTimeframe.Week, "2026-03-23T00:00:00+01:00", "2026-03-29T21:59:00Z", true, true)]
    [InlineData("Europe/Berlin", AnalyticsTimeframe.Month, "2026-03-01T00:00:00+01:00", "2026-03-31T22:05:00Z", false, false)]
    [InlineData("Mars/Olympus_Mons", AnalyticsTimeframe.Day, "2026-10-25T00:00:00+02:00", "2026-10-25T21:59:00Z", true, true)]
    [InlineData("UTC", AnalyticsTimeframe.Minute, "2026-10-25T00:00:00Z", "2026-10-25T00:06:00Z", false, false)]
    [InlineData("UTC", AnalyticsTimeframe.Minute, "9999-12-31T23:59:59Z", "2026-10-25T00:06:00Z", true, true)]
    public void A_bucket_is_open_until_its_period_ends_and_provisional_for_five_minutes_more(
        string zone, AnalyticsTimeframe timeframe, string start, string now, bool open, bool provisional)
    {
        AnalyticsQuery query = new("a/b")
        {
            TimeZone = zone,
            Timeframe = timeframe,
            Range = AnalyticsTimeRange.Between(Instant("2026-01-01T00:00:00Z"), Instant("2026-11-01T00:00:00Z")),
        };
        var page = new AnalyticsPage { TimeSeries = [new AnalyticsBucket { Start = Instant(start) }] };

        AnalyticsBucket bucket = page.AsAnswerTo(query).MarkedAt(Instant(now), TimeSpan.FromMinutes(5)).TimeSeries[0];

        Assert.Equal((open, provisional), (bucket.IsOpen, bucket.IsProvisional));
    }

    private static IReadOnlyList<AnalyticsTimeRange> Windows(
        string zone,
        AnalyticsTimeframe timeframe,
        int buckets,
        string start,
        string end
    ) =>
        AnalyticsCalendar.Windows(
            new AnalyticsQuery("a/b")
            {
                TimeZone = zone,
                Timeframe = timeframe,
                Range = AnalyticsTimeRange.Between(Instant(start), Instant(end)),
            }.Grid,
            buckets
        );

    private static DateTimeOffset Instant(string text) => DateTimeOffset.Parse(text, CultureInfo.InvariantCulture);
}
