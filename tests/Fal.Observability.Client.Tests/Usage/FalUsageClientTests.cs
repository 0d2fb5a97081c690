using System.Globalization;
using Xunit;

namespace Fal.Observability.Client.Tests;

public sealed class FalUsageClientTests
{
    private const int Pages = 10_000;
    private const int RowsOnPage = 20;

    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private static readonly UsageQuery Query = new()
    {
        Range = AnalyticsTimeRange.Between(Start, Start.AddDays(2)),
        Timeframe = AnalyticsTimeframe.Day,
        Expand = UsageExpand.TimeSeries | UsageExpand.Summary,
    };

    [Fact]
    public async Task One_bucket_over_ten_thousand_pages_is_whole_and_each_row_is_looked_at_once()
    {
        var client = new FalUsageClient(new FakeUsageApi(Pages), new FalObservabilityOptions(), TimeProvider.System);

        UsageReport report = await client.GetReportAsync(Query, TestContext.Current.CancellationToken);
        List<UsageBucket> streamed = [];
        await foreach (UsageBucket bucket in client.StreamTimeSeriesAsync(Query, TestContext.Current.CancellationToken))
        {
            streamed.Add(bucket);
        }

        foreach (IReadOnlyList<UsageBucket> buckets in new[] { report.TimeSeries, streamed })
        {
            UsageBucket bucket = Assert.Single(buckets);
            Assert.Equal(Pages * RowsOnPage, bucket.Rows.Count);
            Assert.Equal(("p0-0", "p9999-19"), (bucket.Rows[0].App, bucket.Rows[^1].App));
            Assert.Equal(Pages * RowsOnPage, bucket.Rows.Sum(row => row.Cost));
        }

        Assert.Equal([("same", Pages - 1m)], report.Summary.Select(row => (row.App, row.Cost)));
        Assert.Equal(Pages, report.Answers.Count);
    }

    [Fact]
    public async Task A_page_more_than_the_limit_is_an_error_and_never_a_smaller_bill()
    {
        var client = new FalUsageClient(new FakeUsageApi(Pages + 1), new FalObservabilityOptions(), TimeProvider.System);

        FalResponseException failure = await Assert.ThrowsAsync<FalResponseException>(() => client.GetReportAsync(Query));

        Assert.Contains("10000 pages", failure.Message, StringComparison.Ordinal);
        Assert.Contains("MaxPages", failure.Message, StringComparison.Ordinal);
    }

    /// <summary>A service whose pages all go on with one bucket, and all repeat one row of the summary with a higher cost.</summary>
    private sealed class FakeUsageApi(int pages) : IFalUsageApi
    {
        public Task<UsagePage> GetUsageAsync(UsageQuery? query = null, CancellationToken cancellationToken = default)
        {
            int page = int.Parse(query!.Cursor ?? "0", CultureInfo.InvariantCulture);
            return Task.FromResult(new UsagePage
            {
                NextCursor = page + 1 < pages ? (page + 1).ToString(CultureInfo.InvariantCulture) : null,
                TimeSeries =
                [
                    new UsageBucket
                    {
                        Start = Start,
                        Rows = [.. Enumerable.Range(0, RowsOnPage).Select(i => new UsageRow
                        {
                            App = string.Create(CultureInfo.InvariantCulture, $"p{page}-{i}"), Cost = 1, Currency = "USD",
                        })],
                    },
                ],
                Summary = [new UsageRow { App = "same", Cost = page, Currency = "USD" }],
            });
        }
    }
}
