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
    private const int Rounds = 6_000;

    [Theory]
    [InlineData(PrometheusFormat.Text)]
    [InlineData(PrometheusFormat.OpenMetrics)]
    public void The_reader_says_what_the_reference_says(PrometheusFormat format)
    {
        var run = new FuzzRun(Rounds, format == PrometheusFormat.Text ? 3 : 4);
        var reference = new ReferenceLineReader(format == PrometheusFormat.OpenMetrics);
        var options = new PrometheusParserOptions { Format = format, SkipMalformedLines = true, MaxLabels = int.MaxValue };
        using var guarded = new GuardedInput();
        long malformed = 0;
        long samples = 0;
        run.Go(random =>
        {
            byte[] input = FuzzInput.Make(random, format);
            bool atEnd = random.Next(2) == 0;
            List<string> expected = reference.Read(input);
            AssertSame(expected, Read(input, [input.Length], options, guarded, atEnd), input);
            AssertSame(expected, Read(input, FuzzInput.Cuts(random, input.Length), options, guarded, atEnd), input);
            malformed += expected.Count(line => line.EndsWith("malformed", StringComparison.Ordinal));
            samples += expected.Count(line => line.Contains(" sample ", StringComparison.Ordinal));
        });

        run.Report($"{samples} samples, {malformed} malformed lines");
        // The inputs must be neither all good nor all bad, or little is compared.
        Assert.True(malformed > run.Rounds && samples > run.Rounds, $"{malformed} malformed lines, {samples} samples");
    }

    [Fact]
    public void A_scrape_with_a_memory_gives_what_one_without_gives()
    {
        const int scrapesPerRound = 30;
        var run = new FuzzRun(Rounds / scrapesPerRound, 5);
        using var guarded = new GuardedInput();
        PrometheusParserOptions options = PrometheusParserOptions.Lenient with { Format = PrometheusFormat.Text };
        long compared = 0;
        long remembered = 0;
        run.Go(random =>
        {
            var scrape = new PrometheusScrape(
                options,
                random.Next(4) == 0 ? random.Next(10_000) : PrometheusScrape.DefaultMaxRememberedBytes
            );
            byte[] input = FuzzInput.Make(random, PrometheusFormat.Text);
            for (int number = 0; number < scrapesPerRound; number++)
            {
                // Mostly the last scrape with changes; now and then another one.
                input = random.Next(20) == 0 || input.Length > 20_000 ? FuzzInput.Make(random, PrometheusFormat.Text)
                    : FuzzInput.ChangeNumbers(random, random.Next(4) == 0 ? FuzzInput.Mutate(random, input, random.Next(3)) : input);
                PrometheusSamples expected = PrometheusTextParser.ParseSamples(input, options);
                ReadOnlySpan<byte> placed = guarded.Place(input, atEnd: random.Next(2) == 0).Span;
                PrometheusSamples samples = scrape.ParseSamples(placed);
                Assert.Equal(expected, samples);
                Assert.Equal(expected.SkippedLines, samples.SkippedLines);
                compared += samples.Count;

                if (number % 3 == 0)
                {
                    PrometheusExposition families = PrometheusTextParser.ParseFamilies(input, options);
                    PrometheusExposition replayed = scrape.ParseFamilies(placed);
                    Assert.Equal(families.Families.Select(Describe), replayed.Families.Select(Describe));
                    Assert.Equal(families.SkippedLines, replayed.SkippedLines);
                }
            }

            remembered += scrape.RememberedLines;
        });

        run.Report($"{compared} samples");
        Assert.True(remembered > run.Rounds);

        static string Describe(MetricFamily family) => $"{family} {family.Help} {string.Join('\n', family.Samples)}";
    }

    private static void AssertSame(List<string> expected, List<string> actual, byte[] input)
    {
        if (!expected.SequenceEqual(actual))
        {
            Assert.Fail($"Reference:\n{string.Join('\n', expected.Except(actual))}\nReader:\n{string.Join('\n', actual.Except(expected))}\nInput: {Encoding.Latin1.GetString(input)}");
        }
    }

    private static List<string> Read(byte[] input, int[] ends, PrometheusParserOptions options, GuardedInput guarded, bool atEnd)
    {
        var lines = new List<string>();
        var state = new PrometheusReaderState(options);
        int start = 0;
        foreach (int end in ends)
        {
            var reader = new PrometheusTextReader(guarded.Place(input.AsSpan(start, end - start), atEnd).Span, end == input.Length, state);
            while (reader.Read())
            {
                string said = reader.TokenType switch
                {
                    PrometheusTokenType.Malformed => reader.GetSkippedLine().WasKept ? "kept" : "malformed",
                    PrometheusTokenType.Help => $"help {reader.GetName()}",
                    PrometheusTokenType.Type or PrometheusTokenType.Unit =>
                        $"{(reader.TokenType == PrometheusTokenType.Type ? "type" : "unit")} {reader.GetName()} {reader.GetText()}",
                    PrometheusTokenType.Comment => "comment",
                    PrometheusTokenType.EndOfExposition => "end",
                    _ => ReferenceLineReader.Describe(
                        reader.GetName(),
                        Labels(reader.Labels),
                        reader.Value,
                        reader.HasTimestamp ? reader.TimestampMilliseconds : null,
                        reader.HasExemplar
                            ? ReferenceLineReader.Describe(
                                "",
                                Labels(reader.ExemplarLabels),
                                reader.ExemplarValue,
                                reader.ExemplarHasTimestamp ? reader.ExemplarTimestampMilliseconds : null,
                                ""
                            )
                            : ""
                    ),
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
}
