using System.Globalization;
using System.IO.Pipelines;
using System.Text;
using System.Text.Unicode;
using Fal.Observability.Client.Prometheus;
using Xunit;

namespace Fal.Observability.Client.Tests.Prometheus;

/// <summary>Damaged expositions through every entry point. See <see cref="FuzzRun"/> for how long.</summary>
public sealed class HostileInputTests
{
    [Fact]
    public async Task Every_entry_point_says_the_same_of_an_input_and_throws_nothing_but_a_format_exception()
    {
        var run = new FuzzRun(1_000, 6);
        using var guarded = new GuardedInput();
        long samples = 0;
        long refused = 0;
        await run.GoAsync(async random =>
        {
            var options = new PrometheusParserOptions
            {
                Format = random.Next(2) == 0 ? PrometheusFormat.Text : PrometheusFormat.OpenMetrics,
                SkipMalformedLines = random.Next(3) > 0,
                MaxLabels = random.Next(4) == 0 ? random.Next(20) : 1024,
                MaxLineLength = random.Next(6) == 0 ? random.Next(1, 300) : 1024 * 1024,
                MaxRecordedSkippedLines = int.MaxValue,
            };
            byte[] input = FuzzInput.Make(random, options.Format);
            ReadOnlyMemory<byte> placed = guarded.Place(input, atEnd: random.Next(2) == 0);
            int block = random.Next(1, input.Length + 2);

            Told read = Read(placed.Span, options);
            AssertSame(
                read,
                await TellAsync(o => Task.FromResult(Tell(PrometheusTextParser.ParseSamples(placed.Span, o))), options),
                input
            );
            AssertSame(
                read,
                await TellAsync(
                    o => Task.FromResult(Tell(PrometheusTextParser.ParseSamples(PrometheusTextParserTests.Cut(placed, block), o))),
                    options
                ),
                input
            );
            AssertSame(
                read,
                await TellAsync(
                    async o => Tell(await PrometheusTextParser.ParseSamplesAsync(new TricklingStream(input, block), o)),
                    options
                ),
                input
            );
            AssertSame(
                read,
                await TellAsync(
                    async o =>
                        Tell(
                            await PrometheusTextParser.ParseSamplesAsync(PipeReader.Create(PrometheusTextParserTests.Cut(placed, block)), o)
                        ),
                    options
                ),
                input
            );
            AssertSame(
                read,
                await TellAsync(o => TellAsync(PrometheusTextParser.StreamSamplesAsync(new TricklingStream(input, block), o)), options),
                input
            );
            AssertSame(
                read,
                await TellAsync(
                    o =>
                        TellAsync(
                            PrometheusTextParser.StreamSamplesAsync(PipeReader.Create(PrometheusTextParserTests.Cut(placed, block)), o)
                        ),
                    options
                ),
                input
            );

            if (options.SkipMalformedLines)
            {
                // What one line says does not depend on the families around it.
                IEnumerable<PrometheusSample> together = PrometheusTextParser
                    .ParseFamilies(placed.Span, options)
                    .Families.SelectMany(family => family.Samples);
                Assert.Equal(read.Lines.Order(StringComparer.Ordinal), together.Select(Describe).Order(StringComparer.Ordinal));
            }

            Told families = await TellAsync(o => Task.FromResult(Tell(PrometheusTextParser.ParseFamilies(placed.Span, o))), options);
            AssertSame(
                families,
                await TellAsync(
                    o => Task.FromResult(Tell(PrometheusTextParser.ParseFamilies(PrometheusTextParserTests.Cut(placed, block), o))),
                    options
                ),
                input
            );
            AssertSame(
                families,
                await TellAsync(
                    async o => Tell(await PrometheusTextParser.ParseFamiliesAsync(new TricklingStream(input, block), o)),
                    options
                ),
                input
            );
            AssertSame(
                families,
                await TellAsync(
                    async o =>
                        Tell(
                            await PrometheusTextParser.ParseFamiliesAsync(
                                PipeReader.Create(PrometheusTextParserTests.Cut(placed, block)),
                                o
                            )
                        ),
                    options
                ),
                input
            );

            var scrape = new PrometheusScrape(options);
            for (int time = 0; time < 2; time++)
            {
                AssertSame(
                    read,
                    await TellAsync(_ => Task.FromResult(Tell(scrape.ParseSamples(placed.Span))), options, reports: false),
                    input
                );
                AssertSame(
                    families,
                    await TellAsync(_ => Task.FromResult(Tell(scrape.ParseFamilies(placed.Span))), options, reports: false),
                    input
                );
            }

            string text = Encoding.UTF8.GetString(input);
            Told fromText = await TellAsync(o => Task.FromResult(Tell(PrometheusTextParser.ParseSamples(text, o))), options);
            Told familiesFromText = await TellAsync(o => Task.FromResult(Tell(PrometheusTextParser.ParseFamilies(text, o))), options);
            if (Utf8.IsValid(input))
            {
                AssertSame(read, fromText, input);
                AssertSame(families, familiesFromText, input);
            }

            PrometheusParserOptions detecting = options with { Format = PrometheusFormat.Detect };
            Told detected = Read(placed.Span, detecting);
            AssertSame(
                detected,
                await TellAsync(o => Task.FromResult(Tell(PrometheusTextParser.ParseSamples(placed.Span, o))), detecting),
                input
            );
            AssertSame(
                detected,
                await TellAsync(
                    o => Task.FromResult(Tell(PrometheusTextParser.ParseSamples(PrometheusTextParserTests.Cut(placed, block), o))),
                    detecting
                ),
                input
            );
            families = await TellAsync(o => Task.FromResult(Tell(PrometheusTextParser.ParseFamilies(placed.Span, o))), detecting);
            AssertSame(
                families,
                await TellAsync(
                    o => Task.FromResult(Tell(PrometheusTextParser.ParseFamilies(PrometheusTextParserTests.Cut(placed, block), o))),
                    detecting
                ),
                input
            );

            samples += read.Lines.Count;
            refused += read.Fault is null ? read.Reports.Count : 1;
        });

        run.Report($"{samples} samples, {refused} refusals");
        Assert.True(samples > run.Rounds && refused > run.Rounds / 2);
    }

