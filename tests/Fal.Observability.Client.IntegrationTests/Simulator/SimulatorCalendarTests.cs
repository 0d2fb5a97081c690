using System.Text.Json.Nodes;
using Fal.Observability.Client.Testing;
using Xunit;

namespace Fal.Observability.Client.IntegrationTests.Simulator;

public sealed class SimulatorCalendarTests
{
    [Theory]
    [InlineData("Europe/Berlin", "2026-03-29", "2026-03-30", 23, "01:00:00+01:00 03:00:00+02:00")]
    [InlineData("Europe/Berlin", "2026-10-25", "2026-10-26", 25, "01:00:00+02:00 02:00:00+02:00 02:00:00+01:00 03:00:00+01:00")]
    [InlineData("America/New_York", "2026-03-08", "2026-03-09", 23, "01:00:00-05:00 03:00:00-04:00")]
    [InlineData("America/New_York", "2026-11-01", "2026-11-02", 25, "01:00:00-04:00 01:00:00-05:00 02:00:00-05:00")]
    [InlineData("Australia/Lord_Howe", "2026-04-05", "2026-04-06", 25, "01:00:00+11:00 01:30:00+10:30 02:00:00+10:30")]
    [InlineData("Australia/Lord_Howe", "2026-10-04", "2026-10-05", 24, "01:00:00+10:30 02:30:00+11:00 03:00:00+11:00")]
    // Newfoundland used to change its clocks a minute past midnight.
    [InlineData("America/St_Johns", "2011-03-13", "2011-03-14", 24, "00:00:00-03:30 01:01:00-02:30 02:00:00-02:30")]
    [InlineData("Asia/Kathmandu", "2026-10-04", "2026-10-05", 24, "00:00:00+05:45 01:00:00+05:45")]
    public async Task A_day_has_the_hours_that_the_clocks_of_its_zone_show(string zone, string start, string end, int hours,
        string sequence)
    {
        await using SimulatorSession session = await SimulatorSession.StartAsync();

        string[] buckets = await BucketsAsync(session, $"start={start}&end={end}&timezone={zone}&timeframe=hour");

        Assert.Equal(hours, buckets.Length);
        Assert.All(buckets, bucket => Assert.StartsWith(start, bucket, StringComparison.Ordinal));
        Assert.Contains(sequence, string.Join(' ', buckets.Select(bucket => bucket[11..])), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_hour_cut_by_a_change_of_clocks_starts_at_the_change()
    {
        await using SimulatorSession session = await SimulatorSession.StartAsync();

        // At 15:00Z the clocks of Lord Howe Island go from 02:00 back to 01:30.
        string[] buckets = await BucketsAsync(
            session, "start=2026-04-04T15:15:00Z&end=2026-04-04T15:16:00Z&timezone=Australia/Lord_Howe&timeframe=hour");

        Assert.Equal(["2026-04-05T01:30:00+10:30"], buckets);
    }

    [Theory]
    [InlineData("Europe/Berlin", "day", "2026-03-28", "2026-03-31",
        "2026-03-28T00:00:00+01:00 2026-03-29T00:00:00+01:00 2026-03-30T00:00:00+02:00")]
    // The clocks of Chile skip the first hour of this day.
    [InlineData("America/Santiago", "day", "2026-09-05", "2026-09-08",
        "2026-09-05T00:00:00-04:00 2026-09-06T01:00:00-03:00 2026-09-07T00:00:00-03:00")]
    // Cuba shows the first hour of this day twice.
    [InlineData("America/Havana", "day", "2026-10-31", "2026-11-03",
        "2026-10-31T00:00:00-04:00 2026-11-01T00:00:00-04:00 2026-11-02T00:00:00-05:00")]
    // Samoa went without this day.
    [InlineData("Pacific/Apia", "day", "2011-12-29", "2012-01-01", "2011-12-29T00:00:00-10:00 2011-12-31T00:00:00+14:00")]
    [InlineData("Europe/Berlin", "week", "2026-03-26", "2026-04-02", "2026-03-23T00:00:00+01:00 2026-03-30T00:00:00+02:00")]
    [InlineData("UTC", "week", "2026-12-31", "2027-01-05", "2026-12-28T00:00:00+00:00 2027-01-04T00:00:00+00:00")]
    [InlineData("America/New_York", "month", "2026-02-15", "2026-04-01", "2026-02-01T00:00:00-05:00 2026-03-01T00:00:00-05:00")]
    [InlineData("Asia/Kolkata", "month", "2026-02-15", "2026-04-02",
        "2026-02-01T00:00:00+05:30 2026-03-01T00:00:00+05:30 2026-04-01T00:00:00+05:30")]
    public async Task Days_weeks_and_months_start_at_local_midnight_and_weeks_on_Monday(string zone, string timeframe, string start,
        string end, string expected)
    {
        await using SimulatorSession session = await SimulatorSession.StartAsync();

        string[] buckets = await BucketsAsync(session, $"start={start}&end={end}&timezone={zone}&timeframe={timeframe}");

        Assert.Equal(expected, string.Join(' ', buckets));
    }

    [Theory]
    [InlineData("02:29")]
    [InlineData("02:30")]
    [InlineData("03:00")]
    [InlineData("03:29")]
    public async Task A_day_whose_midnight_comes_twice_starts_once(string time)
    {
        await using SimulatorSession session = await SimulatorSession.StartAsync();

        // Newfoundland, a minute past midnight: back to 23:01 of the day before, and on to a second midnight at 03:30Z.
        string[] buckets = await BucketsAsync(
            session, $"start=2010-11-07T{time}:00Z&end=2010-11-07T03:31:00Z&timezone=America/St_Johns&timeframe=day");

        Assert.Equal(["2010-11-06T00:00:00-02:30", "2010-11-07T00:00:00-03:30"], buckets);
    }

    [Fact]
    public async Task Bound_ranges_grow_outward_to_whole_buckets_and_unbound_ones_stay_exact()
    {
        await using SimulatorSession session = await SimulatorSession.StartAsync();
        const string Range = "endpoint_id=simulated/text-to-image-00000/turbo&expand=time_series&expand=summary&expand=request_count"
            + "&start=2026-06-10T10:20:00Z&end=2026-06-10T12:10:00Z&timeframe=hour";

        JsonNode bound = await session.GetAnalyticsAsync(Range);
        JsonNode exact = await session.GetAnalyticsAsync($"{Range}&bound_to_timeframe=false");
        JsonNode seconds = await session.GetAnalyticsAsync(
            $"{Range.Replace("10:20:00", "10:19:01", StringComparison.Ordinal)}&bound_to_timeframe=false");
        JsonNode wide = await session.GetAnalyticsAsync(
            Range.Replace("10:20", "10:00", StringComparison.Ordinal).Replace("12:10", "13:00", StringComparison.Ordinal));
        JsonNode minutes = await session.GetAnalyticsAsync($"{Range.Replace("=hour", "=minute", StringComparison.Ordinal)}&limit=1");

        string[] hours = ["2026-06-10T10:00:00+00:00", "2026-06-10T11:00:00+00:00", "2026-06-10T12:00:00+00:00"];
        Assert.Equal(hours, bound["time_series"]!.AsArray().Select(bucket => (string)bucket!["bucket"]!));
        Assert.Equal(hours, exact["time_series"]!.AsArray().Select(bucket => (string)bucket!["bucket"]!));
        Assert.Equal(wide["summary"]!.ToJsonString(), bound["summary"]!.ToJsonString());
        Assert.Equal(minutes["summary"]!.ToJsonString(), exact["summary"]!.ToJsonString());
        Assert.Equal(seconds["summary"]!.ToJsonString(), exact["summary"]!.ToJsonString());
        Assert.NotEqual(exact["summary"]!.ToJsonString(), bound["summary"]!.ToJsonString());
    }

    [Theory]
    [InlineData("Europe/Berlin")]
    [InlineData("America/New_York")]
    [InlineData("America/St_Johns")]
    [InlineData("America/Santiago")]
    [InlineData("Australia/Lord_Howe")]
    [InlineData("Asia/Kathmandu")]
    [InlineData("Africa/Casablanca")]
    [InlineData("Asia/Beirut")]
    public async Task Buckets_ascend_and_lose_no_request_in_any_timeframe(string zone)
    {
        await using SimulatorSession session = await SimulatorSession.StartAsync();
        session.Clock.SetUtcNow(new DateTimeOffset(2028, 1, 1, 0, 0, 0, TimeSpan.Zero));
        foreach (BucketLength timeframe in new[] { BucketLength.Hour, BucketLength.Day, BucketLength.Week,
            BucketLength.Month })
        {
            AnalyticsAnswer answer = session.Server.Truth.Analytics(new AnalyticsRequest
            {
                EndpointIds = [$"{session.Server.Apps[0]}/turbo"],
                Metrics = ["request_count"],
                Summary = true,
                Time = new RequestedTime(
                    new DateTimeOffset(2026, 12, 1, 0, 0, 0, TimeSpan.Zero),
                    new DateTimeOffset(2027, 12, 1, 0, 0, 0, TimeSpan.Zero),
                    timeframe)
                {
                    Zone = TimeZoneInfo.FindSystemTimeZoneById(zone),
                    Bound = false,
                },
            });

            DateTimeOffset[] starts = [.. answer.TimeSeries!.Select(bucket => bucket.Start)];
            Assert.Equal(starts.Order().Distinct(), starts);
            Assert.Equal(
                Assert.Single(answer.Summary!).GetValue("request_count"),
                answer.TimeSeries!.SelectMany(bucket => bucket.Rows).Sum(row => row.GetValue("request_count")));
        }
    }

    private static async Task<string[]> BucketsAsync(SimulatorSession session, string query)
    {
        JsonNode answer = await session.GetAnalyticsAsync($"endpoint_id=simulated/text-to-image-00000&{query}");
        return [.. answer["time_series"]!.AsArray().Select(bucket => (string)bucket!["bucket"]!)];
    }
}
