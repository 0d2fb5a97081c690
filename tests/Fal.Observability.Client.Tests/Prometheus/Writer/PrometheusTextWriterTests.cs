using System.Buffers;
using System.Text;
using Fal.Observability.Client.Prometheus;
using Xunit;

namespace Fal.Observability.Client.Tests.Prometheus;

public sealed class PrometheusTextWriterTests
{
    private static readonly PrometheusParserOptions OpenMetrics = new() { Format = PrometheusFormat.OpenMetrics };

    [Fact]
    public void What_the_service_sends_comes_back_byte_for_byte()
    {
        const string text = """
            # HELP fal_app_runners Number of fal app runners
            # TYPE fal_app_runners gauge
            fal_app_runners{application="my/app",machine_type="GPU-H100",state="running"} 21
            fal_app_runners{application="my/app",machine_type="GPU-H100",state="idle"} 0
            # HELP fal_app_request_latency Request latency
            # TYPE fal_app_request_latency gauge
            fal_app_request_latency{application="my/app",le="1.0"} 5
            fal_app_request_latency{application="my/app",le="+Inf"} 24 1395066363000
            # TYPE up untyped
            up 1

            """;

        Assert.Equal(text, PrometheusTextWriter.ToText(PrometheusTextParser.ParseFamilies(text)));
    }

    [Fact]
    public void OpenMetrics_comes_back_byte_for_byte()
    {
        const string text = """
            # TYPE a_seconds histogram
            # UNIT a_seconds seconds
            # HELP a_seconds with \"quotes\", \\ and\nlines
            a_seconds_bucket{le="0.5"} 1 1520879607.789 # {trace_id="x \"y\""} 0.25 1520879607
            a_seconds_bucket{le="+Inf"} 2 1520879607.789
            a_seconds_count 2 1520879607.789
            a_seconds_sum 1.5 1520879607.789
            # TYPE b counter
            b_total{"näme"="välue"} 17 -0.005
            b_created{"näme"="välue"} 1520872607.123 -0.005
            # TYPE c stateset
            c{c="on"} 1
            c{c="off"} 0
            # TYPE d info
            d_info{version="1"} 1
            # TYPE "e.f" unknown
            {"e.f"} NaN
            {"e.f",g="h"} -Inf
            # EOF

            """;

        Assert.Equal(
            text,
            PrometheusTextWriter.ToText(PrometheusTextParser.ParseFamilies(text, OpenMetrics), PrometheusFormat.OpenMetrics)
        );
    }

    [Theory]
    [InlineData(PrometheusFormat.Text)]
    [InlineData(PrometheusFormat.OpenMetrics)]
    public void Whatever_can_be_written_reads_back_equal(PrometheusFormat format)
    {
        var random = new Random(17);
        var options = new PrometheusParserOptions { Format = format };
        for (int round = 0; round < 1000; round++)
        {
            PrometheusExposition exposition = Make(random, format);

            byte[] written = PrometheusTextWriter.ToUtf8(exposition, format);

            PrometheusExposition read = PrometheusTextParser.ParseFamilies(written, options);
            Assert.True(Describe(exposition).SequenceEqual(Describe(read)), Encoding.UTF8.GetString(written));
            Assert.Equal(
                exposition.Families.SelectMany(family => family.Samples).Select(sample => BitConverter.DoubleToInt64Bits(sample.Value)),
                read.Families.SelectMany(family => family.Samples).Select(sample => BitConverter.DoubleToInt64Bits(sample.Value)));
        }
    }

    [Theory]
    [MemberData(nameof(CultureScope.Names), MemberType = typeof(CultureScope))]
    public void No_culture_changes_a_byte(string culture)
    {
        MetricFamily[] families =
        [
            new("a_İ", PrometheusMetricType.Gauge, [new("a_İ", [new("b", "-1,5")], -1.5e-7, -1_500), new("a_İ", default, -1234567)]),
        ];
        using var scope = new CultureScope(culture);

        Assert.Equal(
            "# TYPE \"a_İ\" gauge\n{\"a_İ\",b=\"-1,5\"} -1.5E-07 -1500\n{\"a_İ\"} -1234567\n",
            PrometheusTextWriter.ToText(new PrometheusExposition(families)));
        Assert.Equal(
            "# TYPE \"a_İ\" gauge\n{\"a_İ\",b=\"-1,5\"} -1.5E-07 -1.500\n{\"a_İ\"} -1234567\n# EOF\n",
            PrometheusTextWriter.ToText(new PrometheusExposition(families), PrometheusFormat.OpenMetrics));
    }

