using System.IO.Pipelines;
using System.Text;
using Fal.Observability.Client.Prometheus;
using Xunit;

namespace Fal.Observability.Client.Tests.Prometheus;

public sealed class OpenMetricsFamiliesTests
{
    private static readonly PrometheusParserOptions Strict = new() { Format = PrometheusFormat.OpenMetrics };
    private static readonly PrometheusParserOptions Lenient = Strict with { SkipMalformedLines = true };

    [Fact]
    public void Every_type_is_read_with_its_suffixes()
    {
        PrometheusExposition exposition = PrometheusTextParser.ParseFamilies("""
            # TYPE c_seconds counter
            # UNIT c_seconds seconds
            # HELP c_seconds a \"counter\"\nof seconds
            c_seconds_total{x="1"} 5 100.5 # {trace_id="t"} 0.25 99.5
            c_seconds_created{x="1"} 10 100.5
            # TYPE g gauge
            g -1
            # TYPE h histogram
            h_bucket{le="0.5"} 1
            h_bucket{le="+Inf"} 2
            h_sum 3
            h_count 2
            h_created 1
            # TYPE gh gaugehistogram
            gh_bucket{le="-1.0"} 1
            gh_bucket{le="+Inf"} 2
            gh_gsum -3
            gh_gcount 2
            # TYPE s summary
            s{quantile="0.5"} 1
            s_sum 2
            s_count 3
            # TYPE i info
            i_info{version="1"} 1
            # TYPE ss stateset
            ss{ss="on"} 1
            ss{ss="off"} 0
            # TYPE u unknown
            u 1
            alone 2
            # EOF
            """, Strict);

        Assert.Equal(
            [
                ("c_seconds", PrometheusMetricType.Counter, 2),
                ("g", PrometheusMetricType.Gauge, 1),
                ("h", PrometheusMetricType.Histogram, 5),
                ("gh", PrometheusMetricType.GaugeHistogram, 4),
                ("s", PrometheusMetricType.Summary, 3),
                ("i", PrometheusMetricType.Info, 1),
                ("ss", PrometheusMetricType.StateSet, 2),
                ("u", PrometheusMetricType.Unknown, 1),
                ("alone", PrometheusMetricType.Unknown, 1),
            ],
            exposition.Families.Select(family => (family.Name, family.Type, family.Samples.Count))
        );
        MetricFamily counter = exposition["c_seconds"]!;
        Assert.Equal(("seconds", "a \"counter\"\nof seconds"), (counter.Unit, counter.Help));
        Assert.Equal(100500, counter.Samples[0].TimestampMilliseconds);
        Assert.Equal(new PrometheusExemplar([new("trace_id", "t")], 0.25, 99500), counter.Samples[0].Exemplar);
        Assert.Null(counter.Samples[1].Exemplar);
        Assert.Equal(
            (3.0, 2.0, 1.0),
            (
                exposition["h"]!.GetHistograms()[0].Sum,
                exposition["h"]!.GetHistograms()[0].Count,
                exposition["h"]!.GetHistograms()[0].CreatedSeconds
            )
        );
        Assert.Equal(-3, exposition["gh"]!.GetHistograms()[0].Sum);
    }

