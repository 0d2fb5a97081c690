using System.Diagnostics;
using System.Globalization;
using System.IO.Pipelines;
using Fal.Observability.Client.Prometheus;

namespace Fal.Observability.Client.Benchmarks;

/// <summary>How cost grows with size: time for each sample from one app to ten thousand, and memory with the length of a stream.</summary>
internal static class ScaleMeasurement
{
    private const int BlockLength = 64 * 1024;

    public static void Linearity(TextWriter output, double seconds)
    {
        output.WriteLine("| apps | bytes | samples | reader, ns a sample | samples, ns a sample | families, ns a sample |");
        output.WriteLine("|---:|---:|---:|---:|---:|---:|");
        foreach (int apps in (int[])[1, 10, 100, 1_000, 10_000])
        {
            byte[] input = ExpositionGenerator.Fal(apps);
            int count = PrometheusTextParser.ParseSamples(input).Count;
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {apps} | {input.Length} | {count} | "
                + $"{NanosecondsASample(() => ParseMeasurement.Read(input, null)):F1} | "
                + $"{NanosecondsASample(() => PrometheusTextParser.ParseSamples(input)):F1} | "
                + $"{NanosecondsASample(() => PrometheusTextParser.ParseFamilies(input)):F1} |"));

            double NanosecondsASample(Action action) => ProcessorClock.Median(action, seconds, input.Length) / count * 1e9;
        }
    }

    /// <summary>Streams an exposition that nobody holds: its writer makes the values of each block as the pipe takes it.</summary>
    public static async Task<string> StreamAsync(int megabytes)
    {
        var pipe = new Pipe(new PipeOptions(pauseWriterThreshold: 4 * BlockLength, resumeWriterThreshold: 2 * BlockLength));
        Task<long> writing = WriteAsync(pipe.Writer, megabytes * 1_000_000L);
        var clock = Stopwatch.StartNew();
        long samples = 0;
        double sum = 0;
        await foreach (PrometheusSample sample in PrometheusTextParser.StreamSamplesAsync(pipe.Reader.AsStream()))
        {
            samples++;
            sum += sample.Value;
        }

        long written = await writing;
        using var process = Process.GetCurrentProcess();
        return string.Create(CultureInfo.InvariantCulture,
            $$"""{"bytes":{{written}},"samples":{{samples}},"sum":{{sum:F0}},"seconds":{{clock.Elapsed.TotalSeconds:F2}},"peak_working_set_mb":{{process.PeakWorkingSet64 / 1e6:F0}},"managed_heap_mb":{{GC.GetGCMemoryInfo().HeapSizeBytes / 1e6:F1}},"allocated_mb":{{GC.GetTotalAllocatedBytes() / 1e6:F0}}}""");
    }

    private static async Task<long> WriteAsync(PipeWriter writer, long length)
    {
        long written = 0;
        for (long app = 0; written < length; app++)
        {
            Memory<byte> memory = writer.GetMemory(BlockLength);
            int used = WriteApp(memory.Span, app);
            writer.Advance(used);
            written += used;
            await writer.FlushAsync();
        }

        await writer.CompleteAsync();
        return written;

        static int WriteApp(Span<byte> block, long app)
        {
            int used = 0;
            for (int bucket = 0; bucket < 100; bucket++)
            {
                System.Text.Unicode.Utf8.TryWrite(
                    block[used..],
                    CultureInfo.InvariantCulture,
                    $"fal_app_request_latency{{application=\"acme/model-{app}\",le=\"{bucket}\"}} {app * bucket % 100_003}\n",
                    out int line
                );
                used += line;
            }

            return used;
        }
    }
}
