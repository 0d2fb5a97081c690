namespace Fal.Observability.Client.Testing;

/// <summary>
/// How many runners an app has, by state and machine type. The metrics show every state as it is scripted. The runner history counts
/// <c>running</c>, <c>idle</c>, <c>pending</c> and <c>draining</c>; usage bills <c>running</c>, <c>idle</c> and <c>draining</c>.
/// </summary>
public sealed class RunnersByState
{
    private readonly SimulatedActivity _activity;

    internal RunnersByState(SimulatedActivity activity) => _activity = activity;

    /// <summary>How many runners are in a state on the machine type of the app, 0 or more. Default 0.</summary>
    /// <param name="state">
    /// The state, such as <c>running</c>, <c>idle</c>, <c>pending</c>, <c>draining</c>, <c>dead</c> or any other word.
    /// </param>
    /// <exception cref="ArgumentException">The state is empty, or the number is negative.</exception>
    public int this[string state]
    {
        get => Get(state, null);
        set => Set(state, null, value);
    }

    /// <summary>How many runners are in a state on a machine type, 0 or more. Default 0.</summary>
    /// <param name="state">
    /// The state, such as <c>running</c>, <c>idle</c>, <c>pending</c>, <c>draining</c>, <c>dead</c> or any other word.
    /// </param>
    /// <param name="machineType">The machine type as the metrics name it, such as <c>NVIDIA B200</c>.</param>
    /// <exception cref="ArgumentException">The state or the machine type is empty, or the number is negative.</exception>
    public int this[string state, string machineType]
    {
        get => Get(state, NotEmpty(machineType));
        set => Set(state, NotEmpty(machineType), value);
    }

    /// <summary>There is no runner any more, in any state.</summary>
    public void Clear() => _activity.Change(script => script with { Runners = script.Runners.Clear() });

    private int Get(string state, string? machineType)
    {
        ArgumentException.ThrowIfNullOrEmpty(state);
        return _activity.State.Runners.GetValueOrDefault((state, machineType));
    }

    private void Set(string state, string? machineType, int value)
    {
        ArgumentException.ThrowIfNullOrEmpty(state);
        SimulatedActivity.AtLeastZero(value, machineType is null ? $"Runners[\"{state}\"]" : $"Runners[\"{state}\", \"{machineType}\"]");
        _activity.Change(script => script with { Runners = script.Runners.SetItem((state, machineType), value) });
    }

    private static string NotEmpty(string machineType)
    {
        ArgumentException.ThrowIfNullOrEmpty(machineType);
        return machineType;
    }
}
