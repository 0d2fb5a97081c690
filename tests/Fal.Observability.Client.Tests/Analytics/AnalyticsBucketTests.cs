using System.Text.Json;
using Xunit;

namespace Fal.Observability.Client.Tests;

public sealed class AnalyticsBucketTests
{
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
        Assert.Same(bucket, InZone(bucket, "Europe/Berlin"));
    }

    [Theory]
    [InlineData("2025-01-15T12:00:00")]
    [InlineData("2025-01-15T12:00:00.0000000")]
    [InlineData("2025-01-15T12:00")]
    public void A_start_without_an_offset_is_utc_until_a_zone_is_known(string text)
    {
        AnalyticsBucket bucket = Json.ReadBucket($$"""{"bucket":"{{text}}","results":[]}""");

        Assert.Equal(new DateTimeOffset(2025, 1, 15, 12, 0, 0, TimeSpan.Zero), bucket.Start);
        Assert.Equal(new DateTimeOffset(2025, 1, 15, 12, 0, 0, TimeSpan.FromHours(1)), InZone(bucket, "Europe/Berlin").Start);
        Assert.Equal(TimeSpan.FromHours(1), InZone(bucket, "Europe/Berlin").Start.Offset);
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, true)]
    public void A_bucket_that_is_written_and_read_again_keeps_its_marks(bool open, bool provisional)
    {
        string json = Json.Write(new AnalyticsBucket { Start = DateTimeOffset.UnixEpoch, IsOpen = open, IsProvisional = provisional });
        AnalyticsBucket read = Json.ReadBucket(json);

        Assert.Equal((open, provisional), (read.IsOpen, read.IsProvisional));
        Assert.Equal(open || provisional, json.Contains("is", StringComparison.Ordinal));
    }

    [Fact]
    public void A_date_is_the_midnight_of_the_zone_where_its_rows_stay()
    {
        AnalyticsBucket bucket = InZone(
            Json.ReadBucket("""{"bucket":"2025-07-15","results":[{"endpoint_id":"a/b","request_count":4}]}"""), "Europe/Berlin");

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
    [InlineData("""{"bucket":"2025-01-15T12:00:00Z"}""")]
    [InlineData("""{"bucket":"2025-01-15T12:00:00Z","results":null}""")]
    [InlineData("""{"bucket":"2025-01-15T12:00:00Z","results":[null]}""")]
    [InlineData("""{"bucket":"2025-01-15T12:00:00Z","results":[{"endpoint_id":"a/b"}],"results":[]}""")]
    [InlineData("""{"bucket":"2025-01-15T12:00:00Z","bucket":"2025-01-15T13:00:00Z","results":[]}""")]
    [InlineData("""{"bucket":"2025-01-15T12:00:00Z","results":{}}""")]
    [InlineData("""{"bucket":"2025-01-15T12:00:00Z","results":[1]}""")]
    public void What_is_not_a_bucket_is_a_json_error(string json) => Assert.ThrowsAny<JsonException>(() => Json.ReadBucket(json));

    [Theory]
    [InlineData("""{"bucket":"2025-01-15T12:00:00Z","results":[]}""")]
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

    private static AnalyticsBucket InZone(AnalyticsBucket bucket, string zone) =>
        Assert.Single(new AnalyticsPage { TimeSeries = [bucket] }.AsAnswerTo(new AnalyticsQuery("a/b") { TimeZone = zone }).TimeSeries);
}
