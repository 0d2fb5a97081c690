using System.Globalization;
using System.Text.Json;
using Xunit;

namespace Fal.Observability.Client.Tests;

public sealed class AnalyticsRowTests
{
    [Fact]
    public void Every_metric_has_a_property_that_reads_its_field()
    {
        AnalyticsRow row = Json.ReadRow("""
            { "total_billable_duration": 24.5, "p90_cold_boot_duration": 23.5, "p75_cold_boot_duration": 22.5, "p50_cold_boot_duration": 21.5,
              "cold_boot_count": 20, "p99_duration": 19.5, "p95_duration": 18.5, "p90_duration": 17.5, "p75_duration": 16.5, "p50_duration": 15.5,
              "p25_duration": 14.5, "p99_prepare_duration": 13.5, "p95_prepare_duration": 12.5, "p90_prepare_duration": 11.5,
              "p75_prepare_duration": 10.5, "p50_prepare_duration": 9.5, "runtime_error_count": 8, "timeout_error_count": 7,
              "connection_error_count": 6, "startup_error_count": 5, "error_count": 4, "user_error_count": 3, "success_count": 2,
              "request_count": 1, "endpoint_id": "my-org/my-app" }
            """);

        Assert.Equal("my-org/my-app", row.EndpointId);
        Assert.Equal(AnalyticsExpand.AllMetrics, row.Metrics);
        Assert.Equal(
            new long?[] { 1, 2, 3, 4, 5, 6, 7, 8, 20 },
            new[]
            {
                row.RequestCount, row.SuccessCount, row.UserErrorCount, row.ErrorCount, row.StartupErrorCount, row.ConnectionErrorCount,
                row.TimeoutErrorCount, row.RuntimeErrorCount, row.ColdBootCount,
            });
        Assert.Equal(
            new[] { 9.5, 10.5, 11.5, 12.5, 13.5, 14.5, 15.5, 16.5, 17.5, 18.5, 19.5, 21.5, 22.5, 23.5, 24.5 },
            new[]
            {
                row.P50PrepareDuration, row.P75PrepareDuration, row.P90PrepareDuration, row.P95PrepareDuration, row.P99PrepareDuration,
                row.P25Duration, row.P50Duration, row.P75Duration, row.P90Duration, row.P95Duration, row.P99Duration,
                row.P50ColdBootDuration, row.P75ColdBootDuration, row.P90ColdBootDuration, row.TotalBillableDuration,
            }.Select(duration => duration!.Value.TotalSeconds));
        Assert.Empty(row.AdditionalMetrics);
    }

    [Fact]
    public void Every_metric_can_be_set_in_a_test_and_comes_back_from_json()
    {
        static TimeSpan Seconds(double seconds) => TimeSpan.FromMilliseconds(seconds * 1000);
        var row = new AnalyticsRow
        {
            EndpointId = "my-org/my-app",
            TotalBillableDuration = Seconds(24.5),
            P90ColdBootDuration = Seconds(23.5),
            P75ColdBootDuration = Seconds(22.5),
            P50ColdBootDuration = Seconds(21.5),
            ColdBootCount = 20,
            P99Duration = Seconds(19.5),
            P95Duration = Seconds(18.5),
            P90Duration = Seconds(17.5),
            P75Duration = Seconds(16.5),
            P50Duration = Seconds(15.5),
            P25Duration = Seconds(14.5),
            P99PrepareDuration = Seconds(13.5),
            P95PrepareDuration = Seconds(12.5),
            P90PrepareDuration = Seconds(11.5),
            P75PrepareDuration = Seconds(10.5),
            P50PrepareDuration = Seconds(9.5),
            RuntimeErrorCount = 8,
            TimeoutErrorCount = 7,
            ConnectionErrorCount = 6,
            StartupErrorCount = 5,
            ErrorCount = 4,
            UserErrorCount = 3,
            SuccessCount = 2,
            RequestCount = 1,
        };

        Assert.Equal(
            """{"endpoint_id":"my-org/my-app","request_count":1,"success_count":2,"user_error_count":3,"error_count":4,"startup_error_count":5,"connection_error_count":6,"timeout_error_count":7,"runtime_error_count":8,"p50_prepare_duration":9.5,"p75_prepare_duration":10.5,"p90_prepare_duration":11.5,"p95_prepare_duration":12.5,"p99_prepare_duration":13.5,"p25_duration":14.5,"p50_duration":15.5,"p75_duration":16.5,"p90_duration":17.5,"p95_duration":18.5,"p99_duration":19.5,"cold_boot_count":20,"p50_cold_boot_duration":21.5,"p75_cold_boot_duration":22.5,"p90_cold_boot_duration":23.5,"total_billable_duration":24.5}""",
            Json.Write(row));
        Assert.Equal(Json.Write(row), Json.Write(Json.ReadRow(Json.Write(row))));
    }

