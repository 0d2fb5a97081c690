using System.Runtime.InteropServices;
using Fal.Observability.Client.Prometheus;

namespace Fal.Observability.Client;

/// <summary>Collects the samples of an exposition by app and gives the known ones their place.</summary>
internal sealed class FalAppMetricsBuilder(string name)
{
    private readonly List<PrometheusSample> _samples = [];
    private readonly Counts<(string State, string MachineType)> _runners = new();
    private readonly Counts<(string Method, string Status)> _received = new();
    private readonly Counts<(string Method, string Status)> _completed = new();
    private readonly Counts<double> _latency = new();
    private double? _queueSize;
    private double? _concurrentRequests;
    private double? _cpu;
    private double? _memory;
    private double? _gpu;
    private double? _vram;
    private double? _gpuCount;

    public static FalAppMetrics[] Build(PrometheusExposition exposition)
    {
        var builders = new Dictionary<string, FalAppMetricsBuilder>(StringComparer.Ordinal);
        var inOrder = new List<FalAppMetricsBuilder>();
        foreach (MetricFamily family in exposition.Families)
        {
            foreach (PrometheusSample sample in family.Samples)
            {
                // A sample about no app is about the account, and stays with the families.
                if (sample.Labels[FalMetricNames.ApplicationLabel] is not { Length: > 0 } app)
                {
                    continue;
                }

                ref FalAppMetricsBuilder? builder = ref CollectionsMarshal.GetValueRefOrAddDefault(builders, app, out bool known);
                if (!known)
                {
                    inOrder.Add(builder = new FalAppMetricsBuilder(app));
                }

                builder!.Add(sample);
            }
        }

        return [.. inOrder.Select(builder => builder.Build())];
    }

    private void Add(PrometheusSample sample)
    {
        _samples.Add(sample);
        LabelSet labels = sample.Labels;
        switch (sample.Name)
        {
            case FalMetricNames.QueueSize:
                Sum(ref _queueSize, sample.Value);
                break;
            case FalMetricNames.ConcurrentRequests:
                Sum(ref _concurrentRequests, sample.Value);
                break;
            case FalMetricNames.Runners:
                _runners.Add((labels["state"] ?? "", labels["machine_type"] ?? ""), sample.Value);
                break;
            case FalMetricNames.RequestsReceived:
                _received.Add((labels["method"] ?? "", labels["status"] ?? ""), sample.Value);
                break;
            case FalMetricNames.RequestsCompleted:
                _completed.Add((labels["method"] ?? "", labels["status"] ?? ""), sample.Value);
                break;
            case FalMetricNames.RequestLatency:
                // A bound that is no number has no place in a distribution; the sample itself stays among the others.
                if (LatencyDistribution.TryParseBound(labels["le"], out double upperBound))
                {
                    _latency.Add(upperBound, sample.Value);
                }

                break;
            case FalMetricNames.RunnerCpuUsagePercent:
                Sum(ref _cpu, sample.Value);
                break;
            case FalMetricNames.RunnerMemoryUsageBytes:
                Sum(ref _memory, sample.Value);
                break;
            case FalMetricNames.RunnerGpuUtilizationPercent:
                Sum(ref _gpu, sample.Value);
                break;
            case FalMetricNames.RunnerVramUsagePercent:
                Sum(ref _vram, sample.Value);
                break;
            case FalMetricNames.RunnerGpuCount:
                Sum(ref _gpuCount, sample.Value);
                break;
            default:
                break;
        }
    }

    private FalAppMetrics Build() => new()
    {
        Name = name,
        QueueSize = _queueSize,
        ConcurrentRequests = _concurrentRequests,
        Runners = [.. _runners.Select((kind, count) => new FalRunnerCount(kind.State, kind.MachineType, count))],
        RequestsReceivedByMethod = [.. _received.Select((kind, count) => new FalRequestCount(kind.Method, kind.Status, count))],
        RequestsCompletedByStatus = [.. _completed.Select((kind, count) => new FalRequestCount(kind.Method, kind.Status, count))],
        Latency = _latency.Count == 0 ? null : new LatencyDistribution(_latency.Select((bound, count) => new HistogramBucket(bound, count))),
        RunnerCpuUsagePercent = _cpu,
        RunnerMemoryUsageBytes = _memory,
        RunnerGpuUtilizationPercent = _gpu,
        RunnerVramUsagePercent = _vram,
        RunnerGpuCount = _gpuCount,
        Samples = _samples,
    };

    private static void Sum(ref double? total, double value) => total = (total ?? 0) + value;

    /// <summary>Counts by kind, in the order in which the kinds come.</summary>
    private sealed class Counts<TKind>
        where TKind : notnull, IEquatable<TKind>
    {
        /// <summary>An app has a handful of kinds, which a scan finds faster than a dictionary; a hostile one has many.</summary>
        private const int MostToScan = 32;

        private readonly List<(TKind Kind, double Count)> _items = [];
        private Dictionary<TKind, int>? _places;

        public int Count => _items.Count;

        public IEnumerable<T> Select<T>(Func<TKind, double, T> select) => _items.Select(item => select(item.Kind, item.Count));

        public void Add(TKind kind, double count)
        {
            int place = Find(kind);
            if (place >= 0)
            {
                CollectionsMarshal.AsSpan(_items)[place].Count += count;
                return;
            }

            _places?.Add(kind, _items.Count);
            _items.Add((kind, count));
        }

        private int Find(TKind kind)
        {
            if (_items.Count > MostToScan)
            {
                _places ??= _items.Select((item, index) => (item.Kind, index)).ToDictionary(item => item.Kind, item => item.index);
                return _places.GetValueOrDefault(kind, -1);
            }

            for (int i = 0; i < _items.Count; i++)
            {
                if (_items[i].Kind.Equals(kind))
                {
                    return i;
                }
            }

            return -1;
        }
    }
}
