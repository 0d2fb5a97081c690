using System.Collections.Immutable;

namespace Fal.Observability.Client.Testing;

/// <summary>What a scripted app does in each minute. Immutable: a reader keeps the one that it started with.</summary>
internal sealed record MinuteScript
{
    public static readonly MinuteScript Nothing = new();

    public int Queue { get; init; }
    public int Concurrent { get; init; }

    /// <summary>Null: as many as complete.</summary>
    public int? Received { get; init; }

    /// <summary>How many requests complete, by status.</summary>
    public ImmutableSortedDictionary<int, int> Completed { get; init; } = ImmutableSortedDictionary<int, int>.Empty;

    public SimulatedLatency Latency { get; init; } = TimeSpan.FromSeconds(1);
    public SimulatedLatency PrepareLatency { get; init; } = TimeSpan.FromMilliseconds(100);
    public SimulatedLatency ColdBootLatency { get; init; } = TimeSpan.FromSeconds(10);
    public int ColdBoots { get; init; }

    /// <summary>How many runners there are, by state and machine type; no machine type: that of the app.</summary>
    public ImmutableDictionary<(string State, string? Machine), int> Runners { get; init; } =
        ImmutableDictionary<(string State, string? Machine), int>.Empty;

    public double? CpuPercent { get; init; }
    public double? MemoryBytes { get; init; }
    public double? GpuPercent { get; init; }
    public double? VramPercent { get; init; }
    public int? GpuCount { get; init; }

    public long Requests => Completed.Values.Sum(count => (long)count);

    /// <summary>How many runners are in a state, on any machine.</summary>
    public int InState(string state) => Runners.Where(runners => runners.Key.State == state).Sum(runners => runners.Value);

    /// <summary>The traffic of a number of such minutes.</summary>
    public TrafficTotals Traffic(int minutes)
    {
        var totals = new TrafficTotals
        {
            ColdBoots = (long)ColdBoots * minutes,
            HadRunner = minutes > 0 && InState(RunnerState.Running) + InState(RunnerState.Idle) > 0,
        };
        foreach ((int status, int count) in Completed)
        {
            totals.Count(status, (long)count * minutes);
        }

        totals.BillableMilliseconds = (long)(totals.Successes * Latency.MeanSeconds * 1000);
        totals.Execution.Add(totals.Requests, Latency);
        totals.Prepare.Add(totals.Requests, PrepareLatency);
        totals.ColdBoot.Add(totals.ColdBoots, ColdBootLatency);
        return totals;
    }
}
