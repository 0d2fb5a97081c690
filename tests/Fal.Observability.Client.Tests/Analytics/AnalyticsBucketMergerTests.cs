using Xunit;

namespace Fal.Observability.Client.Tests;

public sealed class AnalyticsBucketMergerTests
{
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.FromHours(1));

    [Fact]
    public void A_bucket_that_a_page_boundary_cuts_comes_out_once_with_the_rows_of_both_parts()
    {
        AnalyticsBucket[] merged = Merge(
            [Bucket(0, Row("a/b", 1)), Bucket(1, Row("a/b", 2))],
            [Bucket(1, Row("c/d", 3)), Bucket(2, Row("a/b", 4))]);

        Assert.Equal([Start, Start.AddHours(1), Start.AddHours(2)], merged.Select(bucket => bucket.Start));
        Assert.Equal(["a/b=1", "a/b=2 c/d=3", "a/b=4"], merged.Select(Show));
    }

    [Fact]
    public void A_bucket_can_be_cut_more_than_once_and_be_all_of_a_page() => Assert.Equal(
        ["a/b=1 c/d=2 e/f=3"],
        Merge([Bucket(0, Row("a/b", 1))], [Bucket(0, Row("c/d", 2))], [], [Bucket(0, Row("e/f", 3))]).Select(Show));

    [Fact]
    public void Descending_buckets_are_merged_too() => Assert.Equal(
        ["a/b=1", "a/b=2 c/d=3", "a/b=4"],
        Merge([Bucket(9, Row("a/b", 1)), Bucket(8, Row("a/b", 2))], [Bucket(8, Row("c/d", 3)), Bucket(7, Row("a/b", 4))]).Select(Show));

    [Fact]
    public void The_same_instant_in_another_offset_is_the_same_bucket_and_keeps_the_first_offset()
    {
        AnalyticsBucket merged = Assert.Single(Merge(
            [Bucket(0, Row("a/b", 1))],
            [new AnalyticsBucket { Start = Start.ToUniversalTime(), Rows = [Row("c/d", 2)] }]));

        Assert.Equal(TimeSpan.FromHours(1), merged.Start.Offset);
        Assert.Equal("a/b=1 c/d=2", Show(merged));
    }

    [Fact]
    public void A_bucket_is_handed_out_as_soon_as_the_next_one_begins_and_the_last_at_the_end()
    {
        var merger = new AnalyticsBucketMerger();

        Assert.Equal([Start, Start.AddHours(1)], merger.Add([Bucket(0), Bucket(1), Bucket(2)]).Select(bucket => bucket.Start));
        Assert.Empty(merger.Add([]));
        Assert.Empty(merger.Add([Bucket(2)]));
        Assert.Equal([Start.AddHours(2)], merger.Add([Bucket(3)]).Select(bucket => bucket.Start));
        Assert.Equal(Start.AddHours(3), merger.Complete()!.Start);
        Assert.Null(merger.Complete());
    }

    [Fact]
    public void Whole_buckets_pass_through_untouched()
    {
        AnalyticsBucket bucket = Bucket(0, Row("a/b", 1));

        Assert.Same(bucket, Assert.Single(Merge([bucket])));
    }

    [Fact]
    public void A_page_that_repeats_the_last_bucket_doubles_nothing() => Assert.Equal(
        ["a/b=1 c/d=2", "a/b=3"],
        Merge([Bucket(0, Row("a/b", 1), Row("c/d", 2))], [Bucket(0, Row("a/b", 1), Row("c/d", 2)), Bucket(1, Row("a/b", 3))]).Select(Show));

    [Fact]
    public void The_row_of_an_endpoint_in_both_parts_holds_the_metrics_of_either_and_the_later_value_counts()
    {
        AnalyticsRow first = Json.ReadRow("""{"endpoint_id":"a/b","request_count":1,"p90_duration":2.5,"brand_new":1,"old":true}""");
        AnalyticsRow second = Json.ReadRow("""{"endpoint_id":"a/b","request_count":7,"p90_duration":null,"error_count":3,"brand_new":2}""");

        AnalyticsRow merged = Assert.Single(Assert.Single(Merge([Bucket(0, first)], [Bucket(0, second)])).Rows);

        Assert.Equal(
            """{"endpoint_id":"a/b","request_count":7,"error_count":3,"p90_duration":2.5,"brand_new":2,"old":true}""",
            Json.Write(merged));
        Assert.Equal(1, first.RequestCount);
        Assert.Null(first.ErrorCount);
        Assert.Equal(1, first.AdditionalMetrics["brand_new"].GetInt32());
        Assert.Null(second.P90Duration);
    }

    [Fact]
    public void Rows_that_cannot_be_told_to_be_the_same_stay_apart()
    {
        AnalyticsBucket merged = Assert.Single(Merge(
            [Bucket(0, Row("", 1), Row("a/b", 2))],
            [Bucket(0, Row("", 3), Row("a/b", 4), Row("a/b", 5), Row("A/B", 6))]));

        Assert.Equal("=1 a/b=4 =3 a/b=5 A/B=6", Show(merged));
    }

    [Fact]
    public void However_pages_are_cut_the_series_is_the_same()
    {
        var random = new Random(20260302);
        for (int round = 0; round < 200; round++)
        {
            AnalyticsBucket[] whole = [.. Enumerable.Range(0, random.Next(1, 20)).Select(hour =>
                Bucket(hour, [.. Enumerable.Range(0, random.Next(0, 6)).Select(i => Row($"my-org/app-{i}", random.Next(100)))]))];
            var pages = new List<AnalyticsBucket[]>();
            var page = new List<AnalyticsBucket>();
            foreach (AnalyticsBucket bucket in whole)
            {
                int cut = random.Next(0, bucket.Rows.Count + 1);
                if (random.Next(3) == 0)
                {
                    page.Add(new AnalyticsBucket { Start = bucket.Start, Rows = [.. bucket.Rows.Take(cut)] });
                    pages.Add([.. page]);
                    page.Clear();
                    page.Add(new AnalyticsBucket { Start = bucket.Start, Rows = [.. bucket.Rows.Skip(cut)] });
                }
                else
                {
                    page.Add(bucket);
                }
            }

            pages.Add([.. page]);

            Assert.Equal(whole.Select(Json.Write), Merge([.. pages]).Select(Json.Write));
        }
    }

    private static AnalyticsBucket[] Merge(params AnalyticsBucket[][] pages)
    {
        var merger = new AnalyticsBucketMerger();
        var merged = new List<AnalyticsBucket>();
        foreach (AnalyticsBucket[] page in pages)
        {
            merged.AddRange(merger.Add(page));
        }

        if (merger.Complete() is { } last)
        {
            merged.Add(last);
        }

        return [.. merged];
    }

    private static AnalyticsBucket Bucket(int hour, params AnalyticsRow[] rows) => new() { Start = Start.AddHours(hour), Rows = rows };

    private static AnalyticsRow Row(string id, long requests) => new() { EndpointId = id, RequestCount = requests };

    private static string Show(AnalyticsBucket bucket) =>
        string.Join(' ', bucket.Rows.Select(row => $"{row.EndpointId}={row.RequestCount}"));
}
