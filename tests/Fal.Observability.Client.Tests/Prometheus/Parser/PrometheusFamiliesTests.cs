using Fal.Observability.Client.Prometheus;
using Xunit;

namespace Fal.Observability.Client.Tests.Prometheus;

public sealed class PrometheusFamiliesTests
{
    private static readonly PrometheusParserOptions Lenient = PrometheusParserOptions.Lenient;

    [Fact]
    public void A_family_has_what_its_lines_say()
    {
        PrometheusExposition exposition = PrometheusTextParser.ParseFamilies("""
            # HELP a first line\nsecond \\ line
            # TYPE a counter
            a{b="c"} 1
            a{b="d"} 2
            b 3
            """);

        Assert.Equal(["a", "b"], exposition.Families.Select(family => family.Name));
        MetricFamily a = exposition["a"]!;
        Assert.Equal((PrometheusMetricType.Counter, "first line\nsecond \\ line", null, 2), (a.Type, a.Help, a.Unit, a.Samples.Count));
        Assert.True(exposition.TryGetFamily("b", out MetricFamily? b));
        Assert.Equal((PrometheusMetricType.Unknown, null, 3.0), (b.Type, b.Help, Assert.Single(b.Samples).Value));
        Assert.Null(exposition["c"]);
        Assert.False(exposition.TryGetFamily("c", out _));
    }

    [Theory]
    [InlineData("histogram", new[] { "h" })]
    [InlineData("gaugehistogram", new[] { "h" })]
    [InlineData("summary", new[] { "h", "h_bucket" })]
    [InlineData("gauge", new[] { "h", "h_bucket", "h_sum", "h_count" })]
    [InlineData("untyped", new[] { "h", "h_bucket", "h_sum", "h_count" })]
    public void Suffixes_fold_into_a_family_only_if_its_type_says_so(string type, string[] families)
    {
        PrometheusExposition exposition = PrometheusTextParser.ParseFamilies(
            $"# TYPE h {type}\nh_bucket{{le=\"+Inf\"}} 1\nh_sum 2\nh_count 1\n"
        );

        Assert.Equal(families, exposition.Families.Select(family => family.Name));
        Assert.Equal(3, exposition.Families.Sum(family => family.Samples.Count));
    }

    [Fact]
    public void A_family_of_its_own_comes_before_a_suffix()
    {
        PrometheusExposition exposition = PrometheusTextParser.ParseFamilies(
            "# TYPE h histogram\nh_bucket{le=\"+Inf\"} 1\nh_count 1\n# TYPE h_count gauge\nh_count 5\n");

        Assert.Equal(2, exposition["h"]!.Samples.Count);
        Assert.Equal(5, Assert.Single(exposition["h_count"]!.Samples).Value);
    }

    [Fact]
    public void A_gauge_with_buckets_stays_a_gauge_and_still_has_histograms()
    {
        MetricFamily latency = PrometheusTextParser.ParseFamilies("""
            # TYPE fal_app_request_latency gauge
            fal_app_request_latency{application="my/app",le="1.0"} 5
            fal_app_request_latency{application="my/app",le="+Inf"} 24
            """)["fal_app_request_latency"]!;

        Assert.Equal(PrometheusMetricType.Gauge, latency.Type);
        Assert.Equal(["1.0", "+Inf"], latency.Samples.Select(sample => sample.Labels["le"]));
        PrometheusHistogram histogram = Assert.Single(latency.GetHistograms());
        Assert.Equal(LabelSet.Create([new("application", "my/app")]), histogram.Labels);
        Assert.Equal([new(1, 5), new(double.PositiveInfinity, 24)], histogram.Buckets);
    }

    [Fact]
    public void A_sample_of_another_name_than_the_TYPE_line_before_it_is_a_family_of_its_own()
    {
        PrometheusExposition exposition = PrometheusTextParser.ParseFamilies("""
            # HELP fal_app_queue_size Current size of the fal app queue
            # TYPE fal_app_queue_size gauge
            fal_requests_total{application="my/app"} 10
            """);

        Assert.Equal(
            (PrometheusMetricType.Gauge, 0),
            (exposition["fal_app_queue_size"]!.Type, exposition["fal_app_queue_size"]!.Samples.Count)
        );
        Assert.Equal(
            (PrometheusMetricType.Unknown, 1),
            (exposition["fal_requests_total"]!.Type, exposition["fal_requests_total"]!.Samples.Count)
        );
    }

