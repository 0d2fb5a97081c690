using System.Buffers;
using System.Globalization;
using System.IO.Pipelines;
using System.Text;
using Fal.Observability.Client.Prometheus;
using Xunit;

namespace Fal.Observability.Client.Tests.Prometheus;

public sealed class PrometheusTextParserTests
{
    private static readonly PrometheusParserOptions Lenient = PrometheusParserOptions.Lenient;

    private static PrometheusSample Only(string text) => Assert.Single(PrometheusTextParser.ParseSamples(text));

    [Theory]
    [InlineData("a{b=\"}\"} 1", "}")]
    [InlineData("a{b=\",\"} 1", ",")]
    [InlineData("a{b=\"=\"} 1", "=")]
    [InlineData("a{b=\"\\\"\"} 1", "\"")]
    [InlineData("a{b=\"\\n\"} 1", "\n")]
    [InlineData("a{b=\"\\\\\"} 1", "\\")]
    [InlineData("a{b=\"\\\\n\"} 1", "\\n")]
    [InlineData("a{b=\"\\x\"} 1", "\\x")]
    [InlineData("a{b=\" \"} 1", " ")]
    [InlineData("a{b=\"# {} 1\"} 1", "# {} 1")]
    [InlineData("a{b=\"\"} 1", "")]
    [InlineData("a{b=\"日本語 ünï 🚀\"} 1", "日本語 ünï 🚀")]
    [InlineData("a{b=\"x\",} 1", "x")]
    [InlineData("a\t{\tb\t=\t\"x\"\t}\t1", "x")]
    [InlineData("  a { b = \"x\" , } 1  ", "x")]
    [InlineData("a{b=\"x\"}1", "x")]
    public void A_label_value_comes_out_as_it_was_meant(string line, string value)
    {
        foreach (string text in (string[])[line, line + "\n", string.Concat(Enumerable.Repeat(line + "\n", 20))])
        {
            PrometheusSamples samples = PrometheusTextParser.ParseSamples(text);
            Assert.All(samples, sample => Assert.Equal(("a", value, 1.0), (sample.Name, sample.Labels["b"], sample.Value)));
            Assert.NotEmpty(samples);
        }
    }

    [Theory]
    [InlineData("a 1 -1", -1L)]
    [InlineData("a 1 0", 0L)]
    [InlineData("a 1 1395066363000", 1395066363000L)]
    [InlineData("a 1 -9223372036854775807", -9223372036854775807L)]
    [InlineData("a 1", null)]
    public void A_timestamp_is_read_and_the_value_before_it_kept(string line, long? timestamp)
    {
        PrometheusSample sample = Only(line);

        Assert.Equal((1.0, timestamp), (sample.Value, sample.TimestampMilliseconds));
    }

    [Theory]
    [InlineData("NaN", double.NaN)]
    [InlineData("+Inf", double.PositiveInfinity)]
    [InlineData("-Inf", double.NegativeInfinity)]
    [InlineData("Infinity", double.PositiveInfinity)]
    [InlineData("1e3", 1000)]
    [InlineData("-1.5E-3", -0.0015)]
    [InlineData(".5", 0.5)]
    [InlineData("5.", 5)]
    [InlineData("1458255915", 1458255915)]
    public void A_value_is_read(string text, double value) => Assert.Equal(value, Only("a " + text).Value);

    [Fact]
    public void NaN_has_the_bits_that_Prometheus_stores() =>
        Assert.Equal(0x7ff8000000000001, BitConverter.DoubleToInt64Bits(Only("a NaN").Value));

    [Fact]
    public void An_empty_scrape_has_no_samples_and_no_families()
    {
        foreach (string text in (string[])["", "\n", "\n\n  \n", "# only a comment"])
        {
            Assert.Empty(PrometheusTextParser.ParseSamples(text));
            Assert.Empty(PrometheusTextParser.ParseFamilies(text).Families);
        }
    }

    [Fact]
    public void Quoted_names_are_names()
    {
        PrometheusSample sample = Only("{\"my.metric\",\"a b\"=\"c\",d=\"e\"} 1");

        Assert.Equal("my.metric", sample.Name);
        Assert.Equal([new("a b", "c"), new("d", "e")], sample.Labels);
        Assert.Equal("{\"my.metric\",\"a b\"=\"c\",d=\"e\"} 1", sample.ToString());
    }

