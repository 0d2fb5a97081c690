using System.Globalization;
using System.Text;
using Fal.Observability.Client.Prometheus;
using Xunit;

namespace Fal.Observability.Client.Tests.Prometheus;

/// <summary>
/// Inputs made by chance from pieces of valid ones, read by the reader in several ways and by the slow reference. See
/// <see cref="FuzzRun"/> for how long.
/// </summary>
public sealed class DifferentialTests
{
    private static readonly string[] Seeds =
    [
        "# HELP fal_app_runners Number of fal app runners\n# TYPE fal_app_runners gauge\nfal_app_runners{application=\"my/app\",machine_type=\"NVIDIA B200\",state=\"running\"} 21\nfal_app_runners{application=\"my/app\",machine_type=\"NVIDIA B200\",state=\"dead\"} 0\nfal_app_queue_size{application=\"my/app\"} 7\nfal_app_queue_size{application=\"my/app2\"} 123456789\n",
        "# TYPE fal_app_request_latency gauge\nfal_app_request_latency{application=\"my/app\",le=\"1.0\"} 5\nfal_app_request_latency{application=\"my/app\",le=\"+Inf\"} 24 1395066363000\nfal_app_request_latency{application=\"my/app\",le=\"+Inf\"} 2.5e-3 -5\n",
        "msdos_file_access_time_seconds{path=\"C:\\\\DIR\\\\FILE.TXT\",error=\"Cannot find file:\\n\\\"FILE.TXT\\\"\"} 1.458255915e9\n{\"utf8.näme\",\"läbel\"=\"välue\",plain=\"x\"} -Inf\nmetric_without_timestamp_and_labels 12.47\n",
        "# HELP a \\\\ and \\n and \"\n# TYPE a histogram\na_bucket { le = \"0.5\" , } 1\na_bucket{le=\"+Inf\",} NaN\na_sum\t1e300\na_count 0\n\n# comment\n#\n# TYPE\n",
        "# TYPE a counter\n# UNIT a_seconds seconds\n# HELP a help\na_total{b=\"c\"} 17.0 1520879607.789 # {trace_id=\"x y\",s=\"\\\"\"} 0.5 1520879607\na_total 1 # {} 2\n# EOF\n",
        "x{a=\"1\",b=\"2\"} 1\ny{b=\"1\"} 1\ny{b=\"1\",c=\"2\"} 1\ny{c=\"1\",b=\"2\"} 1\nx{a=\"é\",b=\"\"} 00012\nx{a=\"\",b=\"😀\"} 99999999\n",
    ];

    private static readonly string[] Pieces =
    [
        "\"", "\\", "\n", "{", "}", ",", "=", " ", "\t", "\r", "\r\n", "#", "# EOF\n", "\0", "\u00FF", "\u00C3", "\u00EF\u00BB\u00BF", "a", "_", ":", "1", "-", "+", ".", "e5", "NaN", "1e400", "__name__",
        "\\\"", "\\\\", "\",", "\"}", "=\"", " # {", "\n\n", "# HELP ", "# TYPE ", "# UNIT ", " gauge", "0x1", "99999999999999999999", "\",a=\"", "{\"q\"} ", "\u00C3\u00A9",
    ];

    private const int Rounds = 6_000;

    [Theory]
    [InlineData(PrometheusFormat.Text)]
    [InlineData(PrometheusFormat.OpenMetrics)]
    public void The_reader_says_what_the_reference_says(PrometheusFormat format)
    {
        var run = new FuzzRun(Rounds, format == PrometheusFormat.Text ? 1 : 2);
        Random random = run.Random;
        var reference = new ReferenceLineReader(format == PrometheusFormat.OpenMetrics);
        var options = new PrometheusParserOptions { Format = format, SkipMalformedLines = true, MaxLabels = int.MaxValue };
        long malformed = 0;
        long samples = 0;
        while (run.Next())
        {
            byte[] input = Make(random, format);
            List<string> expected = reference.Read(input);
            AssertSame(expected, Read(input, [input.Length], options), input);
            AssertSame(expected, Read(input, Cuts(random, input.Length), options), input);
            malformed += expected.Count(line => line.EndsWith("malformed", StringComparison.Ordinal));
            samples += expected.Count(line => line.Contains(" sample ", StringComparison.Ordinal));
        }

        run.Report($"{samples} samples, {malformed} malformed lines");
        // The inputs must be neither all good nor all bad, or little is compared.
        Assert.True(malformed > run.Rounds && samples > run.Rounds, $"{malformed} malformed lines, {samples} samples");
    }

    [Fact]
    public void A_scrape_with_a_memory_gives_what_one_without_gives()
    {
        var run = new FuzzRun(Rounds, 3);
        Random random = run.Random;
        PrometheusParserOptions options = PrometheusParserOptions.Lenient with { Format = PrometheusFormat.Text };
        var scrape = new PrometheusScrape(options);
        byte[] input = Make(random, PrometheusFormat.Text);
        long compared = 0;
        while (run.Next())
        {
            // Mostly the last scrape with changes; now and then another one.
            input = random.Next(20) == 0 ? Make(random, PrometheusFormat.Text) : ChangeNumbers(random, random.Next(4) == 0 ? Mutate(random, input, random.Next(3)) : input);
            if (input.Length > 20_000)
            {
                input = Make(random, PrometheusFormat.Text);
            }

            PrometheusSamples expected = PrometheusTextParser.ParseSamples(input, options);
            PrometheusSamples samples = scrape.ParseSamples(input);
            Assert.Equal(expected, samples);
            Assert.Equal(expected.SkippedLines, samples.SkippedLines);
            compared += samples.Count;

            if (run.Rounds % 3 == 0)
            {
                PrometheusExposition families = PrometheusTextParser.ParseFamilies(input, options);
                PrometheusExposition replayed = scrape.ParseFamilies(input);
                Assert.Equal(families.Families.Select(Describe), replayed.Families.Select(Describe));
                Assert.Equal(families.SkippedLines, replayed.SkippedLines);
            }
            else if (run.Rounds % 3 == 1)
            {
                Assert.Equal(expected, ReadAll(input, scrape));
            }
        }

        run.Report($"{compared} samples");
        Assert.True(scrape.RememberedLines > 0);

        static string Describe(MetricFamily family) => $"{family} {family.Help} {string.Join('\n', family.Samples)}";

        static List<PrometheusSample> ReadAll(byte[] input, PrometheusScrape scrape)
        {
            var samples = new List<PrometheusSample>();
            var reader = new PrometheusScrapeReader(input, scrape);
            while (reader.Read())
            {
                samples.Add(reader.Sample);
            }

            return samples;
        }
    }