    [Fact]
    public void What_was_read_can_be_asked_and_written_and_reads_back()
    {
        var run = new FuzzRun(3_000, 7);
        using var guarded = new GuardedInput();
        long written = 0;
        run.Go(random =>
        {
            PrometheusParserOptions options = PrometheusParserOptions.Lenient with
            {
                Format = random.Next(2) == 0 ? PrometheusFormat.Text : PrometheusFormat.OpenMetrics,
            };
            byte[] input = FuzzInput.Make(random, options.Format);
            PrometheusExposition exposition = PrometheusTextParser.ParseFamilies(guarded.Place(input, atEnd: true).Span, options);
            foreach (MetricFamily family in exposition.Families)
            {
                foreach (PrometheusHistogram histogram in family.GetHistograms())
                {
                    _ = histogram.Quantile(random.NextDouble());
                }

                _ = family.GetSummaries();
            }

            _ = FalMetricsSnapshot.Create(exposition, DateTimeOffset.UnixEpoch).Apps.Sum(app => app.QueueSize);

            // The text format holds whatever was read from it. OpenMetrics has rules that it may break.
            foreach (PrometheusFormat format in (PrometheusFormat[])[PrometheusFormat.Text, PrometheusFormat.OpenMetrics])
            {
                byte[] bytes;
                try
                {
                    bytes = PrometheusTextWriter.ToUtf8(exposition, format);
                }
                catch (ArgumentException) when (format == PrometheusFormat.OpenMetrics || options.Format == PrometheusFormat.OpenMetrics)
                {
                    continue;
                }

                PrometheusSamples again = PrometheusTextParser.ParseSamples(bytes, PrometheusParserOptions.Strict with { Format = format });
                Assert.Equal(exposition.Families.Sum(family => family.Samples.Count), again.Count);
                written += again.Count;
            }
        });

        run.Report($"{written} samples written");
        Assert.True(written > run.Rounds);
    }