    [Fact]
    public void The_text_format_gets_what_only_OpenMetrics_knows_under_the_same_sample_names()
    {
        PrometheusExposition read = PrometheusTextParser.ParseFamilies("""
            # TYPE a counter
            # HELP a help
            a_total 1 # {b="c"} 1
            a_created 5
            # TYPE b_seconds gaugehistogram
            # UNIT b_seconds seconds
            b_seconds_bucket{le="+Inf"} 2
            b_seconds_gcount 2
            b_seconds_gsum 3
            # TYPE c info
            c_info{d="e"} 1
            # TYPE f stateset
            f{f="g"} 1
            # EOF
            """, OpenMetrics);

        Assert.Equal("""
            # HELP a_total help
            # TYPE a_total counter
            a_total 1
            # TYPE a_created gauge
            a_created 5
            # TYPE b_seconds histogram
            b_seconds_bucket{le="+Inf"} 2
            # TYPE b_seconds_gcount gauge
            b_seconds_gcount 2
            # TYPE b_seconds_gsum gauge
            b_seconds_gsum 3
            # TYPE c_info gauge
            c_info{d="e"} 1
            # TYPE f gauge
            f{f="g"} 1

            """, PrometheusTextWriter.ToText(read));
    }

    [Fact]
    public void OpenMetrics_gets_the_text_format_s_families_with_every_sample_name_kept()
    {
        PrometheusExposition read = PrometheusTextParser.ParseFamilies("""
            # TYPE a_total counter
            a_total{x="1"} 1
            # TYPE b counter
            b 2
            # TYPE c histogram
            c_bucket{x="1",le="+Inf"} 1
            c_bucket{x="2",le="+Inf"} 1
            c_count{x="1"} 1
            c_count{x="2"} 1
            c_sum{x="1"} 1
            c_sum{x="2"} 1
            # TYPE d gauge
            d 1
            # TYPE d_total counter
            d_total 1
            # TYPE e summary
            e{quantile="0.5"} 1
            e_count 1
            # TYPE f gaugehistogram
            f_bucket{le="+Inf"} 1
            f_count 1
            """);

        string written = PrometheusTextWriter.ToText(read, PrometheusFormat.OpenMetrics);

        Assert.Equal("""
            # TYPE a counter
            a_total{x="1"} 1
            # TYPE b unknown
            b 2
            # TYPE c histogram
            c_bucket{x="1",le="+Inf"} 1
            c_count{x="1"} 1
            c_sum{x="1"} 1
            c_bucket{x="2",le="+Inf"} 1
            c_count{x="2"} 1
            c_sum{x="2"} 1
            # TYPE d gauge
            d 1
            # TYPE d_total unknown
            d_total 1
            # TYPE e summary
            e{quantile="0.5"} 1
            e_count 1
            # TYPE f_bucket unknown
            f_bucket{le="+Inf"} 1
            # TYPE f_count unknown
            f_count 1
            # EOF

            """, written);
        Assert.Equal(14, PrometheusTextParser.ParseFamilies(written).Families.Sum(family => family.Samples.Count));
    }

    [Fact]
    public void A_sample_that_is_not_of_its_family_is_refused_before_anything_is_written()
    {
        var output = new ArrayBufferWriter<byte>();
        var exposition = new PrometheusExposition(
        [
            new MetricFamily("a", PrometheusMetricType.Gauge, [new PrometheusSample("a", default, 1)]),
            new MetricFamily("b", PrometheusMetricType.Gauge, [new PrometheusSample("b_bucket", default, 1)]),
        ]);

        ArgumentException refusal = Assert.Throws<ArgumentException>(() => PrometheusTextWriter.Write(output, exposition));

        Assert.Contains("'b_bucket' does not belong to the metric family 'b' of type Gauge", refusal.Message, StringComparison.Ordinal);
        Assert.Equal(0, output.WrittenCount);
        Assert.Throws<ArgumentException>(() => PrometheusTextWriter.Write(output, exposition, PrometheusFormat.OpenMetrics));
        Assert.Throws<ArgumentException>(() =>
            PrometheusTextWriter.Write(output, new PrometheusExposition([new("a", PrometheusMetricType.Gauge, [default])]))
        );
    }

