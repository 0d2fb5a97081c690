using Xunit;

namespace Fal.Observability.Client.IntegrationTests;

/// <summary>
/// Answers with status 200 that are well-formed JSON but do not match the query. The client must not treat any of them as a period without
/// traffic.
/// </summary>
public sealed class WrongContentTests
{
    private const string Row = """{"endpoint_id":"my-org/my-app","request_count":5}""";

    /// <summary>The way to ask, by name, so that the runner can show it.</summary>
    private static readonly Dictionary<string, Func<IFalAnalyticsClient, AnalyticsQuery, Task>> Calls = new(StringComparer.Ordinal)
    {
        ["page"] = (client, query) => client.GetPageAsync(query),
        ["next page"] = (client, query) => client.GetNextPageAsync(new AnalyticsPage { Query = query, NextCursor = "Mg" }),
        ["report"] = (client, query) => client.GetReportAsync(query),
        ["time series"] = async (client, query) =>
        {
            await foreach (AnalyticsBucket _ in client.StreamTimeSeriesAsync(query))
            {
                // Only the end matters.
            }
        },
        ["windows"] = async (client, query) =>
        {
            await foreach (AnalyticsWindow _ in client.StreamWindowsAsync(query))
            {
                // Only the end matters.
            }
        },
    };

    public static MatrixTheoryData<string, string> Unusable => new(
        Calls.Keys,
        [
            """{"has_more":false,"next_cursor":null}|neither a time series""",
            """{"error":{"message":"boom"},"has_more":false}|neither a time series""",
            """{"time_series":null}|neither a time series""",
            """{"summary":[ROW]}|without a time series""",
            """{"time_series":{}}|time_series""",
            """{"time_series":[null]}|time_series[0]""",
            """{"time_series":[{"results":[ROW]}]}|no 'bucket'""",
            """{"time_series":[{"bucket":null,"results":[ROW]}]}|start of a time bucket""",
            """{"time_series":[{"bucket":"soon","results":[ROW]}]}|soon""",
            """{"time_series":[{"bucket":"2026-01-02T00:00:00Z"}]}|no 'results'""",
            """{"time_series":[{"bucket":"2026-01-02T00:00:00Z","results":null}]}|'results' must be a list""",
            """{"time_series":[{"bucket":"2026-01-02T00:00:00Z","results":[null]}]}|results[0]""",
            """{"time_series":[{"bucket":"2026-01-02T00:00:00Z","results":[[ROW]]}]}|results[0]""",
            """{"time_series":[{"bucket":"2026-01-02T00:00:00Z","results":[ROW],"results":[]}]}|'results' twice""",
            """{"time_series":[{"bucket":"2026-01-02T00:00:00Z","results":[ROW]}],"time_series":[]}|'time_series' twice""",
            """{"time_series":[{"bucket":"2026-01-02T00:00:00Z","results":[{"endpoint_id":"a/b","request_count":5,"request_count":null}]}]}|'request_count' twice""",
            """{"time_series":[{"bucket":"1970-01-01T00:00:00Z","results":[ROW]}]}|1970-01-01T00:00:00+00:00""",
            """{"time_series":[{"bucket":"0001-01-01T00:00:00Z","results":[]}]}|outside the requested range""",
            """{"time_series":[{"bucket":"9999-12-31T23:59:59Z","results":[ROW]}]}|outside the requested range""",
            """{"time_series":[{"bucket":"2025-12-29T00:00:00Z","results":[ROW]}]}|outside the requested range""",
            """{"time_series":[{"bucket":"2026-01-12T00:00:00Z","results":[ROW]}]}|outside the requested range""",
            """{"time_series":[],"next_cursor":17}|next_cursor""",
            """{"time_series":[],"next_cursor":"\ud800"}|next_cursor""",
        ]);

    [Fact]
    public async Task A_row_without_a_readable_id_is_kept_and_merged_with_no_other()
    {
        using var api = new WireMockApi(MockResponse.Json(
            200,
            """{"time_series":[{"bucket":"2026-01-02T00:00:00Z","results":[ROW,{"request_count":7},{"endpoint_id":null,"request_count":9},{"endpoint_id":"a/\ud800","request_count":11},{"endpoint_id":"a/\udfff","request_count":13}]}]}"""
                .Replace("ROW", Row, StringComparison.Ordinal)));
        using var account = new FalAccount(api.BaseAddress);
        AnalyticsQuery query = FalAccount.Query with
        {
            Expand = AnalyticsExpand.TimeSeries | AnalyticsExpand.RequestCount,
            Timeframe = AnalyticsTimeframe.Day,
        };

        AnalyticsReport report = await account.Analytics.GetReportAsync(query);

        IEnumerable<(string, long?)> rows = report
            .TimeSeries.SelectMany(bucket => bucket.Rows)
            .Select(row => (row.EndpointId, row.RequestCount));
        Assert.Equal(
            [("", 7), ("", 9), ("a/\uFFFD", 11), ("a/\uFFFD", 13), ("my-org/my-app", 5)],
            rows.OrderBy(row => row.Item2 == 5).ThenBy(row => row.Item2)
        );
    }

