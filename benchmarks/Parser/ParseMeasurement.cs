using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Fal.Observability.Client.Prometheus;

namespace Fal.Observability.Client.Benchmarks;

/// <summary>
/// Measures one way of reading one file: rounds until the time is up, after a warm-up, the median of them reported, in
/// processor time; and in the same run, round by round, the search for line feeds over the same bytes, which is the floor to compare with.
/// </summary>
internal static class ParseMeasurement
{
    public static string[] Modes => ["reader", "samples", "families", "replay", "churn", "replay-families", "snapshot"];

    /// <summary>So many scrapes follow one another in turn where the memory of the last one is what is measured.</summary>
    private const int Scrapes = 4;

    public static string Run(string file, string mode, double seconds)
    {
        byte[] file0 = File.ReadAllBytes(file);
        byte[][] inputs = mode switch
        {
            "replay" or "replay-families" or "snapshot" =>
            [
                .. Enumerable.Range(0, Scrapes).Select(i => ScrapeVariations.WithOtherValues(file0, i)),
            ],
            "churn" =>
            [
                .. Enumerable
                    .Range(0, Scrapes)
                    .Select(i => ScrapeVariations.WithOtherSeries(ScrapeVariations.WithOtherValues(file0, i), i)),
            ],
            _ => [file0],
        };
        byte[] input = inputs[0];
        int turn = 0;
        var scrape = new PrometheusScrape();
        Func<byte[], long> read = mode switch
        {
            "replay" or "churn" => _ => scrape.ParseSamples(inputs[turn++ % inputs.Length]).Count,
            "replay-families" => _ =>
                scrape.ParseFamilies(inputs[turn++ % inputs.Length]).Families.Sum(family => (long)family.Samples.Count),
            "snapshot" => _ => Snapshot(inputs[turn++ % inputs.Length], scrape),
            "reader" => static bytes => Read(bytes, null),
            "samples" => static bytes => PrometheusTextParser.ParseSamples(bytes).Count,
            "families" => static bytes => PrometheusTextParser.ParseFamilies(bytes).Families.Sum(family => (long)family.Samples.Count),
            _ => throw new ArgumentException($"'{mode}' is no mode: {string.Join(", ", Modes)}."),
        };

        // Small inputs are repeated within a round, or the clock would be what is measured.
        int repeats = Math.Max(1, 4_000_000 / Math.Max(1, input.Length));
        long samples = 0;
        var readTimes = new List<double>();
        var floorTimes = new List<double>();
        Measure(Math.Max(1, seconds / 3));
        readTimes.Clear();
        floorTimes.Clear();
        long allocatedBefore = GC.GetAllocatedBytesForCurrentThread();
        Measure(seconds);
        long allocated = GC.GetAllocatedBytesForCurrentThread() - allocatedBefore;

        void Measure(double limit)
        {
            for (double spent = 0; spent < limit || readTimes.Count < 3; spent += readTimes[^1] + floorTimes[^1])
            {
                readTimes.Add(ProcessorClock.Measure(() => Repeat(_ => samples = read(input))));
                floorTimes.Add(ProcessorClock.Measure(() => Repeat(CountLines)));
            }
        }

        void Repeat(Action<byte[]> action)
        {
            for (int i = 0; i < repeats; i++)
            {
                action(input);
            }
        }

        long rounds = readTimes.Count;
        double time = ProcessorClock.Median(readTimes) / repeats;
        double floor = ProcessorClock.Median(floorTimes) / repeats;
        double bytesPerSample = (double)allocated / rounds / repeats / Math.Max(1, samples);
        int vectorBits =
            Vector512.IsHardwareAccelerated ? 512
            : Vector256.IsHardwareAccelerated ? 256
            : Vector128.IsHardwareAccelerated ? 128
            : 0;
        return string.Create(
            CultureInfo.InvariantCulture,
            $$"""{"mode":"{{mode}}","file":"{{Path.GetFileName(file)}}","bytes":{{input.Length}},"samples":{{samples}},"mb_per_s":{{input.Length / time / 1e6:F0}},"samples_per_s":{{samples / time:F0}},"bytes_per_sample":{{bytesPerSample:F1}},"newline_floor_mb_per_s":{{input.Length / floor / 1e6:F0}},"ratio":{{floor / time:F3}},"best_ratio":{{floorTimes[0] / readTimes[0]:F3}},"vector_bits":{{vectorBits}}}"""
        );
    }

    /// <summary>Everything that a sample has is looked at, so that nothing is left out of the measurement.</summary>
    public static long Read(byte[] input, PrometheusParserOptions? options)
    {
        var reader = new PrometheusTextReader(input, options);
        long samples = 0;
        long length = 0;
        double sum = 0;
        while (reader.Read())
        {
            if (reader.TokenType != PrometheusTokenType.Sample)
            {
                continue;
            }

            samples++;
            sum += reader.Value;
            length += reader.Name.Length;
            foreach (PrometheusLabel label in reader.Labels)
            {
                length += label.Name.Length + label.Value.Length;
            }
        }

        return length + sum == double.NegativeInfinity ? -1 : samples;
    }

    /// <summary>What a client does with each body: typed apps over families, whose shape may be known and whose values are new.</summary>
    private static long Snapshot(byte[] input, PrometheusScrape scrape)
    {
        FalMetricsSnapshot snapshot = FalMetricsSnapshot.Create(scrape.ParseFamilies(input), DateTimeOffset.UnixEpoch);
        return snapshot.Families.Sum(family => (long)family.Samples.Count);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void CountLines(byte[] input)
    {
        ReadOnlySpan<byte> bytes = input;
        for (int newline = bytes.IndexOf((byte)'\n'); newline >= 0; newline = bytes.IndexOf((byte)'\n'))
        {
            bytes = bytes[(newline + 1)..];
        }
    }
}