    [Fact]
    public void What_no_format_can_carry_is_refused()
    {
        var twice = new PrometheusExposition([new("a", PrometheusMetricType.Gauge, []), new("a", PrometheusMetricType.Gauge, [])]);
        var halfPair = new PrometheusExposition([new("a", PrometheusMetricType.Gauge, [new("a", [new("b", "\uD800")], 1)])]);
        var exemplar = new PrometheusExposition([
            new("a", PrometheusMetricType.Gauge, [new("a", default, 1, null, new PrometheusExemplar(default, 1))]),
        ]);
        var unit = new PrometheusExposition([new("a", PrometheusMetricType.Gauge, [], unit: "seconds")]);

        Assert.Contains(
            "Duplicate metric family 'a'",
            Assert.Throws<ArgumentException>(() => PrometheusTextWriter.ToText(twice)).Message,
            StringComparison.Ordinal
        );
        Assert.Contains(
            "surrogate",
            Assert.Throws<ArgumentException>(() => PrometheusTextWriter.ToText(halfPair)).Message,
            StringComparison.Ordinal
        );
        Assert.Contains(
            "exemplar",
            Assert.Throws<ArgumentException>(() => PrometheusTextWriter.ToText(exemplar, PrometheusFormat.OpenMetrics)).Message,
            StringComparison.Ordinal
        );
        Assert.Contains(
            "'seconds'",
            Assert.Throws<ArgumentException>(() => PrometheusTextWriter.ToText(unit, PrometheusFormat.OpenMetrics)).Message,
            StringComparison.Ordinal
        );
        Assert.Throws<ArgumentException>(() => PrometheusTextWriter.Write(new ArrayBufferWriter<byte>(), new PrometheusSample[1]));
        Assert.Throws<ArgumentOutOfRangeException>(() => PrometheusTextWriter.GetContentType((PrometheusFormat)9));
        Assert.Throws<ArgumentOutOfRangeException>(() => new MetricFamily("a", (PrometheusMetricType)99, []));
        Assert.Throws<ArgumentException>(() => PrometheusExposition.Merge(twice, null!));
    }

