using System.Text.Json;
using Xunit;

namespace Fal.Observability.Client.Tests;

public sealed class AnalyticsBucketTests
{
    private static readonly TimeZoneInfo Berlin = TimeZoneInfo.FindSystemTimeZoneById("Europe/Berlin");

    [Theory]
    [InlineData("2025-01-15T12:00:00-05:00", -300)]
    [InlineData("2025-01-15T17:00:00Z", 0)]
    [InlineData("2025-01-15T17:00:00+00:00", 0)]
    [InlineData("2025-01-15T22:45:00+05:45", 345)]
    [InlineData("2025-01-15T12:00:00.000-05:00", -300)]
    [InlineData("2025-01-15T12:00:00.000000000-05:00", -300)]
    [InlineData("2025-01-15T12:00-05:00", -300)]
    public void A_start_keeps_the_offset_that_was_sent(string text, int offsetMinutes)
    {
        AnalyticsBucket bucket = Json.ReadBucket($$"""{"bucket":"{{text}}","results":[]}""");

        Assert.Equal(new DateTimeOffset(2025, 1, 15, 17, 0, 0, TimeSpan.Zero), bucket.Start);
        Assert.Equal(TimeSpan.FromMinutes(offsetMinutes), bucket.Start.Offset);
        Assert.Same(bucket, bucket.InZone(Berlin));
    }

    [Theory]
    [InlineData("2025-01-15T12:00:00")]
    [InlineData("2025-01-15T12:00:00.0000000")]
    [InlineData("2025-01-15T12:00")]
    public void A_start_without_an_offset_is_utc_until_a_zone_is_known(string text)
    {
        AnalyticsBucket bucket = Json.ReadBucket($$"""{"bucket":"{{text}}","results":[]}""");

        Assert.Equal(new DateTimeOffset(2025, 1, 15, 12, 0, 0, TimeSpan.Zero), bucket.Start);
        Assert.Equal(new DateTimeOffset(2025, 1, 15, 12, 0, 0, TimeSpan.FromHours(1)), bucket.InZone(Berlin).Start);
        Assert.Equal(TimeSpan.FromHours(1), bucket.InZone(Berlin).Start.Offset);
    }

    [Fact]
    public void A_date_is_the_midnight_of_the_zone_where_its_rows_stay()
    {
        AnalyticsBucket bucket = Json.ReadBucket("""{"bucket":"2025-07-15","results":[{"endpoint_id":"a/b","request_count":4}]}""").InZone(Berlin);

        Assert.Equal(new DateTimeOffset(2025, 7, 15, 0, 0, 0, TimeSpan.FromHours(2)), bucket.Start);
        Assert.Equal(4, Assert.Single(bucket.Rows).RequestCount);
    }

    [Fact]
    public void Fractions_of_a_second_are_kept() => Assert.Equal(
        new DateTimeOffset(2025, 1, 15, 12, 0, 0, TimeSpan.Zero).AddTicks(1_234_567),
        Json.ReadBucket("""{"bucket":"2025-01-15T12:00:00.1234567Z","results":[]}""").Start);

    [Theory]
    [InlineData("\"yesterday\"")]
    [InlineData("\"\"")]
    [InlineData("\"2025-02-30T00:00:00Z\"")]
    [InlineData("\"2025-01-15T25:00:00Z\"")]
    [InlineData("\"0001-01-01T00:00:00+14:00\"")]
    [InlineData("1736960400")]
    [InlineData("null")]
    [InlineData("{}")]
    public void A_start_that_cannot_be_read_is_a_json_error(string json) =>
        Assert.ThrowsAny<JsonException>(() => Json.ReadBucket($$"""{"bucket":{{json}},"results":[]}"""));

    [Fact]
    public void A_json_error_about_a_start_shows_it_cut_to_a_bearable_length()
    {
        var error = Assert.ThrowsAny<JsonException>(() => Json.ReadBucket($$"""{"bucket":"{{new string('9', 5000)}}","results":[]}"""));

        Assert.Contains("999...", error.Message, StringComparison.Ordinal);
        Assert.True(error.Message.Length < 300, error.Message);
    }

    [Theory]
    [InlineData("""{"results":[]}""")]
    [InlineData("{}")]
    [InlineData("[]")]
    [InlineData("""{"bucket":"2025-01-15T12:00:00Z","results":{}}""")]
    [InlineData("""{"bucket":"2025-01-15T12:00:00Z","results":[1]}""")]
    public void What_is_not_a_bucket_is_a_json_error(string json) => Assert.ThrowsAny<JsonException>(() => Json.ReadBucket(json));

    [Theory]
    [InlineData("""{"bucket":"2025-01-15T12:00:00Z"}""")]
    [InlineData("""{"bucket":"2025-01-15T12:00:00Z","results":null}""")]
    [InlineData("""{"bucket":"2025-01-15T12:00:00Z","results":[null]}""")]
    [InlineData("""{"results":[],"bucket":"2025-01-15T12:00:00Z"}""")]
    public void A_bucket_without_rows_is_empty(string json) => Assert.Empty(Json.ReadBucket(json).Rows);

