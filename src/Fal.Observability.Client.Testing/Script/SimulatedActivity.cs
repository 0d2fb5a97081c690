using System.Globalization;

namespace Fal.Observability.Client.Testing;

/// <summary>
/// What an app does in each minute. Every assignment takes effect at once, in all answers. Safe to use while calls are under way.
/// </summary>
public abstract class SimulatedActivity
{
    private volatile MinuteScript _state;

    private protected SimulatedActivity(ScriptedAccount account, MinuteScript state)
    {
        Account = account;
        _state = state;
        RequestsPerMinute = new RequestsByStatus(this);
        Runners = new RunnersByState(this);
    }

    /// <summary>How many requests wait in the queue, 0 or more. Default 0.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The number is negative.</exception>
    public int Queue
    {
        get => State.Queue;
        set => Change(AtLeastZero(value, nameof(Queue)), (script, queue) => script with { Queue = queue });
    }

    /// <summary>How many requests are being processed, 0 or more. Default 0.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The number is negative.</exception>
    public int ConcurrentRequests
    {
        get => State.Concurrent;
        set => Change(AtLeastZero(value, nameof(ConcurrentRequests)), (script, count) => script with { Concurrent = count });
    }

    /// <summary>How many requests complete in each minute, by their HTTP status. Default none.</summary>
    public RequestsByStatus RequestsPerMinute { get; }

    /// <summary>How many requests arrive in each minute, 0 or more. Default null: as many as complete.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The number is negative.</exception>
    public int? ReceivedPerMinute
    {
        get => State.Received;
        set => Change(AtLeastZero(value, nameof(ReceivedPerMinute)), (script, count) => script with { Received = count });
    }

    /// <summary>
    /// How long requests execute. Default 1 s. Analytics report these durations exactly. The metrics count requests in buckets, so that a
    /// quantile computed from them lies between the bounds of the bucket that holds the duration.
    /// </summary>
    public SimulatedLatency Latency
    {
        get => State.Latency;
        set => Change(NotNull(value), (script, latency) => script with { Latency = latency });
    }

    /// <summary>How long requests wait until they execute. Default 0.1 s.</summary>
    public SimulatedLatency PrepareLatency
    {
        get => State.PrepareLatency;
        set => Change(NotNull(value), (script, latency) => script with { PrepareLatency = latency });
    }

    /// <summary>How many requests in each minute wait for a runner to start, 0 or more. Default 0.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The number is negative.</exception>
    public int ColdBootsPerMinute
    {
        get => State.ColdBoots;
        set => Change(AtLeastZero(value, nameof(ColdBootsPerMinute)), (script, count) => script with { ColdBoots = count });
    }

    /// <summary>How long a runner takes to start. Default 10 s.</summary>
    public SimulatedLatency ColdBootLatency
    {
        get => State.ColdBootLatency;
        set => Change(NotNull(value), (script, latency) => script with { ColdBootLatency = latency });
    }

    /// <summary>How many runners there are, by state and machine type. Default none.</summary>
    public RunnersByState Runners { get; }

    /// <summary>The CPU usage in percent, summed over the runners, 0 or more. Default null: the metrics do not have it.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The number is negative or not finite.</exception>
    public double? CpuPercent
    {
        get => State.CpuPercent;
        set => Change(Finite(value, nameof(CpuPercent)), (script, percent) => script with { CpuPercent = percent });
    }

    /// <summary>The memory in use in bytes, summed over the runners, 0 or more. Default null: the metrics do not have it.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The number is negative or not finite.</exception>
    public double? MemoryBytes
    {
        get => State.MemoryBytes;
        set => Change(Finite(value, nameof(MemoryBytes)), (script, bytes) => script with { MemoryBytes = bytes });
    }

    /// <summary>How many GPUs the runners have together, 0 or more. Default null: the metrics do not have it.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The number is negative.</exception>
    public int? GpuCount
    {
        get => State.GpuCount;
        set => Change(AtLeastZero(value, nameof(GpuCount)), (script, count) => script with { GpuCount = count });
    }

    /// <summary>The GPU utilization in percent, summed over the GPUs, 0 or more. Default null: the metrics do not have it.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The number is negative or not finite.</exception>
    public double? GpuPercent
    {
        get => State.GpuPercent;
        set => Change(Finite(value, nameof(GpuPercent)), (script, percent) => script with { GpuPercent = percent });
    }

    /// <summary>The GPU memory in use in percent, summed over the GPUs, 0 or more. Default null: the metrics do not have it.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The number is negative or not finite.</exception>
    public double? VramPercent
    {
        get => State.VramPercent;
        set => Change(Finite(value, nameof(VramPercent)), (script, percent) => script with { VramPercent = percent });
    }

    internal MinuteScript State => _state;

    private protected ScriptedAccount Account { get; }

    internal static int AtLeastZero(int value, string name) => value >= 0 ? value : throw Wrong(name, value, "it must be 0 or more");

    internal void Change(Func<MinuteScript, MinuteScript> change) => Account.Change(() => _state = change(_state));

    private protected void Change(Action change) => Account.Change(change);

    private void Change<T>(T value, Func<MinuteScript, T, MinuteScript> change) => Change(script => change(script, value));

    private static int? AtLeastZero(int? value, string name) => value is { } number ? AtLeastZero(number, name) : null;

    private static double? Finite(double? value, string name) => value is null || (double.IsFinite(value.Value) && value >= 0)
        ? value
        : throw Wrong(name, value, "it must be a finite number of 0 or more");

    private static SimulatedLatency NotNull(SimulatedLatency value)
    {
        ArgumentNullException.ThrowIfNull(value);
        return value;
    }

    private protected static ArgumentOutOfRangeException Wrong(string name, object? value, string rule) =>
        new(name, string.Create(CultureInfo.InvariantCulture, $"{name} is {value}: {rule}."));
}
