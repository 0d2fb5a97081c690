using System.Buffers;
using System.Globalization;
using System.Text;

namespace Fal.Observability.Client.Testing;

/// <summary>The Prometheus route. The bytes are made once for each ten seconds in which somebody asks.</summary>
internal sealed class MetricsEndpoint(TrafficModel model, SimulatorOptions options)
{
    private static readonly TimeSpan CachePeriod = TimeSpan.FromSeconds(10);

    private static readonly (string Label, double Seconds)[] LatencyBounds =
    [
        ("0.05", 0.05), ("0.1", 0.1), ("0.25", 0.25), ("0.5", 0.5), ("1.0", 1), ("2.5", 2.5), ("5.0", 5), ("10.0", 10),
        ("20.0", 20), ("30.0", 30), ("60.0", 60), ("120.0", 120), ("300.0", 300), ("600.0", 600), ("+Inf", double.PositiveInfinity),
    ];

    private readonly Lock _lock = new();
    private Answer? _cached;
    private DateTimeOffset _cachedAt;

    /// <summary>The exposition of now, or one at most ten seconds old.</summary>
    public Answer Answer()
    {
        lock (_lock)
        {
            DateTimeOffset now = options.TimeProvider.GetUtcNow();
            if (_cached is null || now - _cachedAt >= CachePeriod)
            {
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
        var apps = new List<(SimulatedApp App, byte[] Label, AppGauges Gauges)>(model.Apps.Count);
        foreach (SimulatedApp app in model.Apps)
        {
            AppGauges gauges = app.GaugesAt(lastMinute, seconds / 10);
            if (options.ScaleToZero != ScaledToZero.Absent || !gauges.AtZero)
            {
                apps.Add((app, Encoding.ASCII.GetBytes($"application=\"{app.Name}\""), gauges));
            }
        }

        var text = new ExpositionWriter((_cached?.Body.Length ?? 0) + 4096);
        text.Comment(string.Create(
            CultureInfo.InvariantCulture, $"SIMULATED DATA: made up by the simulator of Fal.Observability.Client, seed {options.Seed}"));

        text.Family("fal_app_runners", "Number of fal app runners");
        foreach ((SimulatedApp app, byte[] label, AppGauges gauges) in apps)
        {
            for (int i = 0; i < app.MachineTypes.Count; i++)
            {
                string machine = app.MachineTypes[i];
                Runners(label, machine, "dead", app.ShareOf(gauges.Dead, i));
                Runners(label, machine, "pending", app.ShareOf(gauges.Pending, i));
                Runners(label, machine, "running", app.ShareOf(gauges.Running, i), ShowsZeros(gauges));
            }
        }

        text.Family("fal_app_queue_size", "Current size of the fal app queue");
        foreach ((_, byte[] label, AppGauges gauges) in apps)
        {
            text.Sample(label, gauges.Queue);
        }

        text.Family("fal_app_concurrent_requests", "Current number of concurrent requests being processed");
        foreach ((_, byte[] label, AppGauges gauges) in apps)
        {
            text.Sample(label, gauges.Concurrent);
        }

        text.Family("fal_app_requests_completed", "Number of requests completed in the last minute");
        foreach ((SimulatedApp app, byte[] label, AppGauges gauges) in apps)
        {
            TrafficTotals traffic = gauges.Traffic;
            long gets = Gets(app, traffic);
            long unprocessable = traffic.UserErrors * 2 / 3;
            Completed(label, "GET", 200, gets);
            Completed(label, "POST", 200, traffic.Successes - gets);
            Completed(label, "POST", 400, traffic.UserErrors - unprocessable);
            Completed(label, "POST", 422, unprocessable);
            Completed(label, "POST", 500, traffic.RuntimeErrors);
            Completed(label, "POST", 502, traffic.ConnectionErrors);
            Completed(label, "POST", 503, traffic.StartupErrors);
            Completed(label, "POST", 504, traffic.TimeoutErrors);
        }

        text.Family("fal_app_requests_received", "Number of requests received in the last minute");
        foreach ((SimulatedApp app, byte[] label, AppGauges gauges) in apps)
        {
            long gets = Math.Min(Gets(app, gauges.Traffic), gauges.Received);
            Received(label, "GET", gets);
            Received(label, "POST", gauges.Received - gets);
        }

        text.Family("fal_app_request_latency", "Number of requests completed, bucketed by latency in seconds");
        foreach ((_, byte[] label, AppGauges gauges) in apps)
        {
            if (gauges.Running == 0 && !ShowsZeros(gauges))
            {
                continue;
            }

            foreach ((string bound, double upTo) in LatencyBounds)
            {
                text.Start(label);
                text.Label("le", bound);
                text.End(Math.Round(gauges.Traffic.Requests * gauges.Traffic.Execution.ShareUpTo(upTo)));
            }
        }

        PerRunner("fal_app_runner_cpu_usage_percent", "CPU usage percent, summed over the app's runners", app => app.CpuPercent);
        PerRunner("fal_app_runner_memory_usage_bytes", "Memory usage in bytes, summed over the app's runners", app => app.MemoryBytes);
        PerGpu("fal_app_runner_gpu_utilization_percent", "GPU utilization percent, summed over the app's GPUs", app => app.GpuPercent);
        PerGpu("fal_app_runner_vram_usage_percent", "VRAM usage percent, summed over the app's GPUs", app => app.VramPercent);
        PerGpu("fal_app_runner_gpu_count", "Number of GPUs over the app's runners", app => app.GpuCount);
        return text.Written;

        bool ShowsZeros(AppGauges gauges) => gauges.AtZero && options.ScaleToZero == ScaledToZero.Zeros;

        void Runners(byte[] label, string machine, string state, int count, bool withZero = false)
        {
            if (count == 0 && !withZero)
            {
                return;
            }

            text.Start(label);
            text.Label("machine_type", machine);
            text.Label("state", state);
            text.End(count);
        }

        void Completed(byte[] label, string method, int status, long count)
        {
            if (count == 0)
            {
                return;
            }

            text.Start(label);
            text.Label("method", method);
            text.Label("status", status.ToString(CultureInfo.InvariantCulture));
            text.End(count);
        }

        void Received(byte[] label, string method, long count)
        {
            if (count == 0)
            {
                return;
            }

            text.Start(label);
            text.Label("method", method);
            text.End(count);
        }

        void PerRunner(string family, string help, Func<AppGauges, double> value)
        {
            text.Family(family, help);
            foreach ((_, byte[] label, AppGauges gauges) in apps)
            {
                if (gauges.Running > 0 || ShowsZeros(gauges))
                {
                    text.Sample(label, value(gauges));
                }
            }
        }

        void PerGpu(string family, string help, Func<AppGauges, double> value)
        {
            text.Family(family, help);
            foreach ((SimulatedApp app, byte[] label, AppGauges gauges) in apps)
            {
                if (gauges.GpuCount > 0 || (app.HasGpu && ShowsZeros(gauges)))
                {
                    text.Sample(label, value(gauges));
                }
            }
        }
    }

    private static long Gets(SimulatedApp app, TrafficTotals traffic) => app.ServesGet ? traffic.Successes / 10 : 0;

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

        /// <summary>A sample without further labels.</summary>
        public void Sample(ReadOnlySpan<byte> application, double value)
        {
            Start(application);
            End(value);
        }

        public void Start(ReadOnlySpan<byte> application)
        {
            _buffer.Write(_family);
            _buffer.Write("{"u8);
            _buffer.Write(application);
        }

        // No name, machine type or state of the model needs an escape.
        public void Label(string name, string value)
        {
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

        private void Append(string text) => Encoding.ASCII.GetBytes(text, _buffer);
    }
}
