using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Serialization;
using Fal.Observability.Client.Prometheus;

namespace Fal.Observability.Client;

/// <summary>
/// What one app is doing: the gauges that fal documents, typed. A value that the service did not send is null, not zero. A value that it
/// sent as NaN is NaN. If a gauge has several samples, the value is their sum over every label that the member does not name. Immutable and
/// thread-safe. A test can create it with an object initializer.
/// </summary>
/// <remarks>An app of a snapshot keeps its own samples and computes a member from them on each access.</remarks>
[JsonNumberHandling(JsonNumberHandling.AllowNamedFloatingPointLiterals)]
public sealed class FalAppMetrics
{
    // What the service sent about the app; null for one that was made by hand, whose members are what they were set to.
    private readonly FalAppLayout? _layout;
    private readonly double[] _values = [];
    private readonly long[]? _timestamps;

    /// <summary>Creates metrics whose members are set one by one, for example in a test.</summary>
    public FalAppMetrics()
    {
    }

    [SetsRequiredMembers]
    internal FalAppMetrics(FalAppLayout layout, double[] values, long[]? timestamps)
    {
        Name = layout.Name;
        _layout = layout;
        _values = values;
        _timestamps = timestamps;
    }

    /// <summary>The app, <c>owner/name</c>: the label <c>application</c>.</summary>
    public required string Name { get; init; }

    /// <summary>Requests that wait in the queue.</summary>
    public double? QueueSize { get => _layout is null ? field : _layout.Sum(FalAppMember.QueueSize, _values); init; }

    /// <summary>Requests that are being processed.</summary>
    public double? ConcurrentRequests { get => _layout is null ? field : _layout.Sum(FalAppMember.ConcurrentRequests, _values); init; }

    /// <summary>Runners currently allocated, by state and machine type, in the order of the exposition.</summary>
    public IReadOnlyList<FalRunnerCount> Runners
    {
        get => field ??= _layout?.GetRunners(_values) ?? [];
        init => field = [.. value ?? throw new ArgumentNullException(nameof(value))];
    }

    /// <summary>All runners, in whatever state.</summary>
    public double? RunnerCount => Total(Runners, static runner => runner.Count);

    /// <summary>Requests received in the last minute, by method.</summary>
    public IReadOnlyList<FalRequestCount> RequestsReceivedByMethod
    {
        get => field ??= _layout?.GetRequestsReceived(_values) ?? [];
        init => field = [.. value ?? throw new ArgumentNullException(nameof(value))];
    }

    /// <summary>All requests received in the last minute.</summary>
    public double? RequestsReceived => Total(RequestsReceivedByMethod, static requests => requests.Count);

    /// <summary>Requests completed in the last minute, by method and status.</summary>
    public IReadOnlyList<FalRequestCount> RequestsCompletedByStatus
    {
        get => field ??= _layout?.GetRequestsCompleted(_values) ?? [];
        init => field = [.. value ?? throw new ArgumentNullException(nameof(value))];
    }

    /// <summary>All requests completed in the last minute, with whatever status.</summary>
    public double? RequestsCompleted => Total(RequestsCompletedByStatus, static requests => requests.Count);

    /// <summary>
    /// Requests completed with a 2xx status in the last minute; null if the service sent nothing about completed requests.
    /// </summary>
    public double? SuccessCount => Completed('2');

    /// <summary>
    /// Requests completed with a 4xx status in the last minute, the caller's errors; null if the service sent nothing about completed
    /// requests.
    /// </summary>
    public double? UserErrorCount => Completed('4');

    /// <summary>
    /// Requests completed with a 5xx status in the last minute, the server's errors; null if the service sent nothing about completed
    /// requests.
    /// </summary>
    public double? ErrorCount => Completed('5');

    /// <summary>
    /// The share of <see cref="ErrorCount"/> in the requests completed in the last minute, from 0 to 1; null if there were none.
    /// </summary>
    public double? ErrorRate => Share(ErrorCount, RequestsCompleted);

    /// <summary>The latency of the requests completed in the last minute; null if the service sent no latency for the app.</summary>
    public LatencyDistribution? Latency { get => field ??= _layout is { HasLatency: true } ? _layout.GetLatency(_values) : null; init; }

    /// <summary>CPU use in percent as sent: summed over the runners, so it can exceed 100.</summary>
    public double? RunnerCpuUsagePercent
    {
        get => _layout is null ? field : _layout.Sum(FalAppMember.RunnerCpuUsagePercent, _values);
        init;
    }