    [Theory]
    [MemberData(nameof(Unusable))]
    public async Task An_answer_that_would_look_like_no_traffic_is_refused_and_the_message_names_the_part(string call, string answer)
    {
        string[] parts = answer.Split('|');
        using var api = new WireMockApi(MockResponse.Json(200, parts[0].Replace("ROW", Row, StringComparison.Ordinal)));
        using var account = new FalAccount(api.BaseAddress);
        AnalyticsQuery query = FalAccount.Query with
        {
            Expand = AnalyticsExpand.TimeSeries | AnalyticsExpand.RequestCount,
            Timeframe = AnalyticsTimeframe.Day,
        };

        FalResponseException failure = await Assert.ThrowsAsync<FalResponseException>(() => Calls[call](account.Analytics, query));

        Assert.Contains(parts[1], failure.Message, StringComparison.Ordinal);
        Assert.False(failure.IsTransient);
    }

    [Theory]
    [InlineData("page")]
    [InlineData("next page")]
    [InlineData("report")]
    public async Task A_requested_summary_that_is_missing_is_an_error_that_says_so(string call)
    {
        foreach (string json in new[] { """{"time_series":[]}""", """{"time_series":[],"summary":null}""" })
        {
            using var api = new WireMockApi(MockResponse.Json(200, json));
            using var account = new FalAccount(api.BaseAddress);
            AnalyticsQuery query = FalAccount.Query with { Expand = AnalyticsExpand.Summary | AnalyticsExpand.RequestCount };

            FalResponseException failure = await Assert.ThrowsAsync<FalResponseException>(() => Calls[call](account.Analytics, query));

            Assert.Contains("without a summary (summary)", failure.Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("""{"has_more":false}""")]
    [InlineData("""{"error":{"message":"boom"},"has_more":false}""")]
    [InlineData("""{"time_series":null}""")]
    [InlineData("""{"time_series":[{"bucket":"2026-01-02T00:00:00Z","results":null}]}""")]
    public async Task The_raw_interface_refuses_them_too(string json)
    {
        using var api = new WireMockApi(MockResponse.Json(200, json));
        using var account = new FalAccount(api.BaseAddress);

        await account.FailureOfAsync<FalResponseException>(FalCall.RawServerlessAnalytics);
        await account.FailureOfAsync<FalResponseException>(FalCall.RawModelsAnalytics);
    }

    [Fact]
    public async Task The_documented_widening_of_a_range_is_not_outside_of_it()
    {
        // The range is moved outward to whole hours, and the newest bucket starts after the present.
        using var api = new WireMockApi(MockResponse.Json(200, """
            {"time_series":[{"bucket":"2026-06-16T12:00:00+00:00","results":[]},{"bucket":"2026-06-17T12:00:00+00:00","results":[]},{"bucket":"2026-06-17T13:00:00+00:00","results":[]}]}
            """));
        using var account = new FalAccount(api.BaseAddress);

        AnalyticsPage page = await account.Analytics.GetPageAsync(
            new AnalyticsQuery("my-org/my-app") { Timeframe = AnalyticsTimeframe.Hour }, TestContext.Current.CancellationToken);

        Assert.Equal(3, page.TimeSeries.Count);
    }

    [Fact]
    public async Task Rows_that_start_at_the_end_of_the_range_are_left_out_counted_and_logged()
    {
        using var api = new WireMockApi(MockResponse.Json(200, $$"""
            {"time_series":[{"bucket":"2026-01-07T00:00:00Z","results":[{{Row}}]},{"bucket":"2026-01-08T00:00:00Z","results":[{{Row}},{"endpoint_id":"x/y"}]}]}
            """));
        using var account = new FalAccount(api.BaseAddress);

        AnalyticsReport report = await account.Analytics.GetReportAsync(
            FalAccount.Query with
            {
                Expand = AnalyticsExpand.TimeSeries | AnalyticsExpand.RequestCount,
                Timeframe = AnalyticsTimeframe.Day,
            },
            TestContext.Current.CancellationToken
        );

        Assert.Single(report.TimeSeries);
        Assert.Contains("1 time bucket(s) with 2 row(s)", Assert.Single(account.Events(11)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("page")]
    [InlineData("time series")]
    public async Task A_cursor_that_no_address_can_hold_is_named(string call)
    {
        string cursor = new('c', 70_000);
        using var api = new WireMockApi(MockResponse.Page(cursor));
        using var account = new FalAccount(api.BaseAddress);

        FalResponseException failure = await Assert.ThrowsAsync<FalResponseException>(async () =>
        {
            await Calls[call](account.Analytics, FalAccount.Query);
            await account.Analytics.GetNextPageAsync(await account.Analytics.GetPageAsync(FalAccount.Query));
        });

        Assert.Contains("cursor (next_cursor) of 70000 characters", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_raw_interface_refuses_a_query_that_no_address_can_hold()
    {
        using var api = new WireMockApi(MockResponse.Page());
        using var account = new FalAccount(api.BaseAddress);

        await Assert.ThrowsAsync<ArgumentException>(
            () => account.AnalyticsApi.GetServerlessAnalyticsAsync(FalAccount.Query with { Cursor = new string('c', 70_000) }));

        Assert.Empty(api.Requests);
    }
}
