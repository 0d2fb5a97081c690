namespace Fal.Observability.Client;

/// <summary>
/// The metric families that fal documents, by the names they have in the exposition, in PromQL and in
/// <see cref="FalMetricsSnapshot.Families"/>. All are gauges. The set is open: a newer service may send others.
/// </summary>
public static class FalMetricNames
{
    /// <summary>Runners currently allocated, by <c>state</c> and <c>machine_type</c>.</summary>
    public const string Runners = "fal_app_runners";

    /// <summary>Requests that wait in the queue.</summary>
    public const string QueueSize = "fal_app_queue_size";

    /// <summary>Requests that are being processed.</summary>
    public const string ConcurrentRequests = "fal_app_concurrent_requests";

    /// <summary>
    /// Requests completed in the last minute, by <c>method</c> and <c>status</c>. A gauge: never apply <c>rate()</c> to it.
    /// </summary>
    public const string RequestsCompleted = "fal_app_requests_completed";

    /// <summary>Requests received in the last minute, by <c>method</c>. A gauge: never apply <c>rate()</c> to it.</summary>
    public const string RequestsReceived = "fal_app_requests_received";

    /// <summary>Completed requests by latency: cumulative, by the upper bound <c>le</c> in seconds.</summary>
    public const string RequestLatency = "fal_app_request_latency";

    /// <summary>CPU use in percent, summed over the app's runners.</summary>
    public const string RunnerCpuUsagePercent = "fal_app_runner_cpu_usage_percent";

    /// <summary>Memory use in bytes, summed over the app's runners.</summary>
    public const string RunnerMemoryUsageBytes = "fal_app_runner_memory_usage_bytes";

    /// <summary>GPU use in percent, summed over the app's GPUs.</summary>
    public const string RunnerGpuUtilizationPercent = "fal_app_runner_gpu_utilization_percent";

    /// <summary>GPU memory use in percent, summed over the app's GPUs.</summary>
    public const string RunnerVramUsagePercent = "fal_app_runner_vram_usage_percent";

    /// <summary>GPUs over the app's runners.</summary>
    public const string RunnerGpuCount = "fal_app_runner_gpu_count";

    /// <summary>The label that names the app, <c>owner/name</c>.</summary>
    public const string ApplicationLabel = "application";
}
