using Xunit;

namespace Fal.Observability.Client.Tests;

public sealed class AnalyticsExpandTests
{
    /// <summary>All values of the service, in the order of its documentation, with the flags that stand for them.</summary>
    public static readonly (AnalyticsExpand Flag, string Name)[] Documented =
    [
        (AnalyticsExpand.TimeSeries, "time_series"),
        (AnalyticsExpand.Summary, "summary"),
        (AnalyticsExpand.RequestCount, "request_count"),
        (AnalyticsExpand.SuccessCount, "success_count"),
        (AnalyticsExpand.UserErrorCount, "user_error_count"),
        (AnalyticsExpand.ErrorCount, "error_count"),
        (AnalyticsExpand.StartupErrorCount, "startup_error_count"),
        (AnalyticsExpand.ConnectionErrorCount, "connection_error_count"),
        (AnalyticsExpand.TimeoutErrorCount, "timeout_error_count"),
        (AnalyticsExpand.RuntimeErrorCount, "runtime_error_count"),
        (AnalyticsExpand.P50PrepareDuration, "p50_prepare_duration"),
        (AnalyticsExpand.P75PrepareDuration, "p75_prepare_duration"),
        (AnalyticsExpand.P90PrepareDuration, "p90_prepare_duration"),
        (AnalyticsExpand.P95PrepareDuration, "p95_prepare_duration"),
        (AnalyticsExpand.P99PrepareDuration, "p99_prepare_duration"),
        (AnalyticsExpand.P25Duration, "p25_duration"),
        (AnalyticsExpand.P50Duration, "p50_duration"),
        (AnalyticsExpand.P75Duration, "p75_duration"),
        (AnalyticsExpand.P90Duration, "p90_duration"),
        (AnalyticsExpand.P95Duration, "p95_duration"),
        (AnalyticsExpand.P99Duration, "p99_duration"),
        (AnalyticsExpand.ColdBootCount, "cold_boot_count"),
        (AnalyticsExpand.P50ColdBootDuration, "p50_cold_boot_duration"),
        (AnalyticsExpand.P75ColdBootDuration, "p75_cold_boot_duration"),
        (AnalyticsExpand.P90ColdBootDuration, "p90_cold_boot_duration"),
        (AnalyticsExpand.TotalBillableDuration, "total_billable_duration"),
    ];

    public static TheoryData<AnalyticsExpand> Metrics => [.. Documented.Skip(2).Select(value => value.Flag)];

    public static TheoryData<AnalyticsExpand> NotOneMetric =>
    [
        AnalyticsExpand.None,
        AnalyticsExpand.TimeSeries,
        AnalyticsExpand.Summary,
        AnalyticsExpand.Volume,
        AnalyticsExpand.RequestCount | AnalyticsExpand.TimeSeries,
        (AnalyticsExpand)(1L << 26),
        (AnalyticsExpand)long.MinValue,
    ];

    [Fact]
    public void Every_flag_has_the_name_of_the_documentation_and_the_order_is_the_documented_one()
    {
        AnalyticsExpand everything = AnalyticsExpand.Structure | AnalyticsExpand.AllMetrics;

        Assert.Equal(Documented.Select(value => value.Flag), everything.GetFlags());
        Assert.Equal(Documented.Select(value => value.Name), everything.GetFlags().Select(flag => flag.GetWireName()));
    }

    [Fact]
    public void No_value_of_the_enum_is_missing_from_the_table_of_names()
    {
        IEnumerable<AnalyticsExpand> single = Enum.GetValues<AnalyticsExpand>().Where(value => long.PopCount((long)value) == 1);

        Assert.Equal(Documented.Select(value => value.Flag).Order(), single.Order());
    }

    [Theory]
    [MemberData(nameof(Metrics))]
    public void The_name_that_is_sent_is_the_field_that_is_read(AnalyticsExpand metric)
    {
        AnalyticsRow row = Json.ReadRow($$"""{"endpoint_id":"a/b","{{metric.GetWireName()}}":7}""");

        Assert.Equal(metric, row.Metrics);
        Assert.Equal(7, row.GetValue(metric));
    }

    [Theory]
    [InlineData(AnalyticsExpand.Structure, "time_series summary")]
    [InlineData(AnalyticsExpand.Volume, "request_count success_count user_error_count error_count")]
    [InlineData(AnalyticsExpand.ErrorBreakdown, "startup_error_count connection_error_count timeout_error_count runtime_error_count")]
    [InlineData(
        AnalyticsExpand.PrepareLatency,
        "p50_prepare_duration p75_prepare_duration p90_prepare_duration p95_prepare_duration p99_prepare_duration"
    )]
    [InlineData(AnalyticsExpand.ExecutionLatency, "p25_duration p50_duration p75_duration p90_duration p95_duration p99_duration")]
    [InlineData(AnalyticsExpand.ColdBoot, "cold_boot_count p50_cold_boot_duration p75_cold_boot_duration p90_cold_boot_duration")]
    [InlineData(
        AnalyticsExpand.AllMetrics & ~AnalyticsExpand.Standard,
        "p50_cold_boot_duration p75_cold_boot_duration p90_cold_boot_duration"
    )]
    public void A_group_holds_what_its_name_says(AnalyticsExpand group, string names) =>
        Assert.Equal(names.Split(' '), group.GetFlags().Select(flag => flag.GetWireName()));

    [Fact]
    public void All_metrics_are_everything_but_the_shapes() =>
        Assert.Equal(Documented.Skip(2).Select(value => value.Flag), AnalyticsExpand.AllMetrics.GetFlags());

    [Theory]
    [MemberData(nameof(Metrics))]
    public void A_metric_is_a_duration_exactly_if_its_name_says_so(AnalyticsExpand metric) =>
        Assert.Equal(metric.GetWireName().EndsWith("_duration", StringComparison.Ordinal), metric.IsDuration());

    [Fact]
    public void Nothing_has_no_flags() => Assert.Empty(AnalyticsExpand.None.GetFlags());

    [Theory]
    [MemberData(nameof(NotOneMetric))]
    public void What_is_not_one_metric_has_no_value_and_no_unit(AnalyticsExpand value)
    {
        Assert.ThrowsAny<ArgumentException>(() => value.IsDuration());
        Assert.ThrowsAny<ArgumentException>(() => new AnalyticsRow { EndpointId = "a/b", RequestCount = 1 }.GetValue(value));
    }

    [Theory]
    [InlineData(AnalyticsExpand.None)]
    [InlineData(AnalyticsExpand.Volume)]
    [InlineData((AnalyticsExpand)(1L << 26))]
    public void Only_a_single_known_flag_has_a_name(AnalyticsExpand value) =>
        Assert.ThrowsAny<ArgumentException>(() => value.GetWireName());

    [Fact]
    public void A_bit_of_no_flag_is_refused_with_the_way_to_send_unknown_values()
    {
        var error = Assert.Throws<ArgumentOutOfRangeException>(() => ((AnalyticsExpand)(1L << 40)).GetFlags());

        Assert.Contains("AdditionalExpand", error.Message, StringComparison.Ordinal);
    }
}
