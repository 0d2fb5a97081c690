namespace Fal.Observability.Client;

/// <summary>How the numbers of runners within a bucket become one.</summary>
public enum FalRunnerAggregation
{
    /// <summary>The highest number in the bucket, of each state by itself: for questions of capacity. The service's default.</summary>
    Max,

    /// <summary>The mean over the bucket: for questions of utilization.</summary>
    Average,
}
