using Fal.Observability.Client.Prometheus;
using Xunit;

namespace Fal.Observability.Client.Tests.Prometheus;

public sealed class PrometheusRateTests
{
    private static PrometheusPoint[] Points(params double[] values) =>
        [.. values.Select((value, i) => new PrometheusPoint(5_000 + i * 10_000, value))];

    [Fact]
    public void A_change_is_extrapolated_to_the_ends_of_the_range()
    {
        // Samples at 5, 15, 25, 35 s in the range 0 to 40 s: the 30 between them become 40.
        Assert.Equal(40, PrometheusRate.Increase(Points(100, 110, 120, 130), 0, 40_000), 10);
        Assert.Equal(1, PrometheusRate.Rate(Points(100, 110, 120, 130), 0, 40_000), 10);
        Assert.Equal(-40, PrometheusRate.Delta(Points(130, 120, 110, 100), 0, 40_000), 10);
    }

    [Fact]
    public void A_counter_that_began_anew_goes_on_where_it_was() =>
        Assert.Equal(40, PrometheusRate.Increase(Points(100, 110, 10, 20), 0, 40_000), 10);

    [Fact]
    public void A_gap_that_is_too_wide_is_filled_by_half_the_distance_of_samples() =>
        Assert.Equal(10 * (10 + 5 + 5) / 10.0, PrometheusRate.Increase([new(50_000, 100), new(60_000, 110)], 0, 100_000), 10);

    [Fact]
    public void A_counter_is_not_extrapolated_below_zero()
    {
        // It was 1 at 5 s and grows by 1 a second: 1 s before, it was zero.
        Assert.Equal(30 * (30 + 1 + 5) / 30.0, PrometheusRate.Increase(Points(1, 11, 21, 31), 0, 40_000), 10);
        Assert.Equal(40, PrometheusRate.Delta(Points(1, 11, 21, 31), 0, 40_000), 10);
    }

    [Fact]
    public void There_is_no_rate_without_two_samples()
    {
        Assert.Equal(double.NaN, PrometheusRate.Rate([], 0, 1000));
        Assert.Equal(double.NaN, PrometheusRate.Rate([new(500, 1)], 0, 1000));
        Assert.Equal(double.NaN, PrometheusRate.Rate([new(500, 1), new(500, 2)], 0, 1000));
    }

    [Fact]
    public void Samples_out_of_order_or_range_are_refused()
    {
        Assert.Throws<ArgumentException>(() => PrometheusRate.Rate([new(500, 1), new(400, 2)], 0, 1000));
        Assert.Throws<ArgumentException>(() => PrometheusRate.Rate([new(500, 1), new(1001, 2)], 0, 1000));
        Assert.Throws<ArgumentException>(() => PrometheusRate.Rate([new(-1, 1), new(400, 2)], 0, 1000));
        Assert.Throws<ArgumentException>(() => PrometheusRate.Rate(Points(1, 2), 1000, 1000));
    }

    [Fact]
    public void A_range_longer_than_its_type_counts_is_no_negative_one()
    {
        PrometheusPoint[] points = [new(0, 1), new(1000, 2)];

        Assert.True(PrometheusRate.Increase(points, long.MinValue, long.MaxValue) > 0);
        Assert.True(PrometheusRate.Rate([new(long.MinValue, 1), new(long.MaxValue, 2)], long.MinValue, long.MaxValue) > 0);
    }

    [Theory]
    [MemberData(nameof(CultureScope.Names), MemberType = typeof(CultureScope))]
    public void A_point_reads_the_same_in_every_culture(string culture)
    {
        using var scope = new CultureScope(culture);

        Assert.Equal("-1.5 @ -7 ms", new PrometheusPoint(-7, -1.5).ToString());
    }
}