    [Theory]
    [InlineData("2025-01-15T12:00:00-05:00")]
    [InlineData("2025-01-15T12:00:00+00:00")]
    [InlineData("2025-01-15T12:00:00")]
    [InlineData("2025-01-15T12:00:00.5+02:00")]
    public void A_bucket_is_written_as_it_was_read_even_without_an_offset(string text)
    {
        string json = $$"""{"bucket":"{{text}}","results":[{"endpoint_id":"a/b","request_count":4}]}""";

        Assert.Equal(json, Json.Write(Json.ReadBucket(json)));
    }

    [Theory]
    [MemberData(nameof(CultureScope.Names), MemberType = typeof(CultureScope))]
    public void A_bucket_is_read_written_and_shown_the_same_way_in_every_culture(string culture)
    {
        using var scope = new CultureScope(culture);
        const string Text = """{"bucket":"2025-01-15T12:00:00-05:00","results":[]}""";

        AnalyticsBucket bucket = Json.ReadBucket(Text);

        Assert.Equal(new DateTimeOffset(2025, 1, 15, 12, 0, 0, TimeSpan.FromHours(-5)), bucket.Start);
        Assert.Equal(Text, Json.Write(bucket));
        Assert.Equal("2025-01-15T12:00:00-05:00 (0 rows)", bucket.ToString());
    }

    [Theory]
    [InlineData("Europe/Berlin", "2026-10-24T20:00:00Z", 60, 2)]
    [InlineData("Europe/Berlin", "2026-10-24T20:00:00Z", 60, 3)]
    [InlineData("Europe/Berlin", "2026-10-24T20:00:00Z", 60, 100)]
    [InlineData("Europe/Berlin", "2026-10-25T00:30:00Z", 1, 2)]
    [InlineData("Europe/Berlin", "2026-10-25T00:30:00Z", 1, 31)]
    [InlineData("Europe/Berlin", "2026-03-28T20:00:00Z", 60, 5)]
    [InlineData("America/New_York", "2026-11-01T01:00:00Z", 60, 4)]
    [InlineData("Australia/Lord_Howe", "2026-04-04T12:00:00Z", 15, 7)]
    [InlineData("Asia/Kathmandu", "2026-04-04T12:15:00Z", 60, 7)]
    public void Ascending_times_without_offsets_are_read_in_the_zone_through_a_change_of_its_clocks(
        string zoneName, string first, int stepMinutes, int pageLength)
    {
        TimeZoneInfo zone = TimeZoneInfo.FindSystemTimeZoneById(zoneName);
        DateTimeOffset[] instants = [.. Instants(first, stepMinutes)];

        Assert.Equal(instants, ReadWithoutOffsets(instants, zone, pageLength));
    }

    [Theory]
    [InlineData("Europe/Berlin", "2026-10-24T20:00:00Z", 60, 2)]
    [InlineData("Europe/Berlin", "2026-10-24T20:00:00Z", 60, 100)]
    [InlineData("Europe/Berlin", "2026-10-25T00:30:00Z", 1, 100)]
    [InlineData("America/New_York", "2026-11-01T01:00:00Z", 60, 4)]
    [InlineData("Australia/Lord_Howe", "2026-04-04T12:00:00Z", 15, 100)]
    public void Descending_times_without_offsets_are_read_in_the_zone_through_a_change_of_its_clocks(
        string zoneName, string first, int stepMinutes, int pageLength)
    {
        TimeZoneInfo zone = TimeZoneInfo.FindSystemTimeZoneById(zoneName);
        DateTimeOffset[] instants = [.. Instants(first, stepMinutes).Reverse()];

        Assert.Equal(instants, ReadWithoutOffsets(instants, zone, pageLength));
    }

    [Fact]
    public void A_midnight_that_the_clocks_skip_is_the_instant_at_which_they_do()
    {
        // In Cairo summer time begins at midnight: this day starts at 01:00.
        TimeZoneInfo cairo = TimeZoneInfo.FindSystemTimeZoneById("Africa/Cairo");

        Assert.Equal(
            new DateTimeOffset(2026, 4, 23, 22, 0, 0, TimeSpan.Zero),
            Json.ReadBucket("""{"bucket":"2026-04-24T00:00:00","results":[]}""").InZone(cairo).Start);
    }

    private static IEnumerable<DateTimeOffset> Instants(string first, int stepMinutes)
    {
        DateTimeOffset start = JsonSerializer.Deserialize<DateTimeOffset>($"\"{first}\"");
        return Enumerable.Range(0, 96).Select(i => start.AddMinutes(i * stepMinutes));
    }

    private static List<DateTimeOffset> ReadWithoutOffsets(DateTimeOffset[] instants, TimeZoneInfo zone, int pageLength)
    {
        var read = new List<DateTimeOffset>();
        AnalyticsPage? previous = null;
        foreach (DateTimeOffset[] part in instants.Chunk(pageLength))
        {
            AnalyticsPage page = Json.ReadPage(Json.Write(new AnalyticsPage
            {
                TimeSeries = [.. part.Select(instant => new AnalyticsBucket(
                    new DateTimeOffset(TimeZoneInfo.ConvertTime(instant, zone).DateTime, TimeSpan.Zero), hasOffset: false, []))],
            }));
            previous = page.AsAnswerTo(new AnalyticsQuery("a/b") { TimeZone = zone.Id }, previous);
            read.AddRange(previous.TimeSeries.Select(bucket => bucket.Start));
        }

        return read;
    }
}