    [Theory]
    [InlineData("de-DE")]
    [InlineData("tr-TR")]
    [InlineData("ar-SA")]
    [InlineData("fa-IR")]
    public void No_culture_changes_what_is_read_or_written(string culture)
    {
        CultureInfo before = Thread.CurrentThread.CurrentCulture;
        try
        {
            Thread.CurrentThread.CurrentCulture = CultureInfo.GetCultureInfo(culture);
            PrometheusSample sample = Only("I{i=\"İ\"} -1.5 -123456\n");

            Assert.Equal(("I", -1.5, -123456L), (sample.Name, sample.Value, sample.TimestampMilliseconds));
            Assert.Equal("I{i=\"İ\"} -1.5 -123456", sample.ToString());
            Assert.Equal(PrometheusMetricType.Histogram, PrometheusTextParser.ParseFamilies("# TYPE a histogram\n")["a"]!.Type);
            PrometheusFormatException exception = Assert.Throws<PrometheusFormatException>(() => Only("a 1\na 1,5"));
            Assert.StartsWith("Line 2, column 3: ", exception.Message, StringComparison.Ordinal);
        }
        finally
        {
            Thread.CurrentThread.CurrentCulture = before;
        }
    }

    [Fact]
    public void Lenient_reading_keeps_every_good_sample_and_reports_every_bad_line()
    {
        PrometheusSamples samples = PrometheusTextParser.ParseSamples("a 1\nb x\nc 3\n\nd{e=\"f} 4\ng 5\n", Lenient);

        Assert.Equal(["a", "c", "g"], samples.Select(sample => sample.Name));
        Assert.Equal(2, samples.SkippedLineCount);
        Assert.Equal(
            [(2L, 3, 6L, "b x"), (5L, 5, 17L, "d{e=\"f} 4")],
            samples.SkippedLines.Select(line => (line.Line, line.Column, line.ByteOffset, line.Text))
        );
        Assert.All(samples.SkippedLines, line => Assert.False(line.WasKept));
    }

    [Fact]
    public void Skipped_lines_are_counted_without_bound_and_recorded_within_one()
    {
        var told = new List<PrometheusSkippedLine>();
        PrometheusParserOptions options = Lenient with { MaxRecordedSkippedLines = 3, OnSkippedLine = told.Add };

        PrometheusSamples samples = PrometheusTextParser.ParseSamples(string.Concat(Enumerable.Repeat("!\n", 1000)), options);

        Assert.Equal((1000L, 3, 1000), (samples.SkippedLineCount, samples.SkippedLines.Count, told.Count));
    }

    [Fact]
    public void Lenient_reading_ignores_carriage_returns_and_a_byte_order_mark_and_reports_each_once()
    {
        PrometheusExposition exposition = PrometheusTextParser.ParseFamilies(
            "\uFEFF# TYPE a gauge\r\na{b=\"c\"} 1\r\na{b=\"d\"} 2\r\n",
            Lenient
        );

        Assert.Equal([1.0, 2.0], exposition["a"]!.Samples.Select(sample => sample.Value));
        Assert.Equal(PrometheusMetricType.Gauge, exposition["a"]!.Type);
        Assert.Equal(0, exposition.SkippedLineCount);
        Assert.Equal([(1L, true), (1L, true)], exposition.SkippedLines.Select(line => (line.Line, line.WasKept)));
    }