    [Theory]
    [InlineData("# TYPE a counter\na_total -1\n", 2, "negative")]
    [InlineData("# TYPE a counter\na_total NaN\n", 2, "NaN")]
    [InlineData("# TYPE a info\na_info 2\n", 2, "value of an info sample must be 1")]
    [InlineData("# TYPE a stateset\na{a=\"x\"} 2\n", 2, "0 or 1")]
    [InlineData("# TYPE a stateset\na{b=\"x\"} 1\n", 2, "label with the name of its family")]
    [InlineData("# TYPE a summary\na 1\n", 2, "quantile")]
    [InlineData("# TYPE a summary\na{quantile=\"2\"} 1\n", 2, "quantile")]
    [InlineData("# TYPE a summary\na{quantile=\"0.5\"} -1\n", 2, "negative")]
    [InlineData("# TYPE a summary\na_count 0.5\n", 2, "integer")]
    [InlineData("# TYPE a histogram\na_bucket{le=\"inf\"} 1\n", 2, "+Inf")]
    [InlineData("# TYPE a histogram\na_bucket 1\n", 2, "label le")]
    [InlineData("# TYPE a histogram\na_bucket{le=\"+Inf\"} 0.5\n", 2, "integer")]
    [InlineData("# TYPE a gauge\na 1 # {b=\"c\"} 1\n", 2, "exemplars")]
    [InlineData("# TYPE a gauge\n# TYPE a gauge\n", 2, "duplicate HELP, TYPE or UNIT line")]
    [InlineData("# HELP a b\n# HELP a b\n", 2, "duplicate HELP, TYPE or UNIT line")]
    [InlineData("# TYPE a gauge\na 1\n# HELP a b\n", 3, "must precede the samples")]
    [InlineData("# TYPE a_s info\n# UNIT a_s s\n", 2, "must not have a unit")]
    [InlineData("# UNIT a_s s\n# TYPE a_s stateset\n", 2, "must not have a unit")]
    [InlineData("# TYPE a gauge\na{b=\"1\"} 1\na{b=\"2\"} 1\na{b=\"1\"} 1\n", 4, "must be consecutive")]
    [InlineData("# TYPE a gauge\na 1 2\na 1 1\n", 3, "must not decrease")]
    [InlineData("# TYPE a gauge\na 1 2\na 1\n", 3, "must have timestamps or none")]
    [InlineData("# TYPE a gauge\na 1\na 2\n", 3, "duplicate sample of a series")]
    public void A_line_that_breaks_a_rule_is_refused_or_reported_and_costs_no_sample(string text, long line, string reason)
    {
        PrometheusFormatException exception = Assert.Throws<PrometheusFormatException>(() =>
            PrometheusTextParser.ParseFamilies(text + "# EOF\n", Strict)
        );
        Assert.Equal(line, exception.Line);
        Assert.Contains(reason, exception.Reason, StringComparison.Ordinal);

        PrometheusExposition exposition = PrometheusTextParser.ParseFamilies(text + "# EOF\n", Lenient);
        bool isSample = text.Split('\n')[line - 1][0] != '#';
        Assert.Contains(
            exposition.SkippedLines,
            skipped => skipped.Line == line && skipped.Reason == exception.Reason && skipped.WasKept == isSample
        );
        Assert.Equal(
            PrometheusTextParser.ParseSamples(text + "# EOF\n", Lenient),
            exposition.Families.SelectMany(family => family.Samples)
        );
    }

