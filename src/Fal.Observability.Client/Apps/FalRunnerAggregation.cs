namespace Fal.Observability.Client;

/// <summary>How the numbers of runners within a bucket are aggregated.</summary>
public enum FalRunnerAggregation
{
    /// <summary>The highest number in the bucket, for each state separately. Use it for capacity. The service's default.</summary>
    Max,

    /// <summary>The mean over the bucket. Use it for utilization.</summary>
    Average,
}
