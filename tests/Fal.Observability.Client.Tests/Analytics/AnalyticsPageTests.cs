using System.Text.Json;
using Xunit;

namespace Fal.Observability.Client.Tests;

public sealed class AnalyticsPageTests
{
    private const string Documented = """
        {
          "next_cursor": "Mg==",
          "has_more": true,
          "time_series": [
            { "bucket": "2025-01-15T12:00:00-05:00",
              "results": [
                { "endpoint_id": "my-org/my-app", "request_count": 1500, "success_count": 1480, "p90_duration": 4.75 },
                { "endpoint_id": "my-org/my-app/turbo", "request_count": 3, "p90_duration": null }
              ] },
            { "bucket": "2025-01-15T13:00:00-05:00", "results": [] }
          ],
          "summary": [ { "endpoint_id": "my-org/my-app", "request_count": 1500 } ]
        }
        """;

    [Fact]
    public void A_page_reads_as_the_service_documents_it() => AssertDocumented(Json.ReadPage(Documented));

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(1000)]
    public async Task A_page_reads_the_same_however_the_network_cuts_it(int pieceLength) =>
        AssertDocumented(await Json.ReadPageInPiecesAsync(Documented, pieceLength));

    [Fact]
    public void A_page_survives_being_written_and_read_again() => AssertDocumented(Json.ReadPage(Json.Write(Json.ReadPage(Documented))));

    [Theory]
    [InlineData("""{"time_series":[]}""")]
    [InlineData("""{"next_cursor":null,"has_more":false,"time_series":[],"summary":null}""")]
    [InlineData("""{"next_cursor":"","has_more":null,"time_series":[],"summary":[]}""")]
    [InlineData("""{"next_cursor":null,"has_more":{"pages":2},"time_series":null,"summary":[]}""")]
    public void What_is_missing_null_or_empty_is_an_empty_last_page(string json)
    {
        AnalyticsPage page = Json.ReadPage(json);

        Assert.Null(page.NextCursor);
        Assert.False(page.HasMore);
        Assert.Empty(page.TimeSeries);
        Assert.Empty(page.Summary);
    }

    [Theory]
    [InlineData("""{"time_series":[],"next_cursor":"Mg==","has_more":false}""")]
    [InlineData("""{"time_series":[],"next_cursor":"Mg=="}""")]
    [InlineData("""{"time_series":[],"next_cursor":"Mg==","has_more":"perhaps"}""")]
    [InlineData("""{"time_series":[],"has_more":true}""")]
    [InlineData("""{"time_series":[],"has_more":"true","next_cursor":null}""")]
    [InlineData("""{"time_series":[],"has_more":"True","next_cursor":""}""")]
    [InlineData("""{"time_series":[],"has_more":1}""")]
    public void A_cursor_or_the_service_s_word_says_that_there_is_more(string json) => Assert.True(Json.ReadPage(json).HasMore);

    [Theory]
    [InlineData(1)]
    [InlineData(10_000)]
    public async Task Fields_of_a_newer_service_are_no_obstacle(int pieceLength)
    {
        // The blanks make sure that the bucket is read before the end of the page is in sight.
        AnalyticsPage page = await Json.ReadPageInPiecesAsync(
            $$"""
            { "timeframe": "hour", "meta": { "next_cursor": "no", "list": [1, { "a": [] }] },
              "time_series": [ { "results": [ { "endpoint_id": "a/b", "request_count": 1, "new": { "x": [1, {}] } } ], "quality": { "results": [] }, "bucket": "2026-01-01T00:00:00Z" } ]
              {{new string(' ', 5000)}} }
            """,
            pieceLength);

        AnalyticsRow row = Assert.Single(Assert.Single(page.TimeSeries).Rows);
        Assert.Equal(1, row.RequestCount);
        Assert.Equal("""{ "x": [1, {}] }""", row.AdditionalMetrics["new"].GetRawText());
        Assert.False(page.HasMore);
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("""{"next_cursor":"Mg==","has_more":true}""")]
    [InlineData("""{"error":{"message":"boom"},"has_more":false}""")]
    [InlineData("""{"time_series":null,"summary":null}""")]
    [InlineData("""{"time_series":{}}""")]
    [InlineData("""{"time_series":"none"}""")]
    [InlineData("""{"time_series":[[]]}""")]
    [InlineData("""{"time_series":[null]}""")]
    [InlineData("""{"summary":{}}""")]
    [InlineData("""{"summary":[1]}""")]
    [InlineData("""{"summary":[null]}""")]
    [InlineData("""{"summary":[{"endpoint_id":"a/b","request_count":1,"request_count":null}]}""")]
    [InlineData("""{"summary":[{"endpoint_id":"a/b","endpoint_id":"a/c","request_count":1}]}""")]
    [InlineData("""{"summary":[{"endpoint_id":"a/b"}],"summary":[]}""")]
    [InlineData("""{"time_series":[{"bucket":"2026-01-01T00:00:00Z","results":[{"endpoint_id":"a/b"}]}],"time_series":[]}""")]
    [InlineData("""{"time_series":[],"next_cursor":2}""")]
    [InlineData("""{"time_series":[],"next_cursor":"a","next_cursor":"b"}""")]
    [InlineData("""{"time_series":[],"next_cursor":"a\ufffd"}""")]
    [InlineData("""{"time_series":[{"bucket":"2026-01-01T00:00:00Z","results":[{"endpoint_id":"a/b","request_count":1}]}]""")]
    public void What_is_not_a_page_is_a_json_error(string json) => Assert.ThrowsAny<JsonException>(() => Json.ReadPage(json));

    [Fact]
    public void A_json_error_says_where_it_is()
    {
        var error = Assert.ThrowsAny<JsonException>(() =>
            Json.ReadPage("""{"time_series":[{"bucket":"2026-01-01T00:00:00Z","results":[]},{"bucket":"yesterday","results":[]}]}"""));

        Assert.Contains("\"yesterday\"", error.Message, StringComparison.Ordinal);
        Assert.Equal("$.time_series[1]", error.Path);

        error = Assert.ThrowsAny<JsonException>(() =>
            Json.ReadPage("""{"time_series":[{"bucket":"2026-01-01T00:00:00Z","results":[{"endpoint_id":"a/b"},{"endpoint_id":"a/b","endpoint_id":"a/c"}]}]}"""));

        Assert.Contains("The row contains 'endpoint_id' twice", error.Message, StringComparison.Ordinal);
        Assert.Equal("$.time_series[0].results[1]", error.Path);
    }

    [Fact]
    public void A_page_can_be_made_in_a_test()
    {
        var start = new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.FromHours(1));
        var query = new AnalyticsQuery("my-org/my-app");
        var rows = new List<AnalyticsRow> { new() { EndpointId = "my-org/my-app", RequestCount = 12 } };

        var page = new AnalyticsPage
        {
            Query = query,
            NextCursor = "Mg==",
            TimeSeries = [new AnalyticsBucket { Start = start, Rows = rows }],
            Summary = rows,
        };
        rows.Clear();

        Assert.Same(query, page.Query);
        Assert.True(page.HasMore);
        Assert.Equal(start, page.TimeSeries[0].Start);
        Assert.Equal(12, Assert.Single(page.TimeSeries[0].Rows).RequestCount);
        Assert.Equal(12, Assert.Single(page.Summary).RequestCount);
    }

    [Fact]
    public void An_answer_knows_its_query_and_reads_times_without_an_offset_in_the_zone_of_it()
    {
        AnalyticsPage page = Json.ReadPage("""
            {"next_cursor":"Mg==","time_series":[{"bucket":"2026-01-15T12:00:00","results":[]},{"bucket":"2026-07-15T12:00:00","results":[]},{"bucket":"2026-07-15T12:00:00Z","results":[]}],"summary":[{"endpoint_id":"a/b"}]}
            """);
        var query = new AnalyticsQuery("a/b") { TimeZone = "Europe/Berlin" };

        AnalyticsPage answer = page.AsAnswerTo(query);

        Assert.Same(query, answer.Query);
        Assert.Equal("Mg==", answer.NextCursor);
        Assert.Equal("a/b", Assert.Single(answer.Summary).EndpointId);
        Assert.Equal(
            [TimeSpan.FromHours(1), TimeSpan.FromHours(2), TimeSpan.Zero],
            answer.TimeSeries.Select(bucket => bucket.Start.Offset)
        );
        Assert.All(answer.TimeSeries, bucket => Assert.Equal(12, bucket.Start.Hour));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("Mars/Olympus_Mons")]
    [InlineData("../../etc/passwd")]
    public void Without_a_zone_that_this_machine_knows_such_times_are_utc(string? zone)
    {
        AnalyticsPage page = Json.ReadPage("""{"time_series":[{"bucket":"2026-07-15T12:00:00","results":[]}]}""");

        AnalyticsPage answer = page.AsAnswerTo(new AnalyticsQuery("a/b") { TimeZone = zone });

        Assert.Equal(new DateTimeOffset(2026, 7, 15, 12, 0, 0, TimeSpan.Zero), answer.TimeSeries[0].Start);
        Assert.Equal(TimeSpan.Zero, answer.TimeSeries[0].Start.Offset);
    }

    private static void AssertDocumented(AnalyticsPage page)
    {
        Assert.Equal("Mg==", page.NextCursor);
        Assert.True(page.HasMore);
        Assert.Equal(2, page.TimeSeries.Count);
        Assert.Equal(new DateTimeOffset(2025, 1, 15, 12, 0, 0, TimeSpan.FromHours(-5)), page.TimeSeries[0].Start);
        Assert.Equal(TimeSpan.FromHours(-5), page.TimeSeries[0].Start.Offset);
        Assert.Equal(["my-org/my-app", "my-org/my-app/turbo"], page.TimeSeries[0].Rows.Select(row => row.EndpointId));
        AnalyticsRow first = page.TimeSeries[0].Rows[0];
        Assert.Equal((1500, 1480, TimeSpan.FromMilliseconds(4750)), (first.RequestCount, first.SuccessCount, first.P90Duration));
        Assert.Null(page.TimeSeries[0].Rows[1].P90Duration);
        Assert.Empty(page.TimeSeries[1].Rows);
        Assert.Equal(1500, Assert.Single(page.Summary).RequestCount);
        Assert.Null(page.Query);
    }

    [Theory]
    [InlineData("0001-01-01T00:00:00", "Europe/Berlin")]
    [InlineData("9999-12-31T23:59:59", "America/New_York")]
    public void A_time_at_the_end_of_the_calendar_does_not_throw(string bucket, string zone)
    {
        AnalyticsPage page = System.Text.Json.JsonSerializer.Deserialize(
            $"{{\"time_series\":[{{\"bucket\":\"{bucket}\",\"results\":[]}}]}}",
            AnalyticsJsonContext.Default.AnalyticsPage
        )!;
        Assert.Single(page.AsAnswerTo(new AnalyticsQuery("a/b") { TimeZone = zone }).TimeSeries);
    }
}