    [Fact]
    public void Families_that_interleave_line_by_line_keep_every_sample_in_order()
    {
        const int Lines = 60_000;
        PrometheusExposition exposition = PrometheusTextParser.ParseFamilies(
            string.Concat(Enumerable.Range(0, Lines).Select(i => $"m{i % 3} {i}\n"))
        );
        Assert.Equal(["m0", "m1", "m2"], exposition.Families.Select(family => family.Name));
        Assert.Equal(
            Enumerable.Range(0, Lines).Where(i => i % 3 == 1).Select(i => (double)i),
            exposition["m1"]!.Samples.Select(sample => sample.Value)
        );
    }

    [Fact]
    public void Interleaved_families_are_put_together()
    {
        PrometheusExposition exposition = PrometheusTextParser.ParseFamilies("# TYPE a gauge\na 1\nb 2\na 3\nb 4\n# HELP a late\na 5\n");

        Assert.Equal(["a", "b"], exposition.Families.Select(family => family.Name));
        Assert.Equal([1.0, 3.0, 5.0], exposition["a"]!.Samples.Select(sample => sample.Value));
        Assert.Equal([2.0, 4.0], exposition["b"]!.Samples.Select(sample => sample.Value));
        Assert.Equal("late", exposition["a"]!.Help);
    }

    [Theory]
    [InlineData("# TYPE a gauge\n# TYPE a counter\na 1\n", 2, "duplicate TYPE", PrometheusMetricType.Gauge)]
    [InlineData("# TYPE a gauge\n# TYPE a gauge\na 1\n", 2, "duplicate TYPE", PrometheusMetricType.Gauge)]
    [InlineData("a 1\n# TYPE a gauge\n", 2, "must precede", PrometheusMetricType.Unknown)]
    [InlineData("# HELP a x\n# HELP a y\na 1\n", 2, "duplicate HELP", PrometheusMetricType.Unknown)]
    [InlineData("# HELP a\n# HELP a x\n# HELP a x\na 1\n", 3, "duplicate HELP", PrometheusMetricType.Unknown)]
    public void Metadata_that_contradicts_is_refused_or_skipped(string text, long line, string reason, PrometheusMetricType type)
    {
        PrometheusFormatException exception = Assert.Throws<PrometheusFormatException>(() => PrometheusTextParser.ParseFamilies(text));
        Assert.Equal(line, exception.Line);
        Assert.Contains(reason, exception.Reason, StringComparison.Ordinal);

        PrometheusExposition exposition = PrometheusTextParser.ParseFamilies(text, Lenient);
        Assert.Equal((line, exception.Reason), (exposition.SkippedLines[0].Line, exposition.SkippedLines[0].Reason));
        Assert.Equal(1, exposition.SkippedLineCount);
        Assert.Equal((type, 1), (exposition["a"]!.Type, exposition["a"]!.Samples.Count));
        Assert.True(exposition["a"]!.Help is null or "x");

        // The sample level knows no families.
        Assert.Single(PrometheusTextParser.ParseSamples(text));
    }

    [Theory]
    [InlineData("# HELP a\n# HELP a x\na 1\n", "x")]
    [InlineData("# HELP a \t\n# HELP a x\na 1\n", "x")]
    [InlineData("# HELP a x\n# HELP a\na 1\n", "x")]
    [InlineData("# HELP a\n# HELP a\na 1\n", "")]
    public void A_help_line_without_text_says_nothing_as_in_the_library_of_Prometheus(string text, string help) =>
        Assert.Equal(help, PrometheusTextParser.ParseFamilies(text)["a"]!.Help);

    [Fact]
    public void Families_can_be_made_in_a_test()
    {
        var family = new MetricFamily("a", PrometheusMetricType.Gauge, [new PrometheusSample("a", [new("b", "c")], 1)], "help");
        var exposition = new PrometheusExposition([family], [new PrometheusSkippedLine(1, 2, 3, "reason", "text")], 1);

        Assert.Same(family, exposition["a"]);
        Assert.Equal(1, exposition.SkippedLineCount);
        Assert.Throws<ArgumentException>(() => new MetricFamily("", PrometheusMetricType.Gauge, []));
    }