    [Theory]
    [InlineData(PrometheusFormat.Text, 16)]
    [InlineData(PrometheusFormat.Text, 17)]
    [InlineData(PrometheusFormat.Text, 40)]
    [InlineData(PrometheusFormat.OpenMetrics, 17)]
    [InlineData(PrometheusFormat.OpenMetrics, 40)]
    public void The_first_carriage_return_may_stand_on_a_sample_with_many_labels(PrometheusFormat format, int labels)
    {
        string[] series =
        [
            .. Enumerable.Range(0, 4).Select(n => $"m{{{string.Join(',', Enumerable.Range(0, labels).Select(l => $"l{l}=\"{n}\""))}}} {n}"),
        ];
        PrometheusParserOptions lenient = Lenient with { Format = format };
        PrometheusParserOptions strict = PrometheusParserOptions.Strict with { Format = format };
        foreach (
            string text in (string[])
                [string.Join("\r\n", series) + "\r\n# EOF\r\n", $"{series[0]}\n{series[1]}\r\n{series[2]}\n{series[3]}\n# EOF\n"]
        )
        {
            PrometheusSamples samples = PrometheusTextParser.ParseSamples(text, lenient);
            Assert.Equal([0.0, 1.0, 2.0, 3.0], samples.Select(sample => sample.Value));
            Assert.All(samples, sample => Assert.Equal(labels, sample.Labels.Count));
            Assert.True(Assert.Single(samples.SkippedLines).WasKept);
            Assert.Equal(samples, PrometheusTextParser.ParseFamilies(text, lenient).Families.SelectMany(family => family.Samples));

            // A caller who tries once more hears the same.
            string reason = Assert.Throws<PrometheusFormatException>(() => PrometheusTextParser.ParseSamples(text, strict)).Reason;
            Assert.Contains("carriage return", reason, StringComparison.Ordinal);
            Assert.Equal(reason, ReasonOfSecondRead(Encoding.UTF8.GetBytes(text), strict));
        }

        static string ReasonOfSecondRead(byte[] text, PrometheusParserOptions options)
        {
            var reader = new PrometheusTextReader(text, options);
            string reason = "";
            for (int refusals = 0; refusals < 2;)
            {
                try
                {
                    reader.Read();
                }
                catch (PrometheusFormatException e)
                {
                    reason = e.Reason;
                    refusals++;
                }
            }

            return reason;
        }
    }

    [Theory]
    [InlineData("\uFEFFa{b=\"c\"} 1\na 2\n# EOF\n", 1000)]
    [InlineData("\uFEFFa{b=\"c\"} 1", 1000)]
    [InlineData("a 1\n# EOF\na line after the end\nanother\n", 1000)]
    [InlineData("a 1\n# EOF\na line after the end, which is longer than the limit", 8)]
    [InlineData("a{b=\"c\"} 1\nb 1\r\nc{d=\"e\"} 1\r\n", 4)]
    [InlineData("a 1\nthe last line is too long", 10)]
    public async Task What_is_reported_does_not_depend_on_where_the_input_is_cut(string text, int maxLineLength)
    {
        byte[] input = Encoding.UTF8.GetBytes(text);
        foreach (PrometheusFormat format in (PrometheusFormat[])[PrometheusFormat.Text, PrometheusFormat.OpenMetrics])
        {
            PrometheusParserOptions options = Lenient with { Format = format, MaxLineLength = maxLineLength };
            PrometheusSamples whole = PrometheusTextParser.ParseSamples(input, options);
            for (int length = 1; length <= input.Length; length++)
            {
                PrometheusSamples pieces = await PrometheusTextParser.ParseSamplesAsync(PipeReader.Create(Cut(input, length)), options);
                Assert.Equal(whole, pieces);
                Assert.Equal(whole.SkippedLines, pieces.SkippedLines);
            }
        }
    }

    [Fact]
    public void Lenient_reading_skips_an_endless_line_and_goes_on_after_it()
    {
        PrometheusParserOptions options = Lenient with { MaxLineLength = 1000 };
        byte[] input = Encoding.UTF8.GetBytes("a 1\n" + new string('x', 500_000) + "\nb 2\n");

        PrometheusSamples whole = PrometheusTextParser.ParseSamples(input, options);
        PrometheusSamples pieces = PrometheusTextParser.ParseSamples(Cut(input, 99), options);

        foreach (PrometheusSamples samples in (PrometheusSamples[])[whole, pieces])
        {
            Assert.Equal(["a", "b"], samples.Select(sample => sample.Name));
            PrometheusSkippedLine line = Assert.Single(samples.SkippedLines);
            Assert.Equal((2L, 1001, 1004L, 256), (line.Line, line.Column, line.ByteOffset, line.Text.Length));
        }
    }

    [Fact]
    public void Names_of_a_line_that_was_skipped_are_not_taken_for_those_of_the_sample_before()
    {
        string padding = string.Concat(Enumerable.Repeat("# comment\n", 20));
        foreach (
            string skipped in (string[])["b{y=\"1\"} 0000000000000000000000000000000000000000001\n", "b{y=\"1\"} x\n", "b{y=\"1\"} 1\r\n"]
        )
        {
            PrometheusSamples samples = PrometheusTextParser.ParseSamples(
                "a{x=\"1\"} 1\n" + skipped + "b{y=\"2\"} 2\n" + padding, Lenient with { MaxLineLength = 30 });

            Assert.Equal(("a", "1"), (samples[0].Name, samples[0].Labels["x"]));
            Assert.Equal(("b", "2"), (samples[^1].Name, samples[^1].Labels["y"]));
        }
    }

    [Fact]
    public void Half_a_surrogate_pair_in_a_string_is_refused()
    {
        PrometheusFormatException exception = Assert.Throws<PrometheusFormatException>(() => Only("a{b=\"c\uD83D\"} 1"));

        Assert.Equal(7, exception.Column);
        Assert.Contains("UTF-8", exception.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Every_way_in_gives_the_same()
    {
        string text = string.Concat(
            Enumerable.Range(0, 3000).Select(i => $"metric_{i % 7}{{label=\"välue {i}\",le=\"{i % 3}\"}} {i} {i}\n")
        );
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        PrometheusSamples expected = PrometheusTextParser.ParseSamples(bytes);
        Assert.Equal(3000, expected.Count);
        Assert.Equal(
            ("metric_3", "välue 2999", 2999L),
            (expected[2999].Name, expected[2999].Labels["label"], expected[2999].TimestampMilliseconds)
        );

        Assert.Equal(expected, PrometheusTextParser.ParseSamples(text));
        Assert.Equal(expected, PrometheusTextParser.ParseSamples(Cut(bytes, 1000)));
        Assert.Equal(expected, await PrometheusTextParser.ParseSamplesAsync(new MemoryStream(bytes)));
        Assert.Equal(expected, await PrometheusTextParser.ParseSamplesAsync(PipeReader.Create(Cut(bytes, 777))));
        Assert.Equal(expected, await ToListAsync(PrometheusTextParser.StreamSamplesAsync(new MemoryStream(bytes))));
        Assert.Equal(expected, await ToListAsync(PrometheusTextParser.StreamSamplesAsync(PipeReader.Create(Cut(bytes, 777)))));

        PrometheusSample[] grouped = [.. PrometheusTextParser.ParseFamilies(bytes).Families.SelectMany(family => family.Samples)];
        Assert.Equal(expected.OrderBy(sample => sample.Name, StringComparer.Ordinal), grouped);
        foreach (PrometheusExposition exposition in (PrometheusExposition[])[
            PrometheusTextParser.ParseFamilies(text), PrometheusTextParser.ParseFamilies(Cut(bytes, 1000)),
            await PrometheusTextParser.ParseFamiliesAsync(new MemoryStream(bytes)),
            await PrometheusTextParser.ParseFamiliesAsync(PipeReader.Create(Cut(bytes, 777)))])
        {
            Assert.Equal(grouped, exposition.Families.SelectMany(family => family.Samples));
        }
    }

    [Fact]
    public async Task A_stream_yields_what_precedes_a_bad_line_and_then_throws()
    {
        var names = new List<string>();

        PrometheusFormatException exception = await Assert.ThrowsAsync<PrometheusFormatException>(async () =>
        {
            await foreach (
                PrometheusSample sample in PrometheusTextParser.StreamSamplesAsync(new MemoryStream("a 1\nb 2\n! 3\nc 4\n"u8.ToArray()))
            )
            {
                names.Add(sample.Name);
            }
        });

        Assert.Equal(["a", "b"], names);
        Assert.Equal(3, exception.Line);
    }

    [Fact]
    public async Task A_stream_read_leniently_reports_through_the_callback()
    {
        var told = new List<PrometheusSkippedLine>();
        PrometheusParserOptions options = Lenient with { OnSkippedLine = told.Add };

        List<PrometheusSample> samples = await ToListAsync(
            PrometheusTextParser.StreamSamplesAsync(new MemoryStream("a 1\n! 3\nc 4\n"u8.ToArray()), options)
        );

        Assert.Equal(["a", "c"], samples.Select(sample => sample.Name));
        Assert.Equal(2, Assert.Single(told).Line);
    }

    [Fact]
    public async Task Cancellation_ends_a_stream()
    {
        using var source = new CancellationTokenSource();
        await source.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
            PrometheusTextParser.ParseSamplesAsync(new MemoryStream([1]), null, source.Token)
        );
    }

    [Fact]
    public void The_format_is_detected_by_its_end()
    {
        const string openMetrics = "# TYPE a counter\na_total 1 1.5\n# EOF\n";

        Assert.Equal(1500, Only(openMetrics).TimestampMilliseconds);
        Assert.Equal(1500, Assert.Single(PrometheusTextParser.ParseSamples(Encoding.UTF8.GetBytes(openMetrics))).TimestampMilliseconds);
        Assert.Equal(
            1500,
            Assert.Single(PrometheusTextParser.ParseSamples(Cut(Encoding.UTF8.GetBytes(openMetrics), 3))).TimestampMilliseconds
        );
        Assert.Throws<PrometheusFormatException>(() => Only("a_total 1 1.5\n"));
    }

    [Theory]
    [InlineData("application/openmetrics-text; version=1.0.0; charset=utf-8", PrometheusFormat.OpenMetrics)]
    [InlineData("Application/OpenMetrics-Text", PrometheusFormat.OpenMetrics)]
    [InlineData("text/plain; version=0.0.4", PrometheusFormat.Text)]
    [InlineData("", PrometheusFormat.Text)]
    [InlineData(null, PrometheusFormat.Text)]
    public void The_content_type_chooses_the_format(string? contentType, PrometheusFormat format) =>
        Assert.Equal(format, PrometheusParserOptions.Strict.WithContentType(contentType).Format);

    [Fact]
    public void Options_out_of_range_are_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new PrometheusParserOptions { MaxLineLength = 0 });
        Assert.Throws<ArgumentOutOfRangeException>(() => new PrometheusParserOptions { MaxLabels = -1 });
        Assert.Throws<ArgumentOutOfRangeException>(() => new PrometheusParserOptions { MaxRecordedSkippedLines = -1 });
    }

    [Fact]
    public void Equal_strings_of_a_result_are_one_string()
    {
        PrometheusSamples samples = PrometheusTextParser.ParseSamples(
            "a{b=\"value\"} 1\nc{d=\"x\"} 1\na{b=\"value\"} 2\na{b=\"välue\"} 2\na{b=\"välue\"} 2\n"
        );

        Assert.Same(samples[0].Labels["b"], samples[2].Labels["b"]);
        Assert.Same(samples[0].Name, samples[2].Name);
        Assert.Same(samples[3].Labels["b"], samples[4].Labels["b"]);
    }

    internal static ReadOnlySequence<byte> Cut(ReadOnlyMemory<byte> input, int length)
    {
        var first = new Segment(input[..Math.Min(length, input.Length)], 0);
        Segment last = first;
        for (int start = length; start < input.Length; start += length)
        {
            last = last.Append(input.Slice(start, Math.Min(length, input.Length - start)));
        }

        return new ReadOnlySequence<byte>(first, 0, last, last.Memory.Length);
    }

    private static async Task<List<T>> ToListAsync<T>(IAsyncEnumerable<T> source)
    {
        var list = new List<T>();
        await foreach (T item in source)
        {
            list.Add(item);
        }

        return list;
    }

    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        public Segment(ReadOnlyMemory<byte> memory, long runningIndex) => (Memory, RunningIndex) = (memory, runningIndex);

        public Segment Append(ReadOnlyMemory<byte> memory)
        {
            var next = new Segment(memory, RunningIndex + Memory.Length);
            Next = next;
            return next;
        }
    }

    [Theory]
    [InlineData("bar.baz 0.34", 4, "'.'")]
    [InlineData("bar-baz{a=\"b\"} 1", 4, "'-'")]
    [InlineData("b\u00e4r 1", 2, "0xC3")]
    public void A_name_that_breaks_off_is_what_the_reason_says(string text, int column, string shown)
    {
        foreach (PrometheusFormat format in (PrometheusFormat[])[PrometheusFormat.Text, PrometheusFormat.OpenMetrics])
        {
            PrometheusFormatException fault = Assert.Throws<PrometheusFormatException>(
                () => PrometheusTextParser.ParseSamples(text, new PrometheusParserOptions { Format = format }));

            Assert.Equal((1, column), (fault.Line, fault.Column));
            Assert.Contains("metric name", fault.Reason, StringComparison.Ordinal);
            Assert.Contains(shown, fault.Reason, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_format_that_is_none_is_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new PrometheusParserOptions { Format = (PrometheusFormat)9 });
        Assert.Throws<ArgumentOutOfRangeException>(() => new PrometheusParserOptions { Format = (PrometheusFormat)(-1) });
    }

    [Fact]
    public void Samples_of_one_name_with_ever_other_labels_keep_their_own()
    {
        string[] lines = [.. Enumerable.Range(0, 500).Select(i => $"a{{{(i % 3 == 0 ? $"\"n\\\\{i}\"" : $"n{i % 100}")}=\"{i}\"}} {i}")];

        Assert.Equal(lines, PrometheusTextParser.ParseSamples(string.Join('\n', lines)).Select(sample => sample.ToString()));
    }

    [Fact]
    public void Odd_lines_between_good_ones_cost_them_nothing()
    {
        var random = new Random(5);
        string[] lines = [.. Enumerable.Range(0, 20_000).Select(i => random.Next(6) switch
        {
            0 => "a{",
            1 => $"  a {i}",
            2 => $"a{{b=\"{i}\",}}{i} ",
            _ => $"a{{b=\"{i}\"}} {i}",
        })];

        PrometheusSamples samples = PrometheusTextParser.ParseSamples(string.Join('\n', lines) + "\n", PrometheusParserOptions.Lenient);

        Assert.Equal(lines.Count(line => line == "a{"), samples.SkippedLineCount);
        Assert.Equal(
            Enumerable.Range(0, lines.Length).Where(i => lines[i] != "a{").Select(i => (double)i),
            samples.Select(sample => sample.Value)
        );
        Assert.All(samples.Where(sample => sample.Labels.Count > 0), sample => Assert.Equal($"{sample.Value}", sample.Labels["b"]));
    }

    [Fact]
    public void Carriage_returns_are_reported_once_and_never_part_of_a_number()
    {
        string text = string.Concat(Enumerable.Range(0, 2_000).Select(i => i % 2 == 0 ? $"a{{b=\"{i}\"}} {i}.5 {i}\r\n" : $"a {i}\r\n"));

        PrometheusSamples samples = PrometheusTextParser.ParseSamples(text, PrometheusParserOptions.Lenient);

        Assert.Equal((0L, 1), (samples.SkippedLineCount, samples.SkippedLines.Count));
        Assert.Equal(Enumerable.Range(0, 2_000).Select(i => i % 2 == 0 ? i + 0.5 : i), samples.Select(sample => sample.Value));
        Assert.Equal(
            Enumerable.Range(0, 2_000).Select(i => i % 2 == 0 ? (long?)i : null),
            samples.Select(sample => sample.TimestampMilliseconds)
        );
    }

    [Fact]
    public async Task A_stream_that_never_looks_at_the_token_ends_with_it_all_the_same()
    {
        using var cancelled = new CancellationTokenSource();
        await cancelled.CancelAsync();
        using var stream = new EndlessStream();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
            PrometheusTextParser.ParseSamplesAsync(stream, null, cancelled.Token)
        );
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
            PrometheusTextParser.ParseFamiliesAsync(stream, null, cancelled.Token)
        );
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (PrometheusSample _ in PrometheusTextParser.StreamSamplesAsync(stream, null, cancelled.Token))
            {
            }
        });
    }

    /// <summary>Line feeds without end, at hand at once.</summary>
    private sealed class EndlessStream : MemoryStream
    {
        private int _reads;

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            Assert.True(++_reads < 1000, "The token was not looked at.");
            buffer.Span[0] = (byte)'\n';
            return ValueTask.FromResult(1);
        }
    }
}
