using System.Text;
using Fal.Observability.Client.Prometheus;
using Xunit;

namespace Fal.Observability.Client.Tests.Prometheus;

public sealed class PrometheusTextReaderTests
{
    private static readonly PrometheusParserOptions Text = new() { Format = PrometheusFormat.Text };
    private static readonly PrometheusParserOptions OpenMetrics = new() { Format = PrometheusFormat.OpenMetrics };

    /// <summary>Enough ordinary lines that the line after them is read with an index and not byte by byte.</summary>
    private static readonly string Padding = string.Concat(Enumerable.Repeat("padding_metric{label=\"value\",other=\"value\"} 1\n", 4));

    private static PrometheusFormatException Refused(string text, PrometheusParserOptions? options = null)
    {
        PrometheusFormatException bare = Read(text);
        // The same line among others, before and after, must be refused for the same reason at the same place.
        PrometheusFormatException among = Read(Padding + text + (text.EndsWith('\n') ? "" : "\n") + Padding);
        Assert.Equal(bare.Reason, among.Reason);
        Assert.Equal((bare.Line + 4, bare.Column, bare.ByteOffset + Padding.Length), (among.Line, among.Column, among.ByteOffset));
        return bare;

        PrometheusFormatException Read(string input) => Assert.Throws<PrometheusFormatException>(() =>
        {
            var reader = new PrometheusTextReader(Encoding.UTF8.GetBytes(input), options ?? Text);
            while (reader.Read())
            {
            }
        });
    }

    [Fact]
    public void Every_token_of_the_text_format_shows_its_parts()
    {
        var reader = new PrometheusTextReader("""
            # HELP a the \\ help\nof "a"
            # TYPE a gauge
            # a comment
            a{b="c",d="e\"f"} 1.5 1234

            plain 2
            """u8, Text);

        Assert.True(reader.Read());
        Assert.Equal((PrometheusTokenType.Help, 1L, 0L), (reader.TokenType, reader.LineNumber, reader.ByteOffset));
        Assert.Equal(("a", "the \\ help\nof \"a\""), (reader.GetName(), reader.GetText()));
        Assert.True(reader.Read());
        Assert.Equal((PrometheusTokenType.Type, PrometheusMetricType.Gauge), (reader.TokenType, reader.MetricType));
        Assert.True(reader.Read());
        Assert.Equal((PrometheusTokenType.Comment, " a comment"), (reader.TokenType, reader.GetText()));
        Assert.True(reader.Read());
        Assert.Equal(
            (PrometheusTokenType.Sample, "a", 1.5, true, 1234L, 2),
            (reader.TokenType, reader.GetName(), reader.Value, reader.HasTimestamp, reader.TimestampMilliseconds, reader.LabelCount)
        );
        var labels = new List<(string, string, bool)>();
        foreach (PrometheusLabel label in reader.Labels)
        {
            labels.Add((label.GetName(), label.GetValue(), label.ValueIsEscaped));
        }

        Assert.Equal([("b", "c", false), ("d", "e\"f", true)], labels);
        Assert.True(reader.Read());
        Assert.Equal(
            ("plain", 2.0, false, 0, 6L),
            (reader.GetName(), reader.Value, reader.HasTimestamp, reader.LabelCount, reader.LineNumber)
        );
        Assert.False(reader.Read());
        Assert.Equal(PrometheusTokenType.None, reader.TokenType);
    }

    [Fact]
    public void Every_token_of_OpenMetrics_shows_its_parts()
    {
        var reader = new PrometheusTextReader("""
            # TYPE a_seconds counter
            # UNIT a_seconds seconds
            a_seconds_total{b="c"} 7 1520879607.789 # {trace_id="x",span="y"} 0.5 1520879607.5
            # EOF
            """u8, OpenMetrics);

        Assert.True(reader.Read());
        Assert.True(reader.Read());
        Assert.Equal((PrometheusTokenType.Unit, "a_seconds", "seconds"), (reader.TokenType, reader.GetName(), reader.GetText()));
        Assert.True(reader.Read());
        Assert.Equal(
            (7.0, 1520879607789L, true, 0.5, true, 1520879607500L),
            (
                reader.Value,
                reader.TimestampMilliseconds,
                reader.HasExemplar,
                reader.ExemplarValue,
                reader.ExemplarHasTimestamp,
                reader.ExemplarTimestampMilliseconds
            )
        );
        var exemplar = new List<string>();
        foreach (PrometheusLabel label in reader.ExemplarLabels)
        {
            exemplar.Add(label.GetName() + "=" + label.GetValue());
        }

        Assert.Equal(["trace_id=x", "span=y"], exemplar);
        Assert.True(reader.Read());
        Assert.Equal(PrometheusTokenType.EndOfExposition, reader.TokenType);
        Assert.False(reader.Read());
    }

