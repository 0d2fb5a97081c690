using Xunit;

namespace Fal.Observability.Client.IntegrationTests;

/// <summary>A service whose pages never end must not make the program run for ever.</summary>
public sealed class PagingGuardTests
{
    [Theory]
    [InlineData("same", 2)]
    [InlineData("a,b,same,c,same", 5)]
    [InlineData("a,b,c,a", 4)]
    public async Task A_cursor_that_comes_back_ends_the_stream(string cursors, int requests)
    {
        string[] sequence = cursors.Split(',');
        using var api = new WireMockApi(number => Page(number, sequence[(number - 1) % sequence.Length]));
        using var account = new FalAccount(api.BaseAddress);
        int buckets = 0;

        FalResponseException failure = await Assert.ThrowsAsync<FalResponseException>(async () =>
        {
            await foreach (
                AnalyticsBucket _ in account.Analytics.StreamTimeSeriesAsync(FalAccount.Query, TestContext.Current.CancellationToken)
            )
            {
                buckets++;
            }
        });

        Assert.Contains($"'{sequence[(requests - 1) % sequence.Length]}'", failure.Message, StringComparison.Ordinal);
        Assert.False(failure.IsTransient);
        Assert.Equal(requests, api.Requests.Count);
        // Each page holds one bucket, and the last is kept back until it is known to be whole.
        Assert.Equal(requests - 1, buckets);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(25)]
    public async Task Pages_without_an_end_stop_at_the_limit(int maxPages)
    {
        using var api = new WireMockApi(number => Page(number, $"cursor-{number}"));
        using var account = new FalAccount(api.BaseAddress, options => options.MaxPages = maxPages);

        FalResponseException failure = await account.FailureOfAsync<FalResponseException>(FalCall.TimeSeries);

        Assert.Contains(nameof(FalObservabilityOptions.MaxPages), failure.Message, StringComparison.Ordinal);
        Assert.Contains($"{maxPages} pages", failure.Message, StringComparison.Ordinal);
        Assert.Equal(maxPages, api.Requests.Count);
    }

    [Fact]
    public async Task As_many_pages_as_the_limit_allows_are_read()
    {
        using var api = new WireMockApi(number => Page(number, number == 25 ? null : $"cursor-{number}"));
        using var account = new FalAccount(api.BaseAddress, options => options.MaxPages = 25);

        int buckets = 0;
        await foreach (
            AnalyticsBucket _ in account.Analytics.StreamTimeSeriesAsync(FalAccount.Query, TestContext.Current.CancellationToken)
        )
        {
            buckets++;
        }

        Assert.Equal(25, buckets);
        Assert.Equal(25, api.Requests.Count);
    }

    [Fact]
    public async Task A_page_whose_cursor_does_not_advance_has_no_next_page()
    {
        using var api = new WireMockApi(number => Page(number, "same"));
        using var account = new FalAccount(api.BaseAddress);

        AnalyticsPage first = await account.Analytics.GetPageAsync(FalAccount.Query, TestContext.Current.CancellationToken);
        AnalyticsPage second = (await account.Analytics.GetNextPageAsync(first, TestContext.Current.CancellationToken))!;

        await Assert.ThrowsAsync<FalResponseException>(() => account.Analytics.GetNextPageAsync(second));
        Assert.Equal(2, api.Requests.Count);
    }

    [Theory]
    [InlineData("null")]
    [InlineData("\"\"")]
    public async Task A_page_that_promises_another_without_a_cursor_to_it_is_no_silent_end(string cursor)
    {
        using var api = new WireMockApi(MockResponse.Json(200, $$"""{"next_cursor":{{cursor}},"has_more":true,"time_series":[]}"""));
        using var account = new FalAccount(api.BaseAddress);

        AnalyticsPage page = await account.Analytics.GetPageAsync(FalAccount.Query, TestContext.Current.CancellationToken);

        await Assert.ThrowsAsync<FalResponseException>(() =>
            account.Analytics.GetNextPageAsync(page, TestContext.Current.CancellationToken)
        );
        await account.FailureOfAsync<FalResponseException>(FalCall.TimeSeries);
        Assert.Equal(2, api.Requests.Count);
    }

    [Fact]
    public async Task A_page_that_came_from_elsewhere_is_refused()
    {
        using var api = new WireMockApi(MockResponse.Page());
        using var account = new FalAccount(api.BaseAddress);

        await Assert.ThrowsAsync<ArgumentException>(() => account.Analytics.GetNextPageAsync(new AnalyticsPage { NextCursor = "x" }));

        Assert.Empty(api.Requests);
    }

    [Fact]
    public async Task A_bucket_cut_by_a_page_boundary_comes_out_once_with_the_rows_of_both_parts()
    {
        using var api = new WireMockApi(
            MockResponse.Json(200, """{"next_cursor":"2","time_series":[{"bucket":"2026-01-01T00:00:00Z","results":[{"endpoint_id":"a","request_count":1}]},{"bucket":"2026-01-01T01:00:00Z","results":[{"endpoint_id":"a","request_count":2}]}]}"""),
            MockResponse.Json(200, """{"next_cursor":"3","time_series":[{"bucket":"2026-01-01T02:00:00+01:00","results":[{"endpoint_id":"b","request_count":3}]}]}"""),
            MockResponse.Json(200, """{"next_cursor":"4","time_series":[]}"""),
            MockResponse.Json(200, """{"time_series":[{"bucket":"2026-01-01T01:00:00Z","results":[{"endpoint_id":"c","request_count":4}]},{"bucket":"2026-01-01T02:00:00Z","results":[]}]}"""));
        using var account = new FalAccount(api.BaseAddress);

        List<AnalyticsBucket> buckets = [];
        await foreach (
            AnalyticsBucket bucket in account.Analytics.StreamTimeSeriesAsync(FalAccount.Query, TestContext.Current.CancellationToken)
        )
        {
            buckets.Add(bucket);
        }

        Assert.Equal([0, 1, 2], buckets.Select(bucket => bucket.Start.UtcDateTime.Hour));
        Assert.Equal([("a", 2L), ("b", 3L), ("c", 4L)], buckets[1].Rows.Select(row => (row.EndpointId, row.RequestCount!.Value)));
        Assert.Empty(buckets[2].Rows);
    }

    private static MockResponse Page(int number, string? cursor) =>
        MockResponse.Json(
            200,
            $$"""
            {"next_cursor":{{(
                cursor is null ? "null" : $"\"{cursor}\""
            )}},"time_series":[{"bucket":"2026-01-01T00:{{number:d2}}:00Z","results":[]}]}
            """
        );
}