    [Fact]
    public void A_metric_that_is_set_twice_or_to_null_has_its_last_value()
    {
        var row = new AnalyticsRow
        {
            EndpointId = "a/b",
            ErrorCount = 1,
            RequestCount = null,
            P90Duration = TimeSpan.FromSeconds(2),
            SuccessCount = 3,
        };

        Assert.Null(row.RequestCount);
        Assert.Equal((1, 3, TimeSpan.FromSeconds(2)), (row.ErrorCount, row.SuccessCount, row.P90Duration));
        Assert.Equal(AnalyticsExpand.ErrorCount | AnalyticsExpand.SuccessCount | AnalyticsExpand.P90Duration, row.Metrics);
    }

    [Fact]
    public void A_duration_of_any_spelling_is_the_double_that_the_framework_reads()
    {
        const int Seed = 20261122;
        var random = new Random(Seed);
        for (int round = 0; round < 20_000; round++)
        {
            string whole = random.NextInt64((long)Math.Pow(10, random.Next(0, 18))).ToString(CultureInfo.InvariantCulture);
            string fraction = new([.. Enumerable.Range(0, random.Next(0, 19)).Select(_ => (char)('0' + random.Next(10)))]);
            string number =
                (random.Next(8) == 0 ? "-" : "") + whole + (fraction.Length > 0 ? $".{fraction}" : "") + (random.Next(8) == 0 ? "e-3" : "");

            AnalyticsRow row = Json.ReadRow($$"""{"p90_duration":{{number}}}""");

            double expected = double.Parse(number, CultureInfo.InvariantCulture);
            double read = row.GetValue(AnalyticsExpand.P90Duration)!.Value;
            Assert.True(
                BitConverter.DoubleToInt64Bits(expected) == BitConverter.DoubleToInt64Bits(read),
                string.Create(CultureInfo.InvariantCulture, $"seed {Seed}: {number} was read as {read:R}"));
        }
    }

    [Fact]
    public void Absent_and_null_are_both_null()
    {
        AnalyticsRow row = Json.ReadRow("""{"endpoint_id":"a/b","p90_duration":null,"request_count":0}""");

        Assert.Null(row.P90Duration);
        Assert.Null(row.GetValue(AnalyticsExpand.P90Duration));
        Assert.Null(row.P50Duration);
        Assert.Null(row.GetValue(AnalyticsExpand.P50Duration));
        Assert.Equal(0, row.RequestCount);
        Assert.Equal(AnalyticsExpand.RequestCount, row.Metrics);
        Assert.Empty(row.AdditionalMetrics);
    }

    [Theory]
    [InlineData("0", 0)]
    [InlineData("-0", 0)]
    [InlineData("12", 12)]
    [InlineData("12.0", 12)]
    [InlineData("12.000000000000000000000000000000000000000", 12)]
    [InlineData("1.2e1", 12)]
    [InlineData("1.2E+1", 12)]
    [InlineData("1200e-2", 12)]
    [InlineData("0.0012e4", 12)]
    [InlineData("0e5", 0)]
    [InlineData("0e999999999", 0)]
    [InlineData("-3.0", -3)]
    [InlineData("9007199254740993", 9007199254740993)]
    [InlineData("9007199254740993.0", 9007199254740993)]
    [InlineData("9223372036854775807", long.MaxValue)]
    [InlineData("9223372036854775807.0", long.MaxValue)]
    [InlineData("922337203685477580.7e1", long.MaxValue)]
    [InlineData("-9223372036854775808.0", long.MinValue)]
    public void A_count_is_read_exactly_in_every_spelling_of_a_whole_number(string json, long expected)
    {
        AnalyticsRow row = Json.ReadRow($$"""{"endpoint_id":"a/b","request_count":{{json}}}""");

        Assert.Equal(expected, row.RequestCount);
        Assert.Equal(expected, row.GetCount(AnalyticsExpand.RequestCount));
        Assert.Equal((double)expected, row.GetValue(AnalyticsExpand.RequestCount));
        Assert.Equal($"a/b: request_count={expected.ToString(CultureInfo.InvariantCulture)}", row.ToString());
        Assert.Empty(row.AdditionalMetrics);
    }