    [Fact]
    public void A_histogram_keeps_its_sum_though_a_gauge_bears_the_same_name()
    {
        PrometheusExposition gauge = PrometheusTextParser.ParseFamilies("# TYPE a_sum gauge\na_sum{x=\"q\"} 2\n");
        PrometheusExposition histogram = PrometheusTextParser.ParseFamilies(
            "# TYPE a histogram\na_bucket{le=\"+Inf\"} 1\na_sum 1\na_count 1\n"
        );
        PrometheusExposition both = PrometheusExposition.Merge(gauge, histogram);

        PrometheusExposition read = PrometheusTextParser.ParseFamilies(PrometheusTextWriter.ToText(both));

        Assert.Equal(1, Assert.Single(read["a"]!.GetHistograms()).Sum);
        Assert.Equal(2, Assert.Single(read["a_sum"]!.Samples).Value);
        Assert.Contains(
            "'a_sum'",
            Assert.Throws<ArgumentException>(() => PrometheusTextWriter.ToText(both, PrometheusFormat.OpenMetrics)).Message,
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData("# TYPE a counter\n# TYPE a_total gauge\na_total 1\n", 1)]
    [InlineData("# TYPE a summary\n# TYPE a_sum gauge\na_sum 1\n", 1)]
    [InlineData("# TYPE a_count counter\n# TYPE a histogram\na_count 1\na_bucket{le=\"+Inf\"} 1\n", 2)]
    [InlineData("# TYPE s summary\ns{a=\"b\"} 1\n", 1)]
    [InlineData("# TYPE h histogram\nh_bucket 1\nh_bucket{le=\"x\"} 2\n", 2)]
    [InlineData("# TYPE h histogram\nh_bucket{le=\"Inf\"} 1\n", 1)]
    [InlineData("a 1 5\na 1 4\n", 2)]
    public void What_OpenMetrics_does_not_allow_as_it_is_still_reads_back_from_it(string text, int samples)
    {
        string written = PrometheusTextWriter.ToText(PrometheusTextParser.ParseFamilies(text), PrometheusFormat.OpenMetrics);

        Assert.Equal(samples, PrometheusTextParser.ParseFamilies(written, OpenMetrics).Families.Sum(family => family.Samples.Count));
    }

    // The examples of the specification's section "Canonical Numbers", and what Prometheus' own library writes beyond them.
    [Theory]
    [InlineData("0", "0.0")]
    [InlineData("-0", "0.0")]
    [InlineData("1", "1.0")]
    [InlineData("1.000", "1.0")]
    [InlineData("10", "10.0")]
    [InlineData("0.001", "0.001")]
    [InlineData("1.7", "1.7")]
    [InlineData("-2", "-2.0")]
    [InlineData("1e-10", "1e-10")]
    [InlineData("0.00001", "1e-05")]
    [InlineData("1e-4", "0.0001")]
    [InlineData("100000", "100000.0")]
    [InlineData("1000000", "1e+06")]
    [InlineData("1E10", "1e+10")]
    [InlineData("123456789", "1.23456789e+08")]
    [InlineData("1.7976931348623157e308", "1.7976931348623157e+308")]
    [InlineData("5e-324", "5e-324")]
    [InlineData("Inf", "+Inf")]
    [InlineData("+infinity", "+Inf")]
    [InlineData("-Inf", "-Inf")]
    public void A_bound_is_written_as_OpenMetrics_spells_it(string bound, string spelled)
    {
        string text = $"# TYPE h histogram\nh_bucket{{le=\"{bound}\",x=\"1\"}} 1\n# TYPE g gauge\ng{{le=\"1\",quantile=\"1\"}} 1\n";

        string written = PrometheusTextWriter.ToText(PrometheusTextParser.ParseFamilies(text), PrometheusFormat.OpenMetrics);

        Assert.Equal(
            $"# TYPE h histogram\nh_bucket{{le=\"{spelled}\",x=\"1\"}} 1\n# TYPE g gauge\ng{{le=\"1\",quantile=\"1\"}} 1\n# EOF\n",
            written
        );
        Assert.Equal(text, PrometheusTextWriter.ToText(PrometheusTextParser.ParseFamilies(text)));
    }

    [Fact]
    public void A_quantile_is_written_as_OpenMetrics_spells_it_too()
    {
        PrometheusExposition summary = PrometheusTextParser.ParseFamilies(
            "# TYPE s summary\ns{quantile=\"0\"} 1\ns{quantile=\".5\"} 2\ns{quantile=\"1\"} 3\ns_sum 1\n"
        );

        Assert.Equal(
            "# TYPE s summary\ns{quantile=\"0.0\"} 1\ns{quantile=\"0.5\"} 2\ns{quantile=\"1.0\"} 3\ns_sum 1\n# EOF\n",
            PrometheusTextWriter.ToText(summary, PrometheusFormat.OpenMetrics)
        );
    }

    [Fact]
    public void Two_spellings_of_a_bound_are_one_series_in_OpenMetrics()
    {
        PrometheusExposition histogram = PrometheusTextParser.ParseFamilies(
            "# TYPE h histogram\nh_bucket{le=\"1\"} 1\nh_bucket{le=\"1.0\"} 1\nh_bucket{le=\"+Inf\"} 1\n"
        );

        Assert.Contains(
            "Duplicate series h_bucket{le=\"1.0\"}, ",
            Assert.Throws<ArgumentException>(() => PrometheusTextWriter.ToText(histogram, PrometheusFormat.OpenMetrics)).Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Series_that_relabelling_made_equal_are_named_where_the_format_forbids_them()
    {
        PrometheusExposition equal = PrometheusTextParser
            .ParseFamilies("a{x=\"1\"} 1\na{x=\"2\"} 2\n")
            .Relabel(sample => sample.Labels.Without("x"));

        Assert.Contains(
            "Duplicate series a{}",
            Assert.Throws<ArgumentException>(() => PrometheusTextWriter.ToText(equal, PrometheusFormat.OpenMetrics)).Message,
            StringComparison.Ordinal
        );
        Assert.Contains(
            "__name__",
            Assert
                .Throws<ArgumentException>(() => PrometheusTextWriter.ToText(equal.Relabel(sample => sample.Labels.With("__name__", "b"))))
                .Message,
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData(PrometheusFormat.Text)]
    [InlineData(PrometheusFormat.OpenMetrics)]
    public void A_carriage_return_at_the_end_of_a_help_text_does_not_break_the_line(PrometheusFormat format)
    {
        string written = PrometheusTextWriter.ToText(
            new PrometheusExposition([new("a", PrometheusMetricType.Gauge, [], "help\r")]),
            format
        );

        Assert.Equal("help", PrometheusTextParser.ParseFamilies(written, new PrometheusParserOptions { Format = format })["a"]!.Help);
    }

    [Fact]
    public async Task A_stream_gets_the_same_bytes_and_stays_open()
    {
        PrometheusExposition exposition = new([
            new(
                "a",
                PrometheusMetricType.Gauge,
                [.. Enumerable.Range(0, 20_000).Select(i => new PrometheusSample("a", [new("b", $"value {i}")], i))]
            ),
        ]);
        using var stream = new MemoryStream();

        await PrometheusTextWriter.WriteAsync(stream, exposition, cancellationToken: TestContext.Current.CancellationToken);

        Assert.True(stream.CanWrite);
        Assert.Equal(PrometheusTextWriter.ToUtf8(exposition), stream.ToArray());
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => PrometheusTextWriter.WriteAsync(stream, exposition, cancellationToken: new CancellationToken(canceled: true)));
    }

    [Fact]
    public void Samples_alone_are_lines_without_heads()
    {
        var output = new ArrayBufferWriter<byte>();

        PrometheusTextWriter.Write(output, PrometheusTextParser.ParseSamples("a{b=\"c\"} 1 5\nd 2\n"));

        Assert.Equal("a{b=\"c\"} 1 5\nd 2\n", Encoding.UTF8.GetString(output.WrittenSpan));
    }

    [Fact]
    public void Relabelling_adds_replaces_and_leaves_out()
    {
        PrometheusExposition exposition = PrometheusTextParser.ParseFamilies(
            "# HELP a x\n# TYPE a gauge\na{b=\"1\"} 1\na{b=\"2\"} 2 7\n# TYPE c gauge\nc 3\n"
        );

        PrometheusExposition changed = exposition.Relabel(sample =>
            sample.Name == "c" ? null : sample.Labels.With("account", "acme").With("b", "0" + sample.Labels["b"]));

        Assert.Equal(
            "# HELP a x\n# TYPE a gauge\na{b=\"01\",account=\"acme\"} 1\na{b=\"02\",account=\"acme\"} 2 7\n# TYPE c gauge\n",
            PrometheusTextWriter.ToText(changed));
        Assert.Equal("1", exposition["a"]!.Samples[0].Labels["b"]);
    }

    [Fact]
    public void Merging_puts_the_families_of_one_name_together()
    {
        PrometheusExposition one = PrometheusTextParser.ParseFamilies(
            "a{x=\"1\"} 1\n# TYPE b gauge\nb 1\n# TYPE d histogram\nd_bucket{le=\"+Inf\"} 1\n"
        );
        PrometheusExposition two = PrometheusTextParser.ParseFamilies(
            "# HELP a help\n# TYPE a counter\na{x=\"2\"} 2\nc 3\n# TYPE d gauge\nd 4\n"
        );

        // The two do not agree what d is: then it is nothing but its samples.
        Assert.Equal("""
            # HELP a help
            # TYPE a counter
            a{x="1"} 1
            a{x="2"} 2
            # TYPE b gauge
            b 1
            # TYPE d_bucket untyped
            d_bucket{le="+Inf"} 1
            # TYPE c untyped
            c 3
            # TYPE d untyped
            d 4

            """, PrometheusTextWriter.ToText(PrometheusExposition.Merge(one, two)));
    }

    private static IEnumerable<string> Describe(PrometheusExposition exposition) =>
        exposition.Families.SelectMany(family =>
            family
                .Samples.Select(sample =>
                    $"{sample} {sample.Exemplar?.Labels} {sample.Exemplar?.Value:R} {sample.Exemplar?.TimestampMilliseconds}"
                )
                .Prepend($"{family.Name} {family.Type} {family.Help ?? "no help"} {family.Unit ?? "no unit"}")
        );

    /// <summary>Families of every type with texts and numbers by chance, as their format allows them.</summary>
    private static PrometheusExposition Make(Random random, PrometheusFormat format)
    {
        bool openMetrics = format == PrometheusFormat.OpenMetrics;
        PrometheusMetricType[] types = openMetrics
            ? Enum.GetValues<PrometheusMetricType>()
            :
            [
                PrometheusMetricType.Unknown,
                PrometheusMetricType.Gauge,
                PrometheusMetricType.Counter,
                PrometheusMetricType.Histogram,
                PrometheusMetricType.Summary,
            ];
        var families = new List<MetricFamily>();
        for (int i = random.Next(1, 6); i > 0; i--)
        {
            PrometheusMetricType type = types[random.Next(types.Length)];
            bool hasUnit = openMetrics && random.Next(3) == 0 && type is not (PrometheusMetricType.Info or PrometheusMetricType.StateSet);
            string name = (random.Next(2) == 0 ? "metric" : Text(random).Trim()) + $"_{i}{(hasUnit ? "_seconds" : "")}";
            string? help = random.Next(2) == 0 ? null : Text(random).TrimStart(' ', '\t').TrimEnd('\r');
            var samples = new List<PrometheusSample>();
            for (int group = random.Next(3); group > 0; group--)
            {
                LabelSet labels = [new("group", $"{group}"), new("l" + (random.Next(2) == 0 ? "" : Text(random)), Text(random))];
                // The samples of an info are one metric whatever their labels: all with timestamps or none.
                long? timestamp =
                    type == PrometheusMetricType.Info || random.Next(2) == 0 ? null : random.NextInt64(-100_000, 2_000_000_000_000);
                PrometheusExemplar? exemplar =
                    openMetrics && random.Next(2) == 0
                        ? new PrometheusExemplar(
                            [new("trace", Text(random))],
                            random.NextDouble(),
                            random.Next(2) == 0 ? null : random.Next()
                        )
                        : null;
                double count = random.Next(1000);
                samples.AddRange(
                    type switch
                    {
                        PrometheusMetricType.Counter =>
                        [
                            new PrometheusSample(openMetrics ? name + "_total" : name, labels, count / 7, timestamp, exemplar),
                        ],
                        PrometheusMetricType.Histogram or PrometheusMetricType.GaugeHistogram =>
                        [
                            new PrometheusSample(name + "_bucket", labels.With("le", "0.1"), 0, timestamp, exemplar),
                            new PrometheusSample(name + "_bucket", labels.With("le", "+Inf"), count, timestamp),
                            new PrometheusSample(
                                name + (type == PrometheusMetricType.GaugeHistogram ? "_gcount" : "_count"),
                                labels,
                                count,
                                timestamp
                            ),
                            new PrometheusSample(
                                name + (type == PrometheusMetricType.GaugeHistogram ? "_gsum" : "_sum"),
                                labels,
                                random.NextDouble(),
                                timestamp
                            ),
                        ],
                        PrometheusMetricType.Summary =>
                        [
                            new PrometheusSample(name, labels.With("quantile", "0.5"), 0.3, timestamp),
                            new PrometheusSample(name + "_count", labels, count, timestamp),
                        ],
                        PrometheusMetricType.Info => [new PrometheusSample(name + "_info", labels, 1, timestamp)],
                        PrometheusMetricType.StateSet => [new PrometheusSample(name, labels.With(name, "on"), 1, timestamp)],
                        _ => (PrometheusSample[])[new PrometheusSample(name, labels, Number(random), timestamp)],
                    }
                );
            }

            families.Add(new MetricFamily(name, type, samples, help, hasUnit ? "seconds" : null));
        }

        return new PrometheusExposition(families);
    }

    private static double Number(Random random) => random.Next(6) switch
    {
        0 => double.PositiveInfinity,
        1 => -0.0,
        2 => random.Next(),
        3 => Math.Pow(10, random.Next(-320, 308)),
        _ => BitConverter.Int64BitsToDouble(random.NextInt64()) is var bits && double.IsFinite(bits) ? bits : double.Epsilon,
    };

    private static string Text(Random random)
    {
        string[] pieces = ["a", "B", "_", " ", "\"", "\\", "\n", "\r", "\t", "{", "}", ",", "=", "#", "é", "😀", "\\n", "0", "\0"];
        return string.Concat(Enumerable.Range(0, random.Next(1, 7)).Select(_ => pieces[random.Next(pieces.Length)]));
    }
}
