using Fal.Observability.Client.Prometheus;
using Xunit;

namespace Fal.Observability.Client.Tests.Prometheus;

public sealed class PrometheusHistogramTests
{
    private const double Infinity = double.PositiveInfinity;

    private static double Quantile(double quantile, params HistogramBucket[] buckets) => PrometheusHistogram.Quantile(quantile, buckets);

    private static HistogramBucket[] Ordinary => [new(1, 10), new(2, 30), new(4, 40), new(Infinity, 50)];

    [Theory]
    [InlineData(0, 0)]
    [InlineData(0.1, 0.5)]
    [InlineData(0.2, 1)]
    [InlineData(0.4, 1.5)]
    [InlineData(0.7, 3)]
    [InlineData(0.8, 4)]
    [InlineData(0.9, 4)]
    [InlineData(1, 4)]
    [InlineData(-0.1, double.NegativeInfinity)]
    [InlineData(1.1, double.PositiveInfinity)]
    [InlineData(double.NaN, double.NaN)]
    public void A_quantile_is_interpolated_within_its_bucket(double quantile, double value) =>
        Assert.Equal(value, Quantile(quantile, Ordinary), 12);

    [Fact]
    public void There_is_no_quantile_without_a_bucket_of_infinity_or_without_observations()
    {
        Assert.Equal(double.NaN, Quantile(0.5));
        Assert.Equal(double.NaN, Quantile(0.5, new HistogramBucket(Infinity, 10)));
        Assert.Equal(double.NaN, Quantile(0.5, new(1, 5), new(2, 10)));
        Assert.Equal(double.NaN, Quantile(0.5, new(1, 0), new(Infinity, 0)));
    }

    // What promtool gives for the same buckets, in "promtool test rules".
    public static TheoryData<string, HistogramBucket[], double[]> BucketsThatCannotBe =>
        new()
        {
            { "the last is NaN", [new(1, 10), new(2, 30), new(Infinity, double.NaN)], [2, 2, 2, 2, 2] },
            { "all are NaN", [new(1, double.NaN), new(Infinity, double.NaN)], [1, 1, 1, 1, 1] },
            {
                "one between is NaN",
                [new(1, 10), new(2, double.NaN), new(4, 40), new(Infinity, 50)],
                [double.NaN, double.NaN, double.NaN, 4, 4]
            },
            { "the first is NaN", [new(1, double.NaN), new(2, 20), new(Infinity, 50)], [double.NaN, double.NaN, 2, 2, 2] },
            { "all are negative", [new(1, -10), new(2, -5), new(Infinity, -1)], [2, 2, 2, 2, 2] },
            { "the first is negative", [new(1, -10), new(2, 5), new(Infinity, 10)], [1.666666666667, 1.8, 2, 2, 2] },
            { "the last is infinite", [new(1, 5), new(2, 10), new(Infinity, Infinity)], [2, 2, 2, 2, 2] },
            {
                "the last two are infinite",
                [new(1, 5), new(2, Infinity), new(Infinity, Infinity)],
                [2, double.NaN, double.NaN, double.NaN, double.NaN]
            },
            { "the last is negative infinity", [new(1, 5), new(2, 10), new(Infinity, -Infinity)], [0, 0.4, 1, 1.8, 2] },
            {
                "the first bound is negative infinity",
                [new(-Infinity, 5), new(1, 10), new(Infinity, 20)],
                [-Infinity, -Infinity, double.NaN, 1, 1]
            },
            { "the last bound comes three times", [new(1, 5), new(Infinity, 10), new(Infinity, 10), new(Infinity, 10)], [0, 1, 1, 1, 1] },
        };

    [Theory]
    [MemberData(nameof(BucketsThatCannotBe))]
    public void Buckets_that_cannot_be_give_what_Prometheus_gives(string what, HistogramBucket[] buckets, double[] expected)
    {
        double[] quantiles = [0, 0.2, 0.5, 0.9, 1];
        Assert.True(expected.SequenceEqual(quantiles.Select(quantile => Math.Round(Quantile(quantile, buckets), 12))), what);
    }

    [Fact]
    public void A_bound_that_a_double_cannot_hold_is_no_bucket()
    {
        const string text =
            "# TYPE h histogram\nh_bucket{le=\"1\"} 5\nh_bucket{le=\"1e400\"} 10\nh_bucket{le=\"-1e400\"} 3\nh_bucket{le=\"inf\"} 20\n";

        PrometheusHistogram histogram = Assert.Single(PrometheusTextParser.ParseFamilies(text)["h"]!.GetHistograms());

        Assert.Equal([new(1, 5), new(Infinity, 20)], histogram.Buckets);
    }