    [Fact]
    public void A_count_that_is_not_there_is_null_and_a_duration_is_no_count()
    {
        AnalyticsRow row = Json.ReadRow("""{"endpoint_id":"a/b","p90_duration":1.5}""");

        Assert.Null(row.GetCount(AnalyticsExpand.RequestCount));
        ArgumentException duration = Assert.Throws<ArgumentException>(() => row.GetCount(AnalyticsExpand.P90Duration));
        Assert.Contains(
            "P90Duration is a duration, not a count. Read its seconds with GetValue",
            duration.Message,
            StringComparison.Ordinal
        );
        Assert.Throws<ArgumentException>(() => row.GetCount(AnalyticsExpand.TimeSeries));
        Assert.Throws<ArgumentException>(() => row.GetCount(AnalyticsExpand.Volume));
    }

    [Theory]
    [InlineData("12.5")]
    [InlineData("1e-40")]
    [InlineData("12.00000000000000000000000000000000000001")]
    [InlineData("9223372036854775808")]
    [InlineData("9223372036854775808.0")]
    [InlineData("-9223372036854775809")]
    [InlineData("18446744073709551617")]
    [InlineData("340282366920938463463374607431768211457")]
    [InlineData("1e19")]
    [InlineData("1e999999999")]
    [InlineData("1e9999999999")]
    [InlineData("\"12\"")]
    [InlineData("\"N/A\"")]
    [InlineData("true")]
    [InlineData("{\"value\":12}")]
    [InlineData("[1,[2]]")]
    public void What_is_no_count_is_kept_as_it_was_sent_and_spoils_nothing_else(string json)
    {
        AnalyticsRow row = Json.ReadRow($$"""{"request_count":{{json}},"endpoint_id":"a/b","error_count":1}""");

        Assert.Null(row.RequestCount);
        Assert.Null(row.GetValue(AnalyticsExpand.RequestCount));
        Assert.Equal(1, row.ErrorCount);
        Assert.Equal("a/b", row.EndpointId);
        Assert.Equal(json, row.AdditionalMetrics["request_count"].GetRawText());
        Assert.Equal(json, Json.ReadRow(Json.Write(row)).AdditionalMetrics["request_count"].GetRawText());
    }

    [Theory]
    [InlineData("9223372036854775808", 9223372036854775808d)]
    [InlineData("-1e19", -1e19)]
    [InlineData("1.5", 1.5)]
    [InlineData("12", 12d)]
    [InlineData("1e999999999", null)]
    [InlineData("1e9999999999", null)]
    [InlineData("\"12\"", null)]
    [InlineData("null", null)]
    public void The_number_of_a_metric_is_also_one_that_no_integer_holds(string json, double? expected) =>
        Assert.Equal(
            expected,
            Json.ReadRow($$"""{"request_count":{{json}},"endpoint_id":"a/b"}""").GetNumber(AnalyticsExpand.RequestCount)
        );

    [Theory]
    [InlineData("1e400")]
    [InlineData("-1e400")]
    [InlineData("\"1.5\"")]
    [InlineData("false")]
    [InlineData("{}")]
    public void What_is_no_duration_is_kept_as_it_was_sent(string json)
    {
        AnalyticsRow row = Json.ReadRow($$"""{"endpoint_id":"a/b","p90_duration":{{json}}}""");

        Assert.Null(row.P90Duration);
        Assert.Equal(json, row.AdditionalMetrics["p90_duration"].GetRawText());
    }