    /// <summary>What a reader says of an input, whichever way it takes it.</summary>
    private static Told Read(ReadOnlySpan<byte> input, PrometheusParserOptions options)
    {
        var told = new Told([], [], null);
        string? last = null;
        var reader = new PrometheusTextReader(input, options);
        try
        {
            while (reader.Read())
            {
                if (reader.TokenType == PrometheusTokenType.Malformed)
                {
                    told.Reports.Add(reader.GetSkippedLine());
                }
                else if (reader.TokenType == PrometheusTokenType.Sample)
                {
                    PrometheusExemplar? exemplar = reader.HasExemplar
                        ? new PrometheusExemplar(
                            Labels(reader.ExemplarLabels),
                            reader.ExemplarValue,
                            reader.ExemplarHasTimestamp ? reader.ExemplarTimestampMilliseconds : null
                        )
                        : null;
                    LabelSet labels = Labels(reader.Labels);
                    // The reader shows every line. The parser leaves a sample out that repeats the one before it.
                    string? series = reader.IsOpenMetrics && reader.HasTimestamp
                        ? $"{reader.GetName()}{string.Join(',', labels.OrderBy(label => label.Key, StringComparer.Ordinal))} {reader.TimestampNanoseconds}" : null;
                    if (series is null || series != last)
                    {
                        told.Lines.Add(
                            Describe(
                                new PrometheusSample(
                                    reader.GetName(),
                                    labels,
                                    reader.Value,
                                    reader.HasTimestamp ? reader.TimestampMilliseconds : null,
                                    exemplar
                                )
                            )
                        );
                    }

                    last = series;
                }
                else
                {
                    _ = reader.GetName() + reader.GetText();
                    last = null;
                }
            }
        }
        catch (PrometheusFormatException e) when (!options.SkipMalformedLines)
        {
            PrometheusFormatException? again = null;
            try
            {
                reader.Read();
            }
            catch (PrometheusFormatException second)
            {
                again = second;
            }

            // Where it was refused, the reader stays; only a byte order mark is behind it.
            Assert.True(
                again?.Message == e.Message || e.Reason.Contains("byte order mark", StringComparison.Ordinal),
                $"{e.Message}\n{again?.Message}"
            );
            return told with { Fault = Describe(e) };
        }

        return told;
    }

    private static LabelSet Labels(PrometheusLabelEnumerator labels)
    {
        var list = new List<KeyValuePair<string, string>>();
        foreach (PrometheusLabel label in labels)
        {
            list.Add(new(label.GetName(), label.GetValue()));
        }

        return LabelSet.Create(list);
    }

    /// <summary>What an entry point gives, and what it reports meanwhile; or the only exception that it may throw.</summary>
    private static async Task<Told> TellAsync(
        Func<PrometheusParserOptions, Task<Told>> parse,
        PrometheusParserOptions options,
        bool reports = true
    )
    {
        var reported = new List<PrometheusSkippedLine>();
        try
        {
            Told told = await parse(options with { OnSkippedLine = reported.Add });
            if (reports && told.Reports.Count > 0)
            {
                Assert.Equal(reported, told.Reports);
            }

            return reports ? told with { Reports = reported } : told;
        }
        catch (PrometheusFormatException e) when (!options.SkipMalformedLines)
        {
            return new Told([], [], Describe(e));
        }
    }

    private static Told Tell(PrometheusSamples samples)
    {
        Assert.Equal(samples.SkippedLines.Count(line => !line.WasKept), samples.SkippedLineCount);
        return new Told([.. samples.Select(Describe)], [.. samples.SkippedLines], null);
    }

    private static async Task<Told> TellAsync(IAsyncEnumerable<PrometheusSample> samples)
    {
        var lines = new List<string>();
        await foreach (PrometheusSample sample in samples)
        {
            lines.Add(Describe(sample));
        }

        return new Told(lines, [], null);
    }

    private static Told Tell(PrometheusExposition exposition)
    {
        Assert.Equal(exposition.SkippedLines.Count(line => !line.WasKept), exposition.SkippedLineCount);
        return new Told([.. exposition.Families.SelectMany(Lines)], [.. exposition.SkippedLines], null);

        static IEnumerable<string> Lines(MetricFamily family) =>
            family.Samples.Select(Describe).Prepend($"{family.Name} {family.Type} {family.Unit} {family.Help}");
    }

    private static string Describe(PrometheusSample sample) => $"{sample} {sample.Exemplar}";

    private static string Describe(PrometheusFormatException e) =>
        string.Create(CultureInfo.InvariantCulture, $"{e.ByteOffset}: {e.Message}");

    private static void AssertSame(Told expected, Told actual, byte[] input)
    {
        if (
            expected.Fault != actual.Fault
            || (expected.Fault is null && !(expected.Lines.SequenceEqual(actual.Lines) && expected.Reports.SequenceEqual(actual.Reports)))
        )
        {
            string[] expectedLines = expected.ToString().Split('\n');
            string[] actualLines = actual.ToString().Split('\n');
            Assert.Fail($"Expected:\n{string.Join('\n', expectedLines.Except(actualLines))}\nActual:\n{string.Join('\n', actualLines.Except(expectedLines))}\nInput: {Encoding.Latin1.GetString(input)}");
        }
    }

    private sealed record Told(List<string> Lines, List<PrometheusSkippedLine> Reports, string? Fault)
    {
        public override string ToString() => $"{string.Join('\n', Lines)}\n{string.Join('\n', Reports)}\n{Fault}";
    }
}
