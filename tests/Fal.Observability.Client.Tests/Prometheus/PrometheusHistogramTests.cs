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
        Assert.Equal(double.NaN, Quantile(0.5, new(1, double.NaN), new(Infinity, double.NaN)));
    }

    [Fact]
    public void Order_does_not_matter_and_equal_bounds_are_added_up()
    {
        Assert.Equal(Quantile(0.4, Ordinary), Quantile(0.4, [.. Enumerable.Reverse(Ordinary)]));
        Assert.Equal(Quantile(0.4, Ordinary), Quantile(0.4, new(1, 4), new(1, 6), new(2, 30), new(4, 40), new(Infinity, 50)));
    }

    [Fact]
    public void A_count_that_falls_is_lifted_to_the_one_below_it() =>
        Assert.Equal(Quantile(0.7, new(1, 10), new(2, 30), new(4, 30), new(Infinity, 50)), Quantile(0.7, new(1, 10), new(2, 30), new(4, 20), new(Infinity, 50)));

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
