using System.Globalization;
using System.Text;

namespace Fal.Observability.Client.Benchmarks;

/// <summary>Writes expositions of the shapes that matter, the same bytes for the same seed. All of it is invented.</summary>
internal static class ExpositionGenerator
{
    private static readonly string[] Bounds =
    [
        "0.1",
        "0.25",
        "0.5",
        "1",
        "2.5",
        "5",
        "10",
        "25",
        "50",
        "100",
        "250",
        "500",
        "1000",
        "+Inf",
    ];

    /// <summary>The families of fal's metrics endpoint for a number of apps.</summary>
    public static byte[] Fal(int apps, int seed = 1)
    {
        var random = new Random(seed);
        string[] names = [.. Enumerable.Range(0, apps).Select(i => string.Create(CultureInfo.InvariantCulture, $"acme/{Model(i)}-{i:D5}"))];
        string[] machines = ["NVIDIA B200", "NVIDIA H100 80GB HBM3", "NVIDIA A100-SXM4-80GB", "L"];
        var text = new Text();

        text.Family("fal_app_runners", "Number of runners currently allocated");
        for (int i = 0; i < apps; i++)
        {
            foreach (string state in (string[])["dead", "pending", "running"])
            {
                text.Line($"fal_app_runners{{application=\"{names[i]}\",machine_type=\"{machines[i % machines.Length]}\",state=\"{state}\"}} {random.Next(40)}");
            }
        }

        text.Family("fal_app_queue_size", "Requests waiting in queue");
        for (int i = 0; i < apps; i++)
        {
            text.Line($"fal_app_queue_size{{application=\"{names[i]}\"}} {random.Next(2000)}");
        }

        text.Family("fal_app_concurrent_requests", "Requests being processed now");
        for (int i = 0; i < apps; i++)
        {
            text.Line($"fal_app_concurrent_requests{{application=\"{names[i]}\"}} {random.Next(500)}");
        }

        text.Family("fal_app_requests_completed", "Requests completed in the last minute");
        for (int i = 0; i < apps; i++)
        {
            foreach (string method in (string[])["GET", "POST"])
            {
                foreach (string status in (string[])["200", "400", "422", "500"])
                {
                    text.Line($"fal_app_requests_completed{{application=\"{names[i]}\",method=\"{method}\",status=\"{status}\"}} {random.Next(90000)}");
                }
            }
        }

        text.Family("fal_app_requests_received", "Requests received in the last minute");
        for (int i = 0; i < apps; i++)
        {
            foreach (string method in (string[])["GET", "POST"])
            {
                text.Line($"fal_app_requests_received{{application=\"{names[i]}\",method=\"{method}\"}} {random.Next(99000)}");
            }
        }

        text.Family("fal_app_request_latency", "Completed requests bucketed by latency in seconds");
        for (int i = 0; i < apps; i++)
        {
            int count = 0;
            foreach (string bound in Bounds)
            {
                text.Line($"fal_app_request_latency{{application=\"{names[i]}\",le=\"{bound}\"}} {count += random.Next(3000)}");
            }
        }

        foreach (
            (string name, string help, Func<string> value) in (ReadOnlySpan<(string, string, Func<string>)>)
                [
                    (
                        "fal_app_runner_cpu_usage_percent",
                        "CPU, summed over runners",
                        () => (random.NextDouble() * 800).ToString("R", CultureInfo.InvariantCulture)
                    ),
                    (
                        "fal_app_runner_memory_usage_bytes",
                        "Memory, summed over runners",
                        () => random.NextInt64(1L << 36).ToString(CultureInfo.InvariantCulture)
                    ),
                ]
        )
        {
            text.Family(name, help);
            for (int i = 0; i < apps; i++)
            {
                text.Line($"{name}{{application=\"{names[i]}\"}} {value()}");
            }
        }

        return text.ToUtf8();
    }

    /// <summary>Histograms of sixty buckets with timestamps, escapes and text beyond ASCII.</summary>
    public static byte[] Histograms(int count, int seed = 1)
    {
        var random = new Random(seed);
        var text = new Text();
        for (int i = 0; i < count; i++)
        {
            if (i % 50 == 0)
            {
                text.Line($"# HELP request_{i / 50}_seconds How long it took, \"quoted\"\\nand on two lines\n# TYPE request_{i / 50}_seconds histogram");
            }

            string labels = $"path=\"C:\\\\data\\\\{i}\",city=\"Zürich \\\"{i % 7}\\\"\"";
            long timestamp = 1_767_225_600_000 + i;
            long total = 0;
            for (int bucket = 1; bucket <= 60; bucket++)
            {
                text.Line($"request_{i / 50}_seconds_bucket{{{labels},le=\"{(bucket == 60 ? "+Inf" : (bucket * 0.05).ToString("0.##", CultureInfo.InvariantCulture))}\"}} {total += random.Next(100)} {timestamp}");
            }

            text.Line($"request_{i / 50}_seconds_sum{{{labels}}} {(total * random.NextDouble()).ToString("R", CultureInfo.InvariantCulture)} {timestamp}");
            text.Line($"request_{i / 50}_seconds_count{{{labels}}} {total} {timestamp}");
        }

        return text.ToUtf8();
    }

    private static string Model(int i) =>
        (i % 5) switch
        {
            0 => "image-fast",
            1 => "video",
            2 => "speech-to-text",
            3 => "upscaler",
            _ => "llm-router",
        };

    private sealed class Text
    {
        private readonly StringBuilder _builder = new();

        public void Line(FormattableString line) => _builder.Append(line.ToString(CultureInfo.InvariantCulture)).Append('\n');

        public void Family(string name, string help) => Line($"# HELP {name} {help}\n# TYPE {name} gauge");

        public byte[] ToUtf8() => Encoding.UTF8.GetBytes(_builder.ToString());
    }
}
