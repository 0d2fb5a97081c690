using System.Globalization;
using Xunit;

namespace Fal.Observability.Client.Tests;

/// <summary>Starts of buckets that have no offset, in the nights in which a local time occurs twice.</summary>
public sealed class AnalyticsZoneReaderTests
{
    [Theory]
    [InlineData("Europe/Berlin", "2026-10-24T20:00:00Z", 60, 2)]
    [InlineData("Europe/Berlin", "2026-10-24T20:00:00Z", 60, 3)]
    [InlineData("Europe/Berlin", "2026-10-24T20:00:00Z", 60, 100)]
    [InlineData("Europe/Berlin", "2026-10-25T00:30:00Z", 1, 2)]
    [InlineData("Europe/Berlin", "2026-10-25T00:30:00Z", 1, 31)]
    [InlineData("Europe/Berlin", "2026-03-28T20:00:00Z", 60, 5)]
    [InlineData("America/New_York", "2026-11-01T01:00:00Z", 60, 4)]
    [InlineData("Australia/Lord_Howe", "2026-04-04T12:00:00Z", 15, 7)]
    [InlineData("Australia/Lord_Howe", "2026-04-04T14:59:00Z", 1, 2)]
    [InlineData("Asia/Kathmandu", "2026-04-04T12:15:00Z", 60, 7)]
    public void Ascending_times_are_read_through_a_change_of_clocks(string zone, string first, int stepMinutes, int pageLength)
    {
        DateTimeOffset[] instants = [.. Enumerable.Range(0, 96).Select(i => At(first).AddMinutes(i * stepMinutes))];

        Assert.Equal(instants, Read(new AnalyticsQuery("a/b") { TimeZone = zone }, instants, pageLength));
    }

    [Theory]
    [InlineData("Europe/Berlin", "2026-10-24T20:00:00Z", 60, 2)]
    [InlineData("Europe/Berlin", "2026-10-24T20:00:00Z", 60, 100)]
    [InlineData("Europe/Berlin", "2026-10-25T00:30:00Z", 1, 100)]
    [InlineData("America/New_York", "2026-11-01T01:00:00Z", 60, 4)]
    [InlineData("Australia/Lord_Howe", "2026-04-04T12:00:00Z", 15, 100)]
    public void Descending_times_are_read_through_a_change_of_clocks(string zone, string first, int stepMinutes, int pageLength)
    {
        DateTimeOffset[] instants = [.. Enumerable.Range(0, 96).Select(i => At(first).AddMinutes((95 - i) * stepMinutes))];

        Assert.Equal(instants, Read(new AnalyticsQuery("a/b") { TimeZone = zone }, instants, pageLength));
    }