    [Fact]
    public void Reading_allocates_nothing()
    {
        byte[] input = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Range(0, 200).Select(i =>
            $"# HELP metric_{i} text\n# TYPE metric_{i} gauge\nmetric_{i}{{a=\"b{i}\",c=\"d\\\"é\",e=\"f\"}} {i}.5 17\nmetric_{i} {{ a = " +
                $"\"b\" , }} 0.1234567890123456789\n")));
        Assert.True(CountSamples(input) > 0);

        long before = GC.GetAllocatedBytesForCurrentThread();
        int samples = CountSamples(input);
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;

        Assert.Equal(400, samples);
        Assert.Equal(0, allocated);

        static int CountSamples(byte[] input)
        {
            var reader = new PrometheusTextReader(input, Text);
            Span<byte> scratch = stackalloc byte[64];
            int samples = 0;
            while (reader.Read())
            {
                if (reader.TokenType != PrometheusTokenType.Sample)
                {
                    continue;
                }

                samples++;
                foreach (PrometheusLabel label in reader.Labels)
                {
                    label.CopyValue(scratch);
                }
            }

            return samples;
        }
    }

    [Fact]
    public void Input_cut_anywhere_reads_the_same()
    {
        byte[] input = Encoding.UTF8.GetBytes("# HELP a h\\n\n# TYPE a gauge\r\n" + Padding + "a{b=\"é}\\\\\\\"\",c=\"\"} +Inf 5\n\n"
            + "{\"quoted.näme\",\"l b\"=\"v\"} 1\nbad line here\nplain 7\n# end without a line feed");
        PrometheusParserOptions lenient = Text with { SkipMalformedLines = true };
        string whole = Describe(input, [input.Length], lenient);
        Assert.Contains("quoted.näme", whole, StringComparison.Ordinal);
        Assert.Contains("Malformed 10", whole, StringComparison.Ordinal);

        for (int cut = 0; cut <= input.Length; cut++)
        {
            Assert.Equal(whole, Describe(input, [cut, input.Length], lenient));
        }

        Assert.Equal(whole, Describe(input, [.. Enumerable.Range(1, input.Length)], lenient));
    }

    private static string Describe(byte[] input, int[] ends, PrometheusParserOptions options)
    {
        var text = new StringBuilder();
        var state = new PrometheusReaderState(options);
        int start = 0;
        foreach (int end in ends)
        {
            bool isFinal = end == input.Length;
            var reader = new PrometheusTextReader(input.AsSpan(start, end - start), isFinal, state);
            while (reader.Read())
            {
                text.Append(reader.TokenType).Append(' ').Append(reader.LineNumber).Append(' ').Append(reader.ByteOffset).Append(' ');
                if (reader.TokenType == PrometheusTokenType.Malformed)
                {
                    text.Append(reader.GetSkippedLine());
                }
                else if (reader.TokenType != PrometheusTokenType.Comment)
                {
                    text.Append(reader.GetName());
                }

                foreach (PrometheusLabel label in reader.Labels)
                {
                    text.Append(' ').Append(label.GetName()).Append('=').Append(label.GetValue());
                }

                text.Append(' ').Append(reader.TokenType == PrometheusTokenType.Sample ? reader.Value : reader.Text.Length).Append('\n');
            }

            start += reader.BytesConsumed;
            state = reader.CurrentState;
        }

        return text.ToString();
    }

    [Theory]
    [InlineData("a{b=\"c\"} 1x\n", 1, 10, "value")]
    [InlineData("a{b=\"c\"}\n", 1, 9, "no value")]
    [InlineData("a\n", 1, 2, "no value")]
    [InlineData("1a 1\n", 1, 1, "found '1'")]
    [InlineData("a{1b=\"c\"} 1\n", 1, 3, "label name")]
    [InlineData("a{b='c'} 1\n", 1, 5, "double quotes")]
    [InlineData("a{b:\"c\"} 1\n", 1, 4, "expected '='")]
    [InlineData("a{b=\"c\" d=\"e\"} 1\n", 1, 9, "expected ',' or '}'")]
    [InlineData("a{b=\"c} 1\n", 1, 5, "closing quote is missing")]
    [InlineData("a{b=\"c\"\n", 1, 8, "closing '}' of the labels is missing")]
    [InlineData("a{b=\"c\",b=\"d\"} 1\n", 1, 9, "duplicate label name")]
    [InlineData("a{__name__=\"c\"} 1\n", 1, 3, "reserved")]
    [InlineData("a{,} 1\n", 1, 3, "label name")]
    [InlineData("{b=\"c\"} 1\n", 1, 1, "no metric name")]
    [InlineData("a{\"d\",b=\"c\"} 1\n", 1, 3, "second metric name")]
    [InlineData("{\"\"} 1\n", 1, 2, "empty")]
    [InlineData("a 1 1.5\n", 1, 5, "timestamp")]
    [InlineData("a 1 99999999999999999999\n", 1, 5, "timestamp")]
    [InlineData("a 1 2 3\n", 1, 7, "after the end of the sample")]
    [InlineData("a 1e400\n", 1, 3, "value")]
    [InlineData("a 0x1\n", 1, 3, "value")]
    [InlineData("a 1_0\n", 1, 3, "value")]
    [InlineData("# TYPE a something\n", 1, 10, "type")]
    [InlineData("# TYPE a\n", 1, 9, "text after the metric name is missing")]
    [InlineData("# HELP a-b c\n", 1, 9, "space after")]
    [InlineData("a{b=\"é\"} 1\nb{c=\"é\"} ü\n", 2, 10, "value")]
    public void A_malformed_line_is_refused_with_its_place_and_reason(string text, long line, int column, string reason)
    {
        PrometheusFormatException exception = Refused(text);

        Assert.Equal((line, column), (exception.Line, exception.Column));
        Assert.Contains(reason, exception.Reason, StringComparison.Ordinal);
        Assert.Contains(exception.LineText, text, StringComparison.Ordinal);
        Assert.StartsWith($"Line {line}, column {column}: {exception.Reason}", exception.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a\0b 1\n", 2)]
    [InlineData("a{b\0=\"c\"} 1\n", 4)]
    [InlineData("a 1\0\n", 3)]
    [InlineData("a 1 2\0\n", 5)]
    public void A_zero_byte_outside_quotes_is_refused(string text, int column) => Assert.Equal(column, Refused(text).Column);

    [Fact]
    public void A_zero_byte_inside_quotes_is_a_character_of_the_value()
    {
        var reader = new PrometheusTextReader("a{b=\"\0c\"} 1\n"u8, Text);

        Assert.True(reader.Read());
        foreach (PrometheusLabel label in reader.Labels)
        {
            Assert.Equal("\0c", label.GetValue());
        }
    }

    [Theory]
    [InlineData(new byte[] { 0xFF }, 6)]
    [InlineData(new byte[] { 0xC3 }, 6)]
    [InlineData(new byte[] { (byte)'x', 0xE2, 0x82 }, 7)]
    [InlineData(new byte[] { 0xC3, 0xA9, 0xED, 0xA0, 0x80 }, 7)]
    public void Invalid_UTF8_in_a_value_is_refused_where_it_begins(byte[] value, int column)
    {
        byte[] line = [.. "a{b=\""u8, .. value, .. "\"} 1\n"u8];
        byte[] among = [.. Encoding.UTF8.GetBytes(Padding), .. line, .. Encoding.UTF8.GetBytes(Padding)];

        foreach (byte[] input in (byte[][])[line, among])
        {
            PrometheusFormatException exception = Assert.Throws<PrometheusFormatException>(() =>
            {
                var reader = new PrometheusTextReader(input, Text);
                while (reader.Read())
                {
                }
            });
            Assert.Equal(column, exception.Column);
            Assert.Contains("UTF-8", exception.Reason, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_carriage_return_before_the_line_feed_is_refused_by_name()
    {
        PrometheusFormatException exception = Refused("a{b=\"c\"} 1\r\n");

        Assert.Equal((1L, 11), (exception.Line, exception.Column));
        Assert.Contains("carriage return", exception.Reason, StringComparison.Ordinal);
        Assert.DoesNotContain('\r', exception.Message);
    }

    [Fact]
    public void Carriage_returns_alone_are_refused_as_line_ends()
    {
        PrometheusFormatException exception = Refused("a 1\rb 2\rc 3\n");

        Assert.Equal(4, exception.Column);
        Assert.Contains("carriage return", exception.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void A_byte_order_mark_is_refused_by_name_at_the_beginning_and_is_no_name_later()
    {
        PrometheusFormatException first = Assert.Throws<PrometheusFormatException>(() =>
            PrometheusTextParser.ParseSamples("\uFEFFa 1\n", Text)
        );
        PrometheusFormatException later = Assert.Throws<PrometheusFormatException>(() =>
            PrometheusTextParser.ParseSamples("a 1\n\uFEFFb 2\n", Text)
        );

        Assert.Equal((1L, 1), (first.Line, first.Column));
        Assert.Contains("byte order mark", first.Reason, StringComparison.Ordinal);
        Assert.Equal((2L, 1, 4L), (later.Line, later.Column, later.ByteOffset));
    }

    [Fact]
    public void A_refused_line_is_refused_again_and_nothing_is_lost()
    {
        var reader = new PrometheusTextReader("a 1\nb x\nc 3\n"u8, Text);
        Assert.True(reader.Read());

        for (int i = 0; i < 2; i++)
        {
            long line = 0;
            try
            {
                reader.Read();
            }
            catch (PrometheusFormatException exception)
            {
                line = exception.Line;
            }

            Assert.Equal(2, line);
            Assert.Equal(4, reader.BytesConsumed);
        }
    }

    [Fact]
    public void An_endless_line_is_refused_when_it_exceeds_the_limit()
    {
        PrometheusParserOptions options = Text with { MaxLineLength = 100 };
        var input = new byte[101];
        input.AsSpan().Fill((byte)'a');

        PrometheusFormatException exception = Assert.Throws<PrometheusFormatException>(() =>
            new PrometheusTextReader(input, isFinalBlock: false, new PrometheusReaderState(options)).Read());
        Assert.Contains("MaxLineLength", exception.Reason, StringComparison.Ordinal);
        Assert.False(new PrometheusTextReader(input.AsSpan(0, 100), isFinalBlock: false, new PrometheusReaderState(options)).Read());
    }

    [Theory]
    [InlineData(3, true)]
    [InlineData(2, false)]
    public void Labels_beyond_the_limit_are_refused(int limit, bool isAccepted)
    {
        PrometheusParserOptions options = Text with { MaxLabels = limit, SkipMalformedLines = true };
        string line = "a{b=\"1\",c=\"2\",d=\"3\"} 1\n";

        foreach (string input in (string[])[line, line + line + line + line])
        {
            PrometheusSamples samples = PrometheusTextParser.ParseSamples(input, options);
            Assert.Equal(isAccepted, samples.Count > 0);
            Assert.Equal(isAccepted, samples.SkippedLineCount == 0);
        }
    }

    [Fact]
    public void Ten_thousand_labels_with_one_name_twice_are_refused_at_the_second()
    {
        PrometheusParserOptions options = Text with { MaxLabels = int.MaxValue };
        string labels = string.Join(',', Enumerable.Range(0, 10_000).Select(i => $"l{i}=\"v\""));

        Assert.Equal(10_000, PrometheusTextParser.ParseSamples($"a{{{labels}}} 1\n", options)[0].Labels.Count);
        PrometheusFormatException exception = Refused($"a{{{labels},l77=\"w\"}} 1\n", options);
        Assert.Contains("duplicate label name", exception.Reason, StringComparison.Ordinal);
        Assert.Equal(labels.Length + 4, exception.Column);
    }

    [Fact]
    public void A_name_that_is_the_same_when_unescaped_stands_twice()
    {
        PrometheusFormatException exception = Refused("a{\"\\\\z\"=\"1\",\"\\z\"=\"2\"} 1\n");

        Assert.Contains("duplicate label name", exception.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void Names_remembered_from_the_line_before_do_not_hide_a_name_that_stands_twice()
    {
        // Each separator of the last line stands in a line before it, in the same place.
        string[] lines = ["x{a=\"1\",b=\"2\"} 1\n", "y{b=\"1\"} 1\n", "y{b=\"1\",b=\"2\"} 1\n"];

        PrometheusFormatException exception = Assert.Throws<PrometheusFormatException>(() =>
            PrometheusTextParser.ParseSamples(Padding + string.Concat(lines) + Padding, Text));
        Assert.Equal(7, exception.Line);
    }

    [Theory]
    [InlineData("a 1\n", "EOF")]
    [InlineData("", "EOF")]
    [InlineData("# EOF\nb 1\n", "after")]
    [InlineData("# EOF\n\n", "after")]
    [InlineData("\n# EOF\n", "blank")]
    [InlineData("# other\n# EOF\n", "comments")]
    [InlineData(" a 1\n# EOF\n", "metric name")]
    [InlineData("a  1\n# EOF\n", "no value")]
    [InlineData("a\t1\n# EOF\n", "one space")]
    [InlineData("a{b=\"c\",} 1\n# EOF\n", "comma")]
    [InlineData("a_total 1 #{} 1\n# EOF\n", "exemplar")]
    [InlineData("a_total 1 # {\"b\"} 1\n# EOF\n", "exemplar")]
    [InlineData("# UNIT a seconds\n# EOF\n", "unit")]
    [InlineData("# TYPE a untyped\n# EOF\n", "type")]
    public void OpenMetrics_is_held_to_its_own_rules(string text, string reason)
    {
        PrometheusFormatException exception = Assert.Throws<PrometheusFormatException>(() =>
            PrometheusTextParser.ParseSamples(text, OpenMetrics)
        );

        Assert.Contains(reason, exception.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void Only_a_malformed_token_has_a_skipped_line()
    {
        var reader = new PrometheusTextReader("a 1\n"u8, Text);
        Assert.True(reader.Read());

        InvalidOperationException? exception = null;
        try
        {
            reader.GetSkippedLine();
        }
        catch (InvalidOperationException caught)
        {
            exception = caught;
        }

        Assert.Contains("TokenType", exception?.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_token_shows_nothing_of_the_line_before()
    {
        var options = new PrometheusParserOptions { Format = PrometheusFormat.OpenMetrics };
        var reader = new PrometheusTextReader("c_total 1 5 # {x=\"y\"} 7 8\nd 2\n# EOF\n"u8, options);
        Assert.True(reader.Read());
        Assert.Equal(
            (true, 7.0, 8000L, 1),
            (reader.HasExemplar, reader.ExemplarValue, reader.ExemplarTimestampMilliseconds, reader.ExemplarLabelCount)
        );
        Assert.True(reader.Read());
        Assert.Equal(
            (false, 0.0, 0L, false, 0),
            (
                reader.HasExemplar,
                reader.ExemplarValue,
                reader.ExemplarTimestampMilliseconds,
                reader.ExemplarHasTimestamp,
                reader.ExemplarLabelCount
            )
        );
        Assert.Equal((false, 0L), (reader.HasTimestamp, reader.TimestampMilliseconds));
        Assert.True(reader.Read());
        Assert.Equal((PrometheusTokenType.EndOfExposition, false, false), (reader.TokenType, reader.HasTimestamp, reader.HasExemplar));
    }

    [Fact]
    public void The_default_reader_reads_nothing() => Assert.False(default(PrometheusTextReader).Read());
}
