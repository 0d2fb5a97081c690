using System.Net;
using System.Text.Json.Nodes;
using Xunit;

namespace Fal.Observability.Client.IntegrationTests.Simulator;

public sealed class SimulatorValidationTests
{
    private const string Endpoint = "endpoint_id=simulated/text-to-image-00000";

    public static TheoryData<string, string> BadQueries => new()
    {
        { "", "endpoint_id is required" },
        { "endpoint_id=", "endpoint_id is required" },
        { "endpoint_id=,%20,", "endpoint_id is required" },
        { $"endpoint_id={string.Join(',', Enumerable.Range(0, 51).Select(number => $"a/{number}"))}", "51 endpoints" },
        { string.Join('&', Enumerable.Range(0, 51).Select(number => $"endpoint_id=a/{number}")), "51 endpoints" },
        { $"{Endpoint}&expand=request_count", "no structure" },
        { $"{Endpoint}&expand=time_series&expand=summary", "no metric" },
        { $"{Endpoint}&expand=time_series&expand=p42_duration", "'p42_duration'" },
        { $"{Endpoint}&expand=time_series,request_count", "'time_series,request_count'" },
        { $"{Endpoint}&start=yesterday", "start is 'yesterday'" },
        { $"{Endpoint}&start=2026-02-30", "start is '2026-02-30'" },
        { $"{Endpoint}&start=2026-06-01T00:00:00", "start is" },
        { $"{Endpoint}&start=2026-06-01T00:00:00z", "start is" },
        { $"{Endpoint}&start=2026-06-01T00:00:00%2B00:00", "without an offset" },
        { $"{Endpoint}&start=2026-06-01T00:00:00+02:00", "'2026-06-01T00:00:00 02:00'" },
        { $"{Endpoint}&end=2026-06-01T25:00:00Z", "end is" },
        { $"{Endpoint}&start=0001-01-01", "years 2000 to 2199" },
        { $"{Endpoint}&start=2026-06-02&end=2026-06-01", "end is before start" },
        { $"{Endpoint}&start=2027-01-01", "end is before start" },
        { $"{Endpoint}&start=2026-06-01&start=2026-06-02", "start is given 2 times" },
        { $"{Endpoint}&start=2000-01-01&end=2020-01-01&timeframe=minute", "more than 100000 buckets" },
        { $"{Endpoint}&timezone=Mars/Olympus", "'Mars/Olympus'" },
        { $"{Endpoint}&timezone=", "timezone is ''" },
        { $"{Endpoint}&timezone=W.%20Europe%20Standard%20Time", "IANA" },
        { $"{Endpoint}&timeframe=fortnight", "minute, hour, day, week, month" },
        { $"{Endpoint}&timeframe=Day", "timeframe is 'Day'" },
        { $"{Endpoint}&bound_to_timeframe=True", "bound_to_timeframe is 'True'" },
        { $"{Endpoint}&limit=0", "limit is '0'" },
        { $"{Endpoint}&limit=-1", "limit is '-1'" },
        { $"{Endpoint}&limit=ten", "limit is 'ten'" },
        { $"{Endpoint}&limit=", "limit is ''" },
        { $"{Endpoint}&cursor=2", "cursor is malformed" },
        { $"{Endpoint}&cursor=Mg==", "cursor is malformed" },
        { $"{Endpoint}&cursor=", "cursor is malformed" },
    };

    [Theory]
    [MemberData(nameof(BadQueries))]
    public async Task A_bad_parameter_is_answered_400_with_a_message_that_names_it(string query, string part)
    {
        await using SimulatorSession session = await SimulatorSession.StartAsync();
        foreach (string route in new[] { "serverless", "models" })
        {
            using HttpResponseMessage response = await session.GetAsync($"/{route}/analytics?{query}");
            JsonNode error = JsonNode.Parse(await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken))!["error"]!;

            Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
            Assert.Equal("validation_error", (string?)error["type"]);
            Assert.Contains(part, (string?)error["message"], StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("&start=2026-06-01&end=2026-06-02T03:04:05.1234567Z")]
    [InlineData("&start=2026-06-01T00%3A00%3A00Z&end=2026-06-01T00%3A00%3A00Z")]
    [InlineData("&timezone=UTC")]
    [InlineData("&timezone=Asia%2FKathmandu&timeframe=month&bound_to_timeframe=false")]
    [InlineData("&limit=9223372036854775807")]
    [InlineData("&a_parameter=that-is-not-known")]
    public async Task A_good_query_is_answered(string query)
    {
        await using SimulatorSession session = await SimulatorSession.StartAsync();

        JsonNode answer = await session.GetAnalyticsAsync($"{Endpoint}{query}");

        Assert.IsType<JsonArray>(answer["time_series"]);
    }

    [Theory]
    [InlineData("limit=5", "limit=6")]
    [InlineData("timeframe=hour", "timeframe=hour&timezone=Europe/Paris")]
    [InlineData("expand=request_count", "expand=request_count&expand=summary")]
    public async Task A_cursor_goes_on_only_with_all_other_parameters_unchanged(string before, string after)
    {
        await using SimulatorSession session = await SimulatorSession.StartAsync();
        string query = $"{Endpoint}&expand=time_series&expand=request_count&start=2026-06-01&end=2026-06-02&timeframe=hour&limit=5";
        string cursor = Uri.EscapeDataString((string)(await session.GetAnalyticsAsync(query))["next_cursor"]!);

        using HttpResponseMessage changed = await session.GetAsync(
            $"/serverless/analytics?{query.Replace(before, after, StringComparison.Ordinal)}&cursor={cursor}");
        using HttpResponseMessage unchanged = await session.GetAsync($"/serverless/analytics?{query}&cursor={cursor}");

        Assert.Equal(HttpStatusCode.BadRequest, changed.StatusCode);
        Assert.Contains("another query", await changed.Content.ReadAsStringAsync(TestContext.Current.CancellationToken),
            StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, unchanged.StatusCode);
    }

    [Fact]
    public async Task Only_GET_is_allowed()
    {
        await using SimulatorSession session = await SimulatorSession.StartAsync();
        using var http = new HttpClient();

        using HttpResponseMessage response = await http.PostAsync(
            new Uri($"{session.Server.BaseAddress}/serverless/metrics"), null, TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.MethodNotAllowed, response.StatusCode);
        Assert.Equal(["GET"], response.Content.Headers.Allow);
    }
}
