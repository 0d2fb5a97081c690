namespace Fal.Observability.Client.Testing;

/// <summary>An app of the account, drawn from the seed or scripted by a test.</summary>
internal interface IAccountApp
{
    /// <summary>The app id, <c>owner/name</c>.</summary>
    string Name { get; }

    /// <summary>The app's own endpoint first, then its routes.</summary>
    IReadOnlyList<IAccountEndpoint> Endpoints { get; }

    /// <summary>What the list of apps and the bill say of it.</summary>
    AppSettings Settings { get; }

    /// <summary>What the metrics show in the ten seconds <paramref name="slot"/> of the minute after <paramref name="minute"/>.</summary>
    AppGauges GaugesAt(int minute, long slot);

    /// <summary>The runners in a minute.</summary>
    RunnerMinute RunnersAt(int minute);

    /// <summary>The time of runners to pay for, from <paramref name="first"/> up to, not including, <paramref name="end"/>.</summary>
    IEnumerable<BilledSeconds> BillOf(int first, int end);
}

/// <summary>An endpoint id under which traffic is recorded.</summary>
internal interface IAccountEndpoint
{
    /// <summary>The endpoint id, <c>owner/name</c> or <c>owner/name/route</c>.</summary>
    string Id { get; }

    /// <summary>The traffic of the minutes from <paramref name="first"/> up to, not including, <paramref name="end"/>.</summary>
    TrafficTotals Traffic(int first, int end);
}

/// <summary>Seconds of runners on one machine type at one price.</summary>
internal readonly record struct BilledSeconds(string MachineType, long Seconds, bool IsSurge);

/// <summary>How many runners are in a state on a machine type.</summary>
internal readonly record struct RunnerCount(string Machine, string State, int Count);

/// <summary>How many requests completed in the last minute.</summary>
internal readonly record struct CompletedCount(string Method, int Status, long Count);

/// <summary>How many requests arrived in the last minute.</summary>
internal readonly record struct ReceivedCount(string Method, long Count);

/// <summary>What the metrics endpoint shows of one app. What is null has no sample.</summary>
internal readonly record struct AppGauges
{
    /// <summary>The metrics do not have the app at all.</summary>
    public bool IsAbsent { get; init; }

    public required IReadOnlyList<RunnerCount> Runners { get; init; }
    public required IReadOnlyList<CompletedCount> Completed { get; init; }
    public required IReadOnlyList<ReceivedCount> Received { get; init; }
    public long Queue { get; init; }
    public int Concurrent { get; init; }

    /// <summary>How long the requests of the last minute took.</summary>
    public DurationSpread? Latency { get; init; }

    /// <summary>How many requests the latency counts.</summary>
    public long LatencyCount { get; init; }

    public double? CpuPercent { get; init; }
    public double? MemoryBytes { get; init; }
    public int? GpuCount { get; init; }
    public double? GpuPercent { get; init; }
    public double? VramPercent { get; init; }
}