    /// <summary>CPU use in percent of one runner on average: <see cref="RunnerCpuUsagePercent"/> by <see cref="RunnerCount"/>.</summary>
    public double? CpuUsagePercentPerRunner => Share(RunnerCpuUsagePercent, RunnerCount);

    /// <summary>Memory use in bytes as sent: summed over the runners.</summary>
    public double? RunnerMemoryUsageBytes
    {
        get => _layout is null ? field : _layout.Sum(FalAppMember.RunnerMemoryUsageBytes, _values);
        init;
    }

    /// <summary>Memory use in bytes of one runner on average: <see cref="RunnerMemoryUsageBytes"/> by <see cref="RunnerCount"/>.</summary>
    public double? MemoryUsageBytesPerRunner => Share(RunnerMemoryUsageBytes, RunnerCount);

    /// <summary>GPU use in percent as sent: summed over the GPUs, so four busy GPUs read about 400. Null for an app without GPUs.</summary>
    public double? RunnerGpuUtilizationPercent
    {
        get => _layout is null ? field : _layout.Sum(FalAppMember.RunnerGpuUtilizationPercent, _values);
        init;
    }

    /// <summary>
    /// The average use of a GPU in percent, 0 to 100: <see cref="RunnerGpuUtilizationPercent"/> divided by <see cref="RunnerGpuCount"/>.
    /// </summary>
    public double? GpuUtilizationPercentPerGpu => Share(RunnerGpuUtilizationPercent, RunnerGpuCount);

    /// <summary>GPU memory use in percent as sent: summed over the GPUs. Null for an app without GPUs.</summary>
    public double? RunnerVramUsagePercent
    {
        get => _layout is null ? field : _layout.Sum(FalAppMember.RunnerVramUsagePercent, _values);
        init;
    }

    /// <summary>
    /// The average memory use of a GPU in percent, 0 to 100: <see cref="RunnerVramUsagePercent"/> divided by <see cref="RunnerGpuCount"/>.
    /// </summary>
    public double? VramUsagePercentPerGpu => Share(RunnerVramUsagePercent, RunnerGpuCount);

    /// <summary>GPUs over all runners of the app. Null for an app without GPUs.</summary>
    public double? RunnerGpuCount { get => _layout is null ? field : _layout.Sum(FalAppMember.RunnerGpuCount, _values); init; }

    /// <summary>
    /// Every sample about the app, in the order of the exposition, including those of families and labels that this version does not know.
    /// </summary>
    public IReadOnlyList<PrometheusSample> Samples
    {
        get => field ??= _layout?.GetSamples(_values, _timestamps) ?? [];
        init => field = [.. value ?? throw new ArgumentNullException(nameof(value))];
    }

    /// <summary>The runners in one state, on whatever machine.</summary>
    /// <param name="state">The state, such as <see cref="FalRunnerStates.Running"/>; compared exactly.</param>
    /// <returns>Their number; 0 if there are runners but none in that state, null if the service sent nothing about runners.</returns>
    public double? RunnersInState(string state) =>
        Total(Runners, runner => string.Equals(runner.State, state, StringComparison.Ordinal) ? runner.Count : 0);

    /// <summary>The runners on one type of machine, in whatever state.</summary>
    /// <param name="machineType">The machine's product name; compared exactly.</param>
    /// <returns>Their number; 0 if there are runners but none on that machine, null if the service sent nothing about runners.</returns>
    public double? RunnersOnMachine(string machineType) =>
        Total(Runners, runner => string.Equals(runner.MachineType, machineType, StringComparison.Ordinal) ? runner.Count : 0);

    /// <summary>The name, the queue and the runners, for a log line.</summary>
    /// <returns>A short text.</returns>
    public override string ToString()
    {
        return $"{Name}: {Text(QueueSize)} queued, {Text(ConcurrentRequests)} in progress, {Text(RunnerCount)} runners";

        static string Text(double? value) => value?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "?";
    }

    private double? Completed(char statusClass) =>
        Total(RequestsCompletedByStatus, requests => requests.Status is [var first, _, _] && first == statusClass ? requests.Count : 0);

    private static double? Total<T>(IReadOnlyList<T> items, Func<T, double> count) => items.Count == 0 ? null : items.Sum(count);

    /// <summary>A quotient; null, and never infinite or NaN, if there is nothing to divide by or a value is not finite.</summary>
    private static double? Share(double? sum, double? count) =>
        count > 0 && sum / count is { } share && double.IsFinite(share) ? share : null;
}