    [Fact]
    public void A_field_of_a_newer_service_is_reachable_and_written_back()
    {
        AnalyticsRow row = Json.ReadRow("""
            {"endpoint_id":"a/b","p99_9_duration":8.25,"region":"eu","nothing":null,"nested":{"request_count":[7]},"summary":1,"request_count":2}
            """);

        Assert.Equal(8.25, row.AdditionalMetrics["p99_9_duration"].GetDouble());
        Assert.Equal("eu", row.AdditionalMetrics["region"].GetString());
        Assert.Equal(JsonValueKind.Null, row.AdditionalMetrics["nothing"].ValueKind);
        Assert.Equal("""{"request_count":[7]}""", row.AdditionalMetrics["nested"].GetRawText());
        Assert.Equal(1, row.AdditionalMetrics["summary"].GetInt32());
        Assert.Equal(2, row.RequestCount);
        Assert.Equal(
            """{"endpoint_id":"a/b","request_count":2,"p99_9_duration":8.25,"region":"eu","nothing":null,"nested":{"request_count":[7]},"summary":1}""",
            Json.Write(row));
    }

    [Theory]
    [InlineData("p90_durations")]
    [InlineData("p90_duratio")]
    [InlineData("P90_duration")]
    [InlineData("p91_duration")]
    [InlineData("p9")]
    [InlineData("p")]
    [InlineData("")]
    [InlineData("größe")]
    [InlineData("endpoint_ids")]
    public void A_name_that_is_nearly_known_is_unknown(string name)
    {
        AnalyticsRow row = Json.ReadRow($$"""{"{{name}}":1}""");

        Assert.Equal(AnalyticsExpand.None, row.Metrics);
        Assert.Equal(name, Assert.Single(row.AdditionalMetrics).Key);
    }

    [Fact]
    public void Names_and_ids_read_the_same_when_they_are_escaped()
    {
        AnalyticsRow row = Json.ReadRow("""{"endpoint\u005fid":"my-org\/my-app","request\u005Fcount":5,"\u006eew":1}""");

        Assert.Equal("my-org/my-app", row.EndpointId);
        Assert.Equal(5, row.RequestCount);
        Assert.Equal("new", Assert.Single(row.AdditionalMetrics).Key);
    }

