namespace Fal.Observability.Client;

/// <summary>How the samples of a family about one app are distinguished.</summary>
internal enum FalFamilyKinds : byte
{
    /// <summary>They are added up.</summary>
    Sum,

    /// <summary>By the labels <c>state</c> and <c>machine_type</c>.</summary>
    StateAndMachineType,

    /// <summary>By the labels <c>method</c> and <c>status</c>.</summary>
    MethodAndStatus,

    /// <summary>By the upper bound of their bucket.</summary>
    Bound,
}

/// <summary>A metric family that this version knows.</summary>
/// <param name="Name">The name, one of <see cref="FalMetricNames"/>.</param>
/// <param name="Member">The typed member of <see cref="FalAppMetrics"/> that shows it.</param>
/// <param name="Unit">
/// The unit in UCUM. An exporter to Prometheus adds it to the name as a suffix, unless the name already ends with it or the unit is an
/// annotation in braces. Other units would change the service's names.
/// </param>
/// <param name="Kinds">How its samples are distinguished.</param>
internal sealed record FalKnownFamily(string Name, FalAppMember Member, string Unit, FalFamilyKinds Kinds = FalFamilyKinds.Sum);

/// <summary>
/// The table of the families that this version knows: a new one gets a row here and its documentation, in code and in docs.
/// </summary>
internal static class FalKnownFamilies
{
    public static readonly FalKnownFamily[] Rows =
    [
        new(FalMetricNames.Runners, FalAppMember.Runners, "{runner}", FalFamilyKinds.StateAndMachineType),
        new(FalMetricNames.QueueSize, FalAppMember.QueueSize, "{request}"),
        new(FalMetricNames.ConcurrentRequests, FalAppMember.ConcurrentRequests, "{request}"),
        new(FalMetricNames.RequestsCompleted, FalAppMember.RequestsCompleted, "{request}", FalFamilyKinds.MethodAndStatus),
        new(FalMetricNames.RequestsReceived, FalAppMember.RequestsReceived, "{request}", FalFamilyKinds.MethodAndStatus),
        new(FalMetricNames.RequestLatency, FalAppMember.Latency, "{request}", FalFamilyKinds.Bound),
        new(FalMetricNames.RunnerCpuUsagePercent, FalAppMember.RunnerCpuUsagePercent, "%"),
        new(FalMetricNames.RunnerMemoryUsageBytes, FalAppMember.RunnerMemoryUsageBytes, "By"),
        new(FalMetricNames.RunnerGpuUtilizationPercent, FalAppMember.RunnerGpuUtilizationPercent, "%"),
        new(FalMetricNames.RunnerVramUsagePercent, FalAppMember.RunnerVramUsagePercent, "%"),
        new(FalMetricNames.RunnerGpuCount, FalAppMember.RunnerGpuCount, "{gpu}"),
    ];

    private static readonly Dictionary<string, FalKnownFamily> ByName = Rows.ToDictionary(row => row.Name, StringComparer.Ordinal);

    /// <summary>The family of that name; null for one that this version does not know.</summary>
    public static FalKnownFamily? Find(string name) => ByName.GetValueOrDefault(name);
}