    // At 02:00 the clocks of Lord Howe go back to 01:30. A bucket of half an hour begins at 01:30, between those of 01:00 and 02:00.
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(10)]
    public void An_hour_that_begins_where_the_clocks_go_back_half_an_hour_begins_there(int pageLength)
    {
        DateTimeOffset[] hours =
        [
            At("2026-04-04T13:00:00Z"), At("2026-04-04T14:00:00Z"), At("2026-04-04T15:00:00Z"), At("2026-04-04T15:30:00Z"),
            At("2026-04-04T16:30:00Z"),
        ];
        AnalyticsQuery query = new("a/b")
        {
            TimeZone = "Australia/Lord_Howe",
            Timeframe = AnalyticsTimeframe.Hour,
            Range = AnalyticsTimeRange.Between(hours[0], hours[^1].AddHours(1)),
        };

        Assert.Equal(hours, Read(query, hours, pageLength));
        Assert.Equal(Enumerable.Reverse(hours), Read(query, [.. Enumerable.Reverse(hours)], pageLength));
        Assert.Equal(hours[2..], Read(query with { Range = AnalyticsTimeRange.Between(hours[2], hours[^1]) }, hours[2..], pageLength));
    }

    [Theory]
    [InlineData("Europe/Berlin", "2026-10-25T01:00:00Z", AnalyticsTimeframe.Hour, 60)]
    [InlineData("Europe/Berlin", "2026-10-25T01:20:00Z", AnalyticsTimeframe.Minute, 1)]
    [InlineData("Australia/Lord_Howe", "2026-04-04T15:10:00Z", AnalyticsTimeframe.Minute, 1)]
    public void A_range_that_begins_in_the_repeated_time_has_no_bucket_before_it(
        string zone,
        string first,
        AnalyticsTimeframe timeframe,
        int stepMinutes
    )
    {
        DateTimeOffset[] instants = [.. Enumerable.Range(0, 5).Select(i => At(first).AddMinutes(i * stepMinutes))];
        AnalyticsQuery query = new("a/b")
        {
            TimeZone = zone,
            Timeframe = timeframe,
            Range = AnalyticsTimeRange.Between(instants[0], instants[^1].AddMinutes(stepMinutes)),
        };

        Assert.Equal(instants, Read(query, instants, 3));
    }

    // In Havana the clocks go back from 01:00 to 00:00: the day has two midnights, and begins with the first.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_day_with_two_midnights_begins_with_the_first(bool descending)
    {
        DateTimeOffset[] days = [At("2026-10-31T04:00:00Z"), At("2026-11-01T04:00:00Z"), At("2026-11-02T05:00:00Z")];
        if (descending)
        {
            Array.Reverse(days);
        }

        Assert.Equal(days, Read(new AnalyticsQuery("a/b") { TimeZone = "America/Havana", Timeframe = AnalyticsTimeframe.Day }, days, 10));
    }

    [Fact]
    public void A_page_that_goes_on_with_the_bucket_before_it_and_holds_its_twin_tells_them_apart()
    {
        DateTimeOffset[] hours =
        [
            At("2026-10-24T23:00:00Z"), At("2026-10-25T00:00:00Z"), At("2026-10-25T00:00:00Z"), At("2026-10-25T01:00:00Z"),
            At("2026-10-25T02:00:00Z"),
        ];

        Assert.Equal(
            hours,
            Read(new AnalyticsQuery("a/b") { TimeZone = "Europe/Berlin", Timeframe = AnalyticsTimeframe.Hour }, hours, 2, 3)
        );
    }

    [Theory]
    [InlineData("Europe/Berlin", "2024-10-26T22:00:00Z", AnalyticsTimeframe.Minute, 1, 360, 10)]
    [InlineData("Europe/Berlin", "2024-10-26T22:00:00Z", AnalyticsTimeframe.Minute, 1, 360, 2)]
    [InlineData("Europe/Berlin", "2024-10-26T22:00:00Z", null, 1, 360, 10)]
    [InlineData("Europe/Berlin", "2024-10-26T22:00:00Z", AnalyticsTimeframe.Hour, 60, 6, 2)]
    [InlineData("Europe/Berlin", "2024-10-26T22:00:00Z", AnalyticsTimeframe.Hour, 60, 6, 3)]
    [InlineData("America/New_York", "2024-11-03T03:00:00Z", AnalyticsTimeframe.Minute, 1, 360, 7)]
    [InlineData("Australia/Lord_Howe", "2026-04-04T13:00:00Z", AnalyticsTimeframe.Minute, 1, 240, 10)]
    public void Pages_that_begin_with_the_last_bucket_of_the_page_before_lose_and_double_nothing(
        string zone, string first, AnalyticsTimeframe? timeframe, int stepMinutes, int count, int pageLength)
    {
        DateTimeOffset[] instants = [.. Enumerable.Range(0, count).Select(i => At(first).AddMinutes(i * stepMinutes))];
        AnalyticsQuery query = new("a/b")
        {
            TimeZone = zone,
            Timeframe = timeframe,
            Range = AnalyticsTimeRange.Between(instants[0], instants[^1].AddMinutes(stepMinutes)),
        };

        Assert.Equal(Repeating(instants), Read(query, Repeating(instants), pageLength));
        DateTimeOffset[] descending = [.. Enumerable.Reverse(instants)];
        Assert.Equal(Repeating(descending), Read(query, Repeating(descending), pageLength));

        DateTimeOffset[] Repeating(DateTimeOffset[] once) =>
            [.. once.SelectMany((instant, i) => Enumerable.Repeat(instant, i > 0 && i < count - 1 && i % (pageLength - 1) == 0 ? 2 : 1))];
    }

    [Fact]
    public void A_minute_that_a_page_cuts_and_that_goes_on_alone_is_no_twin()
    {
        DateTimeOffset[] minutes = [At("2026-10-25T00:08:00Z"), At("2026-10-25T00:09:00Z"), At("2026-10-25T00:09:00Z")];
        AnalyticsQuery query = new("a/b")
        {
            TimeZone = "Europe/Berlin",
            Timeframe = AnalyticsTimeframe.Minute,
            Range = AnalyticsTimeRange.Between(minutes[0], minutes[0].AddHours(3)),
        };

        Assert.Equal(minutes, Read(query, minutes, 2));
    }

    // In Cairo summer time begins at midnight: this day starts at 01:00.
    [Fact]
    public void A_midnight_that_the_clocks_skip_is_the_instant_at_which_they_do()
    {
        AnalyticsPage page = Json.ReadPage("""{"time_series":[{"bucket":"2026-04-24T00:00:00","results":[]}]}""");

        AnalyticsPage answer = page.AsAnswerTo(new AnalyticsQuery("a/b") { TimeZone = "Africa/Cairo" });

        Assert.Equal(At("2026-04-23T22:00:00Z"), answer.TimeSeries[0].Start);
    }

    private static DateTimeOffset At(string instant) => DateTimeOffset.Parse(instant, CultureInfo.InvariantCulture);

    /// <summary>
    /// What is read when the local times of instants come without offsets, in pages of so many; the last length counts for the rest.
    /// </summary>
    private static List<DateTimeOffset> Read(AnalyticsQuery query, DateTimeOffset[] instants, params int[] pageLengths)
    {
        TimeZoneInfo zone = TimeZoneInfo.FindSystemTimeZoneById(query.TimeZone!);
        var read = new List<DateTimeOffset>();
        AnalyticsPage? previous = null;
        for (int page = 0; read.Count < instants.Length; page++)
        {
            IEnumerable<DateTimeOffset> part = instants.Skip(read.Count).Take(pageLengths[Math.Min(page, pageLengths.Length - 1)]);
            previous = Json.ReadPage(Json.Write(new AnalyticsPage
            {
                TimeSeries = [.. part.Select(instant => new AnalyticsBucket(new BucketStart(
                    new DateTimeOffset(TimeZoneInfo.ConvertTime(instant, zone).DateTime, TimeSpan.Zero), HasOffset: false), []))],
            })).AsAnswerTo(query, previous);
            read.AddRange(previous.TimeSeries.Select(bucket => bucket.Start));
        }

        return read;
    }
}