    [Fact]
    public void A_carriage_return_does_not_end_a_family()
    {
        PrometheusExposition exposition = PrometheusTextParser.ParseFamilies(
            "# TYPE a counter\na_total{b=\"1\"} 1\na_total{b=\"2\"} 2\r\na_total{b=\"3\"} 3\n# EOF\n",
            Lenient
        );

        MetricFamily family = Assert.Single(exposition.Families);
        Assert.Equal((PrometheusMetricType.Counter, 3), (family.Type, family.Samples.Count));
        Assert.Contains("carriage return", Assert.Single(exposition.SkippedLines).Reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("# TYPE a histogram\na_bucket{le=\"1\"} 1\n", "le=\"+Inf\"")]
    [InlineData("# TYPE a histogram\na_bucket{le=\"2\"} 1\na_bucket{le=\"1\"} 1\na_bucket{le=\"+Inf\"} 1\n", "ascending")]
    [InlineData("# TYPE a histogram\na_bucket{le=\"1\"} 2\na_bucket{le=\"+Inf\"} 1\n", "counts decrease")]
    [InlineData("# TYPE a histogram\na_bucket{le=\"+Inf\"} 1\na_sum 1\na_count 2\n", "count of the histogram differs")]
    [InlineData("# TYPE a histogram\na_bucket{le=\"+Inf\"} 1\na_sum 1\n", "no count")]
    [InlineData("# TYPE a histogram\na_bucket{le=\"+Inf\"} 1\na_count 1\n", "no sum")]
    [InlineData("# TYPE a histogram\na_bucket{le=\"-1\"} 1\na_bucket{le=\"+Inf\"} 1\na_sum 1\na_count 1\n", "negative buckets")]
    [InlineData("# TYPE a gaugehistogram\na_bucket{le=\"+Inf\"} 1\na_gsum -1\na_gcount 1\n", "negative sum")]
    [InlineData("# TYPE a counter\n# TYPE a_total gauge\n", "a_total")]
    [InlineData("a 1\nb 1\na 2\n", "another family already uses the name a")]
    public void A_family_that_breaks_a_rule_as_a_whole_is_refused_or_kept_and_reported(string text, string reason)
    {
        PrometheusFormatException exception = Assert.Throws<PrometheusFormatException>(() =>
            PrometheusTextParser.ParseFamilies(text + "# EOF\n", Strict)
        );
        Assert.Contains(reason, exception.Reason, StringComparison.Ordinal);

        PrometheusExposition exposition = PrometheusTextParser.ParseFamilies(text + "# EOF\n", Lenient);
        Assert.Contains(exposition.SkippedLines, skipped => skipped.Reason == exception.Reason && skipped.WasKept);
        Assert.Equal(0, exposition.SkippedLineCount);
        Assert.Equal(
            text.Split('\n').Count(line => line.Length > 0 && line[0] != '#'),
            exposition.Families.Sum(family => family.Samples.Count)
        );
    }

    [Fact]
    public void Samples_that_differ_by_less_than_a_nanosecond_are_one()
    {
        PrometheusExposition exposition = PrometheusTextParser.ParseFamilies(
            "# TYPE a gauge\na 1 0.0000000001\na 2 0.0000000002\na 3 0.000000001\n# EOF\n", Strict);

        Assert.Equal([1.0, 3.0], exposition["a"]!.Samples.Select(sample => sample.Value));
    }

    [Theory]
    [InlineData("# TYPE a gauge\na 1 5\na 2 5\na 3 6\n", 2)]
    [InlineData("# TYPE a gauge\na{b=\"1\",c=\"2\"} 1 5\na{c=\"2\",b=\"1\"} 2 5\n", 1)]
    [InlineData("# TYPE a counter\na_total 1 5\na_created 1 5\na_total 2 5\n", 3)]
    [InlineData("# TYPE a gauge\na 1 5\n# TYPE b gauge\nb 1 5\nb 1 6\nb 1 6\n", 3)]
    public void A_sample_that_repeats_the_one_before_it_is_left_out_of_samples_and_families(string text, int samples)
    {
        foreach (PrometheusParserOptions options in (PrometheusParserOptions[])[Strict, Lenient])
        {
            PrometheusSamples read = PrometheusTextParser.ParseSamples(text + "# EOF\n", options);

            Assert.Equal(samples, read.Count);
            Assert.Equal(read, PrometheusTextParser.ParseFamilies(text + "# EOF\n", options).Families.SelectMany(family => family.Samples));
        }
    }

    [Fact]
    public void An_exposition_that_was_cut_off_is_refused_or_reported()
    {
        Assert.Contains(
            "truncated",
            Assert.Throws<PrometheusFormatException>(() => PrometheusTextParser.ParseFamilies("# TYPE a gauge\na 1\n", Strict)).Reason,
            StringComparison.Ordinal
        );

        PrometheusExposition exposition = PrometheusTextParser.ParseFamilies("# TYPE a gauge\na 1\n", Lenient);
        Assert.Single(exposition["a"]!.Samples);
        Assert.True(Assert.Single(exposition.SkippedLines).WasKept);
    }

    [Theory]
    [InlineData("a{b=\"c\"} 101")]
    [InlineData("a 1")]
    [InlineData("a 1 152087960")]
    [InlineData("a_total 1 # {id=\"x\"} 0.5 15208")]
    [InlineData("a_total 1 # {id=\"x")]
    [InlineData("# HELP a hel")]
    public async Task The_last_line_of_a_body_that_was_cut_within_it_says_nothing(string last)
    {
        const string whole = "before 1\n";
        byte[] input = Encoding.UTF8.GetBytes(whole + last);

        foreach (
            PrometheusSamples samples in (PrometheusSamples[])
                [
                    PrometheusTextParser.ParseSamples(input, Lenient),
                    await PrometheusTextParser.ParseSamplesAsync(PipeReader.Create(PrometheusTextParserTests.Cut(input, 3)), Lenient),
                ]
        )
        {
            Assert.Equal("before", Assert.Single(samples).Name);
            Assert.Equal(1, samples.SkippedLineCount);
            Assert.Equal([(2L, false, last), (3L, true, "")], samples.SkippedLines.Select(line => (line.Line, line.WasKept, line.Text)));
            Assert.Contains("truncated", samples.SkippedLines[0].Reason, StringComparison.Ordinal);
        }

        Assert.Equal("before", Assert.Single(PrometheusTextParser.ParseFamilies(input, Lenient).Families).Name);
        Assert.Contains(
            "truncated",
            Assert.Throws<PrometheusFormatException>(() => PrometheusTextParser.ParseSamples(input, Strict)).Reason,
            StringComparison.Ordinal
        );
        // The line that ends an exposition needs no line feed.
        Assert.Equal(0, PrometheusTextParser.ParseSamples(whole + "# EOF", Lenient).SkippedLineCount);
    }

    [Theory]
    [InlineData(128, true)]
    [InlineData(129, false)]
    public void The_labels_of_an_exemplar_have_at_most_128_characters(int length, bool isAccepted)
    {
        string text = $"# TYPE a counter\na_total 1 # {{e=\"\\n{new string('ü', length - 2)}\"}} 1\n# EOF\n";

        Assert.Equal(isAccepted, PrometheusTextParser.ParseFamilies(text, Lenient)["a"]!.Samples[0].Exemplar is not null);
        Assert.Equal(isAccepted, PrometheusTextParser.ParseSamples(text, Lenient)[0].Exemplar is not null);
    }

    [Theory]
    [InlineData("# {e=\"123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789\"} 1", "128 characters")]
    [InlineData("# {e=\"x\"} 1e400", "fits into a double")]
    [InlineData("# {e=\"x\"}", "expected # {labels} value")]
    [InlineData("# {e=\"x\",e=\"y\"} 1", "duplicate label name")]
    [InlineData("# {e=\"x} 1", "closing quote is missing")]
    [InlineData("# {e=\"x\"} 1 x", "timestamp")]
    [InlineData("# {e=\"x\"} 1 1 1", "after the end of the sample")]
    [InlineData("# comment", "expected # {labels} value")]
    public void An_exemplar_that_cannot_be_read_costs_itself_and_not_its_sample(string exemplar, string reason)
    {
        string text =
            $"# TYPE a counter\na_total 1 {exemplar}\na_total{{b=\"c\"}} 2 5 {exemplar}\na_total{{b=\"d\"}} 3 # {{e=\"f\"}} 1\n# EOF\n";

        PrometheusExposition exposition = PrometheusTextParser.ParseFamilies(text, Lenient);
        PrometheusSamples samples = PrometheusTextParser.ParseSamples(text, Lenient);

        Assert.Equal(samples, Assert.Single(exposition.Families).Samples);
        Assert.Equal(
            [(1.0, null, false), (2.0, 5000L, false), (3.0, null, true)],
            samples.Select(sample => (sample.Value, sample.TimestampMilliseconds, sample.Exemplar is not null))
        );
        Assert.Equal([(2L, true), (3L, true)], samples.SkippedLines.Select(line => (line.Line, line.WasKept)));
        Assert.Equal(samples.SkippedLines, exposition.SkippedLines);
        Assert.Equal(0, samples.SkippedLineCount);

        PrometheusFormatException refused = Assert.Throws<PrometheusFormatException>(() => PrometheusTextParser.ParseSamples(text, Strict));
        Assert.Equal((2L, samples.SkippedLines[0].Reason), (refused.Line, refused.Reason));
        Assert.Contains("exemplar", refused.Reason, StringComparison.Ordinal);
        Assert.Contains(reason, refused.Reason, StringComparison.Ordinal);
    }
}