    [Fact]
    public void A_summary_shows_its_quantiles()
    {
        MetricFamily family = PrometheusTextParser.ParseFamilies("""
            # TYPE s summary
            s{x="1",quantile="0.5"} 2
            s{x="1",quantile="0.9"} NaN
            s_sum{x="1"} 10
            s_count{x="1"} 4
            s{x="2",quantile="0.5"} 3
            """)["s"]!;

        IReadOnlyList<PrometheusSummary> summaries = family.GetSummaries();
        Assert.Equal(2, summaries.Count);
        Assert.Equal([new(0.5, 2.0), new(0.9, double.NaN)], summaries[0].Quantiles);
        Assert.Equal((10.0, 4.0, "1"), (summaries[0].Sum, summaries[0].Count, summaries[0].Labels["x"]));
        Assert.Null(summaries[1].Sum);
        Assert.Empty(new MetricFamily("s", PrometheusMetricType.Gauge, family.Samples).GetSummaries());
    }

    [Fact]
    public void A_family_list_knows_its_bounds()
    {
        PrometheusExposition exposition = PrometheusTextParser.ParseFamilies("a 1\na 2\nb 3\n# TYPE c gauge\n");
        IReadOnlyList<PrometheusSample> samples = exposition["a"]!.Samples;

        Assert.Equal([1.0, 2.0], samples.Select(sample => sample.Value));
        Assert.Equal(2, samples[1].Value);
        Assert.Throws<ArgumentOutOfRangeException>(() => samples[2]);
        Assert.Throws<ArgumentOutOfRangeException>(() => samples[-1]);
        Assert.Equal(3, Assert.Single(exposition["b"]!.Samples).Value);
        Assert.Empty(exposition["c"]!.Samples);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(1_023)]
    [InlineData(1_024)]
    [InlineData(1_025)]
    [InlineData(5_000)]
    public void No_sample_is_lost_between_the_parts_that_hold_them(int count)
    {
        string text = string.Concat(
            Enumerable.Range(0, count).Select(i => $"{(i % 700 < 350 ? "a" : "b")}{{i=\"{i}\",j=\"{i % 3}\"}} {i}\n")
        );

        PrometheusSamples samples = PrometheusTextParser.ParseSamples(text);
        PrometheusExposition families = PrometheusTextParser.ParseFamilies(text);

        Assert.Equal(
            Enumerable.Range(0, count).Select(i => $"{(i % 700 < 350 ? "a" : "b")}{{i=\"{i}\",j=\"{i % 3}\"}} {i}"),
            samples.Select(sample => sample.ToString())
        );
        Assert.Equal(samples.Where(sample => sample.Name == "a"), families["a"]!.Samples);
        Assert.Equal(samples.Where(sample => sample.Name == "b"), families["b"]?.Samples ?? []);
    }

    [Fact]
    public void Families_in_pieces_are_lists_as_any_other()
    {
        string text = string.Concat(Enumerable.Range(0, 100).Select(i => $"{(char)('a' + i * i % 7 % 3)} {i}\n"));

        foreach (MetricFamily family in PrometheusTextParser.ParseFamilies(text).Families)
        {
            double[] expected = [.. Enumerable.Range(0, 100).Where(i => family.Name[0] == 'a' + i * i % 7 % 3).Select(i => (double)i)];
            Assert.Equal(expected, family.Samples.Select(sample => sample.Value));
            Assert.Equal(expected, Enumerable.Range(0, family.Samples.Count).Select(i => family.Samples[i].Value));
            Assert.Throws<ArgumentOutOfRangeException>(() => family.Samples[expected.Length]);
            Assert.Throws<ArgumentOutOfRangeException>(() => family.Samples[-1]);
        }
    }

    [Fact]
    public void An_exposition_of_no_family_is_refused_where_it_is_made()
    {
        ArgumentException refused = Assert.Throws<ArgumentException>(() => new PrometheusExposition([null!]));
        Assert.Equal("families", refused.ParamName);
    }
}