    [Fact]
    public void A_bound_or_quantile_that_is_not_a_number_is_left_out_as_Prometheus_does()
    {
        PrometheusExposition exposition = PrometheusTextParser.ParseFamilies(
            "# TYPE h histogram\nh_bucket{le=\"1\"} 5\nh_bucket{le=\"NaN\"} 7\nh_bucket{le=\"+Inf\"} 10\n" +
            "# TYPE s summary\ns{quantile=\"0.5\"} 1\ns{quantile=\"NaN\"} 2\n");

        Assert.Equal([new(1, 5), new(Infinity, 10)], Assert.Single(exposition["h"]!.GetHistograms()).Buckets);
        Assert.Equal([new(0.5, 1)], Assert.Single(exposition["s"]!.GetSummaries()).Quantiles);
    }

    [Fact]
    public void Order_does_not_matter_and_equal_bounds_are_added_up()
    {
        Assert.Equal(Quantile(0.4, Ordinary), Quantile(0.4, [.. Enumerable.Reverse(Ordinary)]));
        Assert.Equal(Quantile(0.4, Ordinary), Quantile(0.4, new(1, 4), new(1, 6), new(2, 30), new(4, 40), new(Infinity, 50)));
    }

    [Fact]
    public void A_count_that_falls_is_lifted_to_the_one_below_it() =>
        Assert.Equal(
            Quantile(0.7, new(1, 10), new(2, 30), new(4, 30), new(Infinity, 50)),
            Quantile(0.7, new(1, 10), new(2, 30), new(4, 20), new(Infinity, 50))
        );

    [Fact]
    public void Differences_in_the_last_digits_of_summed_counts_do_not_count()
    {
        // Without the correction the rank would fall into the bucket to 4, whose count differs from the one below by rounding only.
        Assert.Equal(2, Quantile(1, new(1, 10), new(2, 30), new(4, 30.000000000000004), new(Infinity, 30.000000000000004)));
    }

    [Fact]
    public void The_lowest_bucket_begins_at_zero_unless_its_bound_is_not_positive()
    {
        Assert.Equal(0.5, Quantile(0.5, new(1, 10), new(Infinity, 10)));
        Assert.Equal(-1, Quantile(0.5, new(-1, 10), new(Infinity, 10)));
        Assert.Equal(0, Quantile(0.5, new(0, 10), new(Infinity, 10)));
    }

    [Fact]
    public void Many_buckets_are_no_special_case()
    {
        HistogramBucket[] buckets = [.. Enumerable.Range(1, 500).Select(i => new HistogramBucket(i, i)), new(Infinity, 500)];

        Assert.Equal(250, Quantile(0.5, buckets));
    }

    [Fact]
    public void The_given_buckets_are_left_as_they_are()
    {
        HistogramBucket[] buckets = [new(Infinity, 5), new(1, 10)];
        var histogram = new PrometheusHistogram([], buckets, 1, 2, 3);

        Assert.Equal(1, histogram.Quantile(1));
        Assert.Equal([new(Infinity, 5), new(1, 10)], histogram.Buckets);
        Assert.Equal((1.0, 2.0, 3.0), (histogram.Sum, histogram.Count, histogram.CreatedSeconds));
    }

    [Fact]
    public void A_family_gives_one_histogram_for_each_set_of_labels()
    {
        IReadOnlyList<PrometheusHistogram> histograms = PrometheusTextParser.ParseFamilies("""
            # TYPE h histogram
            h_bucket{a="1",le="0.5"} 1
            h_bucket{a="1",le="oops"} 1
            h_bucket{a="1",le="+Inf"} 2
            h_sum{a="1"} 3
            h_count{a="1"} 2
            h_bucket{le="+Inf",a="2"} 9
            """)["h"]!.GetHistograms();

        Assert.Equal(["1", "2"], histograms.Select(histogram => histogram.Labels["a"]));
        Assert.Equal([new(0.5, 1), new(Infinity, 2)], histograms[0].Buckets);
        Assert.Equal((3.0, 2.0), (histograms[0].Sum, histograms[0].Count));
        Assert.Equal((null, null, 1), (histograms[1].Sum, histograms[1].Count, histograms[1].Buckets.Count));
    }

    [Fact]
    public void A_summary_is_no_histogram()
    {
        MetricFamily summary = PrometheusTextParser.ParseFamilies("# TYPE s summary\ns{quantile=\"0.5\"} 1\ns_sum 1\ns_count 2\n")["s"]!;

        Assert.Empty(summary.GetHistograms());
        Assert.Single(summary.GetSummaries());
    }
}
