using Fal.Observability.Client.Prometheus;
using Xunit;

namespace Fal.Observability.Client.Tests;

public sealed class LatencyDistributionTests
{
    [Theory]
    [InlineData(0, 0)]
    [InlineData(0.1, 0.25)]
    [InlineData(0.5, 1.5)]
    [InlineData(0.7, 3)]
    [InlineData(0.99, 4)]
    [InlineData(1, 4)]
    public void A_quantile_is_interpolated_within_its_bucket_and_capped_at_the_highest_finite_bound(double quantile, double seconds)
    {
        // 4 up to 1 s, 2 more up to 2 s, 2 more up to 4 s, 2 beyond.
        LatencyDistribution latency = Distribution((1, 4), (2, 6), (4, 8), (double.PositiveInfinity, 10));
        Assert.Equal(seconds, latency.Quantile(quantile)!.Value, 12);
    }

    [Fact]
    public void There_is_no_quantile_without_requests_or_without_the_last_bucket()
    {
        Assert.Null(Distribution((1, 0), (double.PositiveInfinity, 0)).Quantile(0.5));
        Assert.Null(Distribution((1, 4), (2, 6)).Quantile(0.5));
        Assert.Null(Distribution((double.PositiveInfinity, 6)).Quantile(0.5));
        Assert.Null(Distribution().Quantile(0.5));
        Assert.Null(Distribution((1, 4)).Count);
    }

    [Fact]
    public void A_last_bucket_that_is_not_a_number_gives_the_bound_below_it_as_in_Prometheus() =>
        Assert.Equal(2, Distribution((1, 4), (2, 6), (double.PositiveInfinity, double.NaN)).Quantile(0.5));

    [Fact]
    public void A_bound_is_read_as_Prometheus_reads_it()
    {
        const string text = """
            fal_app_request_latency{application="my/app",le="1"} 5
            fal_app_request_latency{application="my/app",le="1e400"} 7
            fal_app_request_latency{application="my/app",le="NaN"} 7
            fal_app_request_latency{application="my/app",le="oops"} 7
            fal_app_request_latency{application="my/app",le="inf"} 10
            """;

        LatencyDistribution latency = FalMetricsSnapshot
            .Create(PrometheusTextParser.ParseFamilies(text), DateTimeOffset.UnixEpoch)
            .Apps[0]
            .Latency!;

        Assert.Equal([new(1, 5), new(double.PositiveInfinity, 10)], latency.Buckets);
    }

    [Theory]
    [InlineData(99)]
    [InlineData(-0.1)]
    [InlineData(double.NaN)]
    public void A_percentage_where_a_share_is_due_is_refused(double quantile) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => Distribution((1, 4), (double.PositiveInfinity, 6)).Quantile(quantile));

    [Fact]
    public void Buckets_are_sorted_and_a_bound_comes_once()
    {
        Assert.Equal(
            [1, 2, double.PositiveInfinity],
            Distribution((double.PositiveInfinity, 9), (2, 6), (1, 4)).Buckets.Select(b => b.UpperBound)
        );
        Assert.Throws<ArgumentException>(() => Distribution((1, 4), (1, 5)));
        Assert.Throws<ArgumentException>(() => Distribution((double.NaN, 5)));
    }

    private static LatencyDistribution Distribution(params (double Bound, double Count)[] buckets) =>
        new(buckets.Select(b => new HistogramBucket(b.Bound, b.Count)));
}
