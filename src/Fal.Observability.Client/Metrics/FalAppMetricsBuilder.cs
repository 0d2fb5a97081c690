using System.Runtime.InteropServices;
using Fal.Observability.Client.Prometheus;

namespace Fal.Observability.Client;

/// <summary>Collects the samples of an exposition by app and gives the known ones their place.</summary>
internal sealed class FalAppMetricsBuilder(string name)
{
    private readonly List<PrometheusSample> _samples = [];
    private readonly List<((string State, string MachineType) Kind, double Count)> _runners = [];
    private readonly List<((string Method, string Status) Kind, double Count)> _received = [];
    private readonly List<((string Method, string Status) Kind, double Count)> _completed = [];
    private readonly List<(double UpperBound, double Count)> _latency = [];
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
                    continue;

                ref FalAppMetricsBuilder? builder = ref CollectionsMarshal.GetValueRefOrAddDefault(builders, app, out bool known);
                if (!known)
                    inOrder.Add(builder = new FalAppMetricsBuilder(app));

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
                Sum(_runners, (labels["state"] ?? "", labels["machine_type"] ?? ""), sample.Value);
                break;
            case FalMetricNames.RequestsReceived:
                Sum(_received, (labels["method"] ?? "", labels["status"] ?? ""), sample.Value);
                break;
            case FalMetricNames.RequestsCompleted:
                Sum(_completed, (labels["method"] ?? "", labels["status"] ?? ""), sample.Value);
                break;
            case FalMetricNames.RequestLatency:
                // A bound that is no number has no place in a distribution; the sample itself stays among the others.
                if (LatencyDistribution.TryParseBound(labels["le"], out double upperBound))
                    Sum(_latency, upperBound, sample.Value);

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
        Runners = [.. _runners.Select(r => new FalRunnerCount(r.Kind.State, r.Kind.MachineType, r.Count))],
        RequestsReceivedByMethod = [.. _received.Select(r => new FalRequestCount(r.Kind.Method, r.Kind.Status, r.Count))],
        RequestsCompletedByStatus = [.. _completed.Select(r => new FalRequestCount(r.Kind.Method, r.Kind.Status, r.Count))],
        Latency = _latency.Count == 0 ? null : new LatencyDistribution(_latency.Select(b => new HistogramBucket(b.UpperBound, b.Count))),
        RunnerCpuUsagePercent = _cpu,
        RunnerMemoryUsageBytes = _memory,
        RunnerGpuUtilizationPercent = _gpu,
        RunnerVramUsagePercent = _vram,
        RunnerGpuCount = _gpuCount,
        Samples = _samples,
    };

    private static void Sum(ref double? total, double value) => total = (total ?? 0) + value;

    /// <summary>Adds to the count of a kind. An app has a handful of kinds, so a scan beats a dictionary.</summary>
    private static void Sum<TKind>(List<(TKind Kind, double Count)> counts, TKind kind, double count)
        where TKind : IEquatable<TKind>
    {
        foreach (ref (TKind Kind, double Count) known in CollectionsMarshal.AsSpan(counts))
        {
            if (known.Kind.Equals(kind))
            {
                known.Count += count;
                return;
            }
        }

        counts.Add((kind, count));
    }
}