    [Fact]
    public void Ids_never_mix_however_many_and_however_alike_they_are()
    {
        string[] ids =
        [
            .. Enumerable.Range(0, 2000).Select(i => $"my-org/app-{i}"),
            "größe/1",
            "größe/2",
            "",
            new string('x', 128),
            new string('x', 129),
        ];

        for (int round = 0; round < 2; round++)
        {
            Assert.All(ids, id => Assert.Equal(id, Json.ReadRow($$"""{"endpoint_id":"{{id}}"}""").EndpointId));
        }
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"endpoint_id":null}""")]
    [InlineData("""{"endpoint_id":5}""")]
    public void A_row_without_a_readable_id_has_an_empty_one(string json) => Assert.Equal("", Json.ReadRow(json).EndpointId);

    [Theory]
    [InlineData("[]")]
    [InlineData("1")]
    [InlineData("\"a/b\"")]
    [InlineData("""{"endpoint_id":"a/b\ud800"}""")]
    [InlineData("""{"endpoint_id":"a/b","request_count":1""")]
    public void What_is_not_a_row_is_a_json_error(string json) => Assert.ThrowsAny<JsonException>(() => Json.ReadRow(json));

    [Theory]
    [InlineData("0", 0)]
    [InlineData("0.043", 430_000)]
    [InlineData("0.0000001", 1)]
    [InlineData("0.00000014", 1)]
    [InlineData("0.00000016", 2)]
    [InlineData("4.75", 47_500_000)]
    [InlineData("-0.043", -430_000)]
    [InlineData("1.005", 10_050_000)]
    [InlineData("86399.9999999", 863_999_999_999)]
    [InlineData("2600000000.25", 26_000_000_002_500_000)]
    [InlineData("922337203684.5", 9_223_372_036_845_000_000)]
    [InlineData("922337203685.9", long.MaxValue)]
    [InlineData("1e300", long.MaxValue)]
    [InlineData("-1e300", long.MinValue)]
    public void A_duration_is_shown_rounded_to_the_tick_and_given_exactly(string json, long ticks)
    {
        AnalyticsRow row = Json.ReadRow($$"""{"endpoint_id":"a/b","total_billable_duration":{{json}}}""");

        Assert.Equal(ticks, row.TotalBillableDuration!.Value.Ticks);
        Assert.Equal(double.Parse(json, CultureInfo.InvariantCulture), row.GetValue(AnalyticsExpand.TotalBillableDuration));
    }

    [Fact]
    public void A_duration_that_a_test_sets_is_the_duration_that_it_gets()
    {
        var random = new Random(20260301);
        for (int i = 0; i < 10_000; i++)
        {
            // Up to 2^53 ticks, 28 years, seconds as a double tell every tick apart.
            var duration = new TimeSpan(random.NextInt64(1L << random.Next(1, 53)));

            Assert.Equal(duration, new AnalyticsRow { EndpointId = "a/b", P50Duration = duration }.P50Duration);
        }
    }

    [Fact]
    public void Rates_are_shares_of_all_requests()
    {
        var row = new AnalyticsRow
        {
            EndpointId = "a/b",
            RequestCount = 200,
            SuccessCount = 190,
            UserErrorCount = 8,
            ErrorCount = 2,
            ColdBootCount = 50,
        };

        Assert.Equal((0.95, 0.04, 0.01, 0.25), (row.SuccessRate, row.UserErrorRate, row.ErrorRate, row.ColdBootRate));
    }

    [Theory]
    [InlineData("""{"request_count":0,"success_count":0,"user_error_count":0,"error_count":0,"cold_boot_count":0}""")]
    [InlineData("""{"request_count":-1,"success_count":1,"user_error_count":1,"error_count":1,"cold_boot_count":1}""")]
    [InlineData("""{"request_count":10}""")]
    [InlineData("""{"success_count":1,"user_error_count":1,"error_count":1,"cold_boot_count":1}""")]
    [InlineData("{}")]
    public void A_rate_that_cannot_be_known_is_null_and_never_a_nan(string json)
    {
        AnalyticsRow row = Json.ReadRow(json);

        Assert.Equal((null, null, null, null), (row.SuccessRate, row.UserErrorRate, row.ErrorRate, row.ColdBootRate));
    }

    [Theory]
    [InlineData("\"\\ud800\"", "\"\\ud800\"")]
    [InlineData(
        "{ \"a b\": [1, \"x \\\" \\\\\", \"\\udc00\"],\n \"\\ud800\": null }",
        "{\"a b\":[1,\"x \\\" \\\\\",\"\\udc00\"],\"\\ud800\":null}"
    )]
    public void A_new_field_that_holds_half_of_a_character_is_shown_and_written_as_it_came(string sent, string written)
    {
        AnalyticsRow row = Json.ReadRow($$"""{"endpoint_id":"a/b","note":{{sent}}}""");

        Assert.Equal($"a/b: note={sent}", row.ToString());
        Assert.Equal($$"""{"endpoint_id":"a/b","note":{{written}}}""", Json.Write(row));
        Assert.Equal(Json.Write(row), Json.Write(Json.ReadRow(Json.Write(row))));
    }

    [Fact]
    public void Additional_metrics_can_be_set_in_a_test_and_outlive_their_document()
    {
        Dictionary<string, JsonElement> metrics = [];
        AnalyticsRow row;
        using (JsonDocument document = JsonDocument.Parse("""{"brand_new":4.5}"""))
        {
            metrics["brand_new"] = document.RootElement.GetProperty("brand_new");
            row = new AnalyticsRow { EndpointId = "a/b", AdditionalMetrics = metrics };
        }

        metrics.Clear();

        Assert.Equal(4.5, row.AdditionalMetrics["brand_new"].GetDouble());
        Assert.Equal("""{"endpoint_id":"a/b","brand_new":4.5}""", Json.Write(row));
    }

    [Theory]
    [MemberData(nameof(CultureScope.Names), MemberType = typeof(CultureScope))]
    public void Numbers_are_read_and_written_the_same_way_in_every_culture(string culture)
    {
        using var scope = new CultureScope(culture);

        AnalyticsRow row = Json.ReadRow("""{"endpoint_id":"a/b","request_count":1234567,"p90_duration":-1.5e-3,"brand_new":0.25}""");

        Assert.Equal((1234567, -15_000), (row.RequestCount, row.P90Duration!.Value.Ticks));
        Assert.Equal("""{"endpoint_id":"a/b","request_count":1234567,"p90_duration":-0.0015,"brand_new":0.25}""", Json.Write(row));
        Assert.Equal("a/b: request_count=1234567, p90_duration=-0.0015, brand_new=0.25", row.ToString());
    }
}