    private static void AssertSame(List<string> expected, List<string> actual, byte[] input)
    {
        if (!expected.SequenceEqual(actual))
        {
            Assert.Fail($"Reference:\n{string.Join('\n', expected.Except(actual))}\nReader:\n{string.Join('\n', actual.Except(expected))}\nInput: {Encoding.Latin1.GetString(input)}");
        }
    }

    private static List<string> Read(byte[] input, int[] ends, PrometheusParserOptions options)
    {
        var lines = new List<string>();
        var state = new PrometheusReaderState(options);
        int start = 0;
        foreach (int end in ends)
        {
            var reader = new PrometheusTextReader(input.AsSpan(start, end - start), end == input.Length, state);
            while (reader.Read())
            {
                string said = reader.TokenType switch
                {
                    PrometheusTokenType.Malformed => reader.GetSkippedLine().WasKept ? "kept" : "malformed",
                    PrometheusTokenType.Help => $"help {reader.GetName()}",
                    PrometheusTokenType.Type or PrometheusTokenType.Unit => $"{(reader.TokenType == PrometheusTokenType.Type ? "type" : "unit")} {reader.GetName()} {reader.GetText()}",
                    PrometheusTokenType.Comment => "comment",
                    PrometheusTokenType.EndOfExposition => "end",
                    _ => ReferenceLineReader.Describe(reader.GetName(), Labels(reader.Labels), reader.Value, reader.HasTimestamp ? reader.TimestampMilliseconds : null,
                        reader.HasExemplar ? ReferenceLineReader.Describe("", Labels(reader.ExemplarLabels), reader.ExemplarValue, reader.ExemplarHasTimestamp ? reader.ExemplarTimestampMilliseconds : null, "") : ""),
                };
                lines.Add(string.Create(CultureInfo.InvariantCulture, $"{reader.LineNumber} {said}"));
            }

            start += reader.BytesConsumed;
            state = reader.CurrentState;
        }

        return lines;

        static List<(string, string)> Labels(PrometheusLabelEnumerator labels)
        {
            var list = new List<(string, string)>();
            foreach (PrometheusLabel label in labels)
            {
                list.Add((label.GetName(), label.GetValue()));
            }

            return list;
        }
    }

    private static int[] Cuts(Random random, int length) =>
        [.. Enumerable.Range(0, random.Next(4)).Select(_ => random.Next(length + 1)).Append(length).Distinct().Order()];

    private static byte[] Make(Random random, PrometheusFormat format)
    {
        var text = new StringBuilder();
        // Now and then one that goes beyond what the reader indexes at a time.
        for (int seeds = random.Next(200) == 0 ? 100 : random.Next(1, 5); seeds > 0; seeds--)
        {
            string seed = Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(Seeds[random.Next(Seeds.Length)]));
            if (format == PrometheusFormat.OpenMetrics)
            {
                seed = seed.Replace("# EOF\n", "", StringComparison.Ordinal).Replace("\n\n", "\n", StringComparison.Ordinal);
            }

            string[] lines = seed.Split('\n', StringSplitOptions.None);
            for (int repeats = random.Next(1, 4); repeats > 0; repeats--)
            {
                text.Append(string.Join('\n', random.Next(2) == 0 ? lines : [.. lines.OrderBy(_ => random.Next())])).Append(seed.EndsWith('\n') ? "" : "\n");
            }
        }

        if (format == PrometheusFormat.OpenMetrics && random.Next(5) > 0)
        {
            text.Append("# EOF\n");
        }

        return Mutate(random, Encoding.Latin1.GetBytes(text.ToString()), random.Next(6));
    }

    private static byte[] Mutate(Random random, byte[] input, int changes)
    {
        var bytes = new List<byte>(input);
        for (; changes > 0 && bytes.Count > 0; changes--)
        {
            int place = random.Next(bytes.Count);
            switch (random.Next(5))
            {
                case 0:
                    bytes.RemoveRange(place, Math.Min(random.Next(1, 9), bytes.Count - place));
                    break;
                case 1:
                    bytes[place] = (byte)random.Next(256);
                    break;
                case 2:
                    int from = random.Next(bytes.Count);
                    bytes.InsertRange(place, bytes.GetRange(from, Math.Min(random.Next(1, 120), bytes.Count - from)));
                    break;
                default:
                    bytes.InsertRange(place, Encoding.Latin1.GetBytes(Pieces[random.Next(Pieces.Length)]));
                    break;
            }
        }

        return [.. bytes];
    }

    private static byte[] ChangeNumbers(Random random, byte[] input)
    {
        byte[] changed = [.. input];
        for (int i = 1; i < changed.Length; i++)
        {
            if (changed[i - 1] == ' ' && changed[i] is >= (byte)'0' and <= (byte)'9')
            {
                changed[i] = (byte)('0' + random.Next(10));
            }
        }

        return changed;
    }
}
