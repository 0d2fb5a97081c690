using System.Buffers;
using System.Globalization;
using System.Text;

namespace Fal.Observability.Client.Testing;

/// <summary>
/// The Prometheus route. The bytes are made once for each ten seconds in which somebody asks, and again when a script changes.
/// </summary>
internal sealed class MetricsEndpoint(TrafficModel model, FalSimulatorOptions options)
{
    private static readonly TimeSpan CachePeriod = TimeSpan.FromSeconds(10);

    private static readonly (string Label, double Seconds)[] LatencyBounds =
    [
        ("0.05", 0.05), ("0.1", 0.1), ("0.25", 0.25), ("0.5", 0.5), ("1.0", 1), ("2.5", 2.5), ("5.0", 5), ("10.0", 10),
        ("20.0", 20), ("30.0", 30), ("60.0", 60), ("120.0", 120), ("300.0", 300), ("600.0", 600), ("+Inf", double.PositiveInfinity),
    ];

    private readonly object _lock = new();
    private Answer? _cached;
    private DateTimeOffset _cachedAt;
    private long _cachedVersion;

    /// <summary>The exposition of now, or one at most ten seconds old that has every change of the scripts.</summary>
    public Answer Answer()
    {
        lock (_lock)
        {
            DateTimeOffset now = options.TimeProvider.GetUtcNow();
            long version = model.Scripted.Version;
            if (_cached is null || now - _cachedAt >= CachePeriod || version != _cachedVersion)
            {
                _cachedVersion = version;
                _cached = new Answer(200, Testing.Answer.Text, Write(now));
                _cachedAt = now;
            }
            return _cached;
        }
    }

    private ReadOnlyMemory<byte> Write(DateTimeOffset now)
    {
        long seconds = now.ToUnixTimeSeconds();
        int lastMinute = (int)(seconds / 60) - 1;
        var apps = new List<(byte[] Label, AppGauges Gauges)>();
        foreach (IAccountApp app in model.Apps)
        {
            AppGauges gauges = app.GaugesAt(lastMinute, seconds / 10);
            if (!gauges.IsAbsent)
            {
                apps.Add((Encoding.ASCII.GetBytes($"application=\"{app.Name}\""), gauges));
            }
        }

        var text = new ExpositionWriter((_cached?.Body.Length ?? 0) + 4096);
        text.Comment($"SIMULATED DATA: made up by the simulator of Fal.Observability.Client, {options.Source}");

        text.Family("fal_app_runners", "Number of fal app runners");
        foreach ((byte[] label, AppGauges gauges) in apps)
        {
            foreach (RunnerCount runners in gauges.Runners)
            {
                text.Start(label);
                text.Label("machine_type", runners.Machine);
                text.Label("state", runners.State);
                text.End(runners.Count);
            }
        }

        Gauge("fal_app_queue_size", "Current size of the fal app queue", gauges => gauges.Queue);
        Gauge("fal_app_concurrent_requests", "Current number of concurrent requests being processed", gauges => gauges.Concurrent);

        text.Family("fal_app_requests_completed", "Number of requests completed in the last minute");
        foreach ((byte[] label, AppGauges gauges) in apps)
        {
            foreach (CompletedCount completed in gauges.Completed)
            {
                text.Start(label);
                text.Label("method", completed.Method);
                text.Label("status", completed.Status.ToString(CultureInfo.InvariantCulture));
                text.End(completed.Count);
            }
        }

        text.Family("fal_app_requests_received", "Number of requests received in the last minute");
        foreach ((byte[] label, AppGauges gauges) in apps)
        {
            foreach (ReceivedCount received in gauges.Received)
            {
                text.Start(label);
                text.Label("method", received.Method);
                text.End(received.Count);
            }
        }

        text.Family("fal_app_request_latency", "Number of requests completed, bucketed by latency in seconds");
        foreach ((byte[] label, AppGauges gauges) in apps)
        {
            if (gauges.Latency is not { } latency)
            {
                continue;
            }

            foreach ((string bound, double upTo) in LatencyBounds)
            {
                text.Start(label);
                text.Label("le", bound);
                text.End(Math.Round(gauges.LatencyCount * latency.ShareUpTo(upTo)));
            }
        }

        Gauge("fal_app_runner_cpu_usage_percent", "CPU usage percent, summed over the app's runners", gauges => gauges.CpuPercent);
        Gauge("fal_app_runner_memory_usage_bytes", "Memory usage in bytes, summed over the app's runners", gauges => gauges.MemoryBytes);
        Gauge("fal_app_runner_gpu_utilization_percent", "GPU utilization percent, summed over the app's GPUs", gauges => gauges.GpuPercent);
        Gauge("fal_app_runner_vram_usage_percent", "VRAM usage percent, summed over the app's GPUs", gauges => gauges.VramPercent);
        Gauge("fal_app_runner_gpu_count", "Number of GPUs over the app's runners", gauges => gauges.GpuCount);
        return text.Written;

        void Gauge(string family, string help, Func<AppGauges, double?> value)
        {
            text.Family(family, help);
            foreach ((byte[] label, AppGauges gauges) in apps)
            {
                if (value(gauges) is { } sample)
                {
                    text.Start(label);
                    text.End(sample);
                }
            }
        }
    }

    /// <summary>Writes exposition text as UTF-8 bytes, without a string for each sample.</summary>
    private sealed class ExpositionWriter(int capacity)
    {
        private readonly ArrayBufferWriter<byte> _buffer = new(capacity);
        private byte[] _family = [];

        public ReadOnlyMemory<byte> Written => _buffer.WrittenMemory;

        public void Comment(string text) => Append($"# {text}\n");

        public void Family(string name, string help)
        {
            Append($"# HELP {name} {help} (simulated)\n# TYPE {name} gauge\n");
            _family = Encoding.ASCII.GetBytes(name);
        }

        public void Start(ReadOnlySpan<byte> application)
        {
            _buffer.Write(_family);
            _buffer.Write("{"u8);
            _buffer.Write(application);
        }

        public void Label(string name, string value)
        {
            // Only a script can bring what needs an escape.
            if (value.AsSpan().ContainsAny('\\', '"', '\n'))
            {
                value = value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)
                    .Replace("\n", "\\n", StringComparison.Ordinal);
            }

            _buffer.Write(","u8);
            Append(name);
            _buffer.Write("=\""u8);
            Append(value);
            _buffer.Write("\""u8);
        }

        public void End(double value)
        {
            _buffer.Write("} "u8);
            // The longest double has 24 characters.
            value.TryFormat(_buffer.GetSpan(32), out int written, provider: CultureInfo.InvariantCulture);
            _buffer.Advance(written);
            _buffer.Write("\n"u8);
        }

        private void Append(string text) => Encoding.UTF8.GetBytes(text, _buffer);
    }
}
