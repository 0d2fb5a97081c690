namespace Fal.Observability.Client.Testing;

/// <summary>A scripted app as it stood when a call arrived.</summary>
internal sealed class ScriptedApp : IAccountApp, IAccountEndpoint
{
    private readonly MinuteScript _usual;
    private readonly (int First, int End, MinuteScript Script)[] _periods;
    private readonly string _machineType;
    private readonly bool _isAbsentAtZero;

    public ScriptedApp(SimulatedApp app, FalSimulatorOptions options)
    {
        Name = app.Id;
        Endpoints = [this];
        _usual = app.State;
        _periods = [.. app.Periods.Select(period => (period.First, period.EndMinute, period.State))];
        _machineType = app.MachineType;
        _isAbsentAtZero = options.ScaleToZero == ScaledToZero.Absent;
        Settings = new AppSettings(app);
    }

    public string Name { get; }

    public string Id => Name;

    public IReadOnlyList<IAccountEndpoint> Endpoints { get; }

    public AppSettings Settings { get; }

    public AppGauges GaugesAt(int minute, long slot)
    {
        // The traffic is that of the last whole minute, all else is of now.
        MinuteScript past = At(minute);
        MinuteScript now = At(minute + 1);
        TrafficTotals traffic = past.Traffic(minutes: 1);
        RunnerCount[] runners = [.. Machines(now)
            .Select(runners => new RunnerCount(runners.Machine, runners.State, runners.Count))
            .OrderBy(runners => runners.Machine, StringComparer.Ordinal).ThenBy(runners => runners.State, StringComparer.Ordinal)];
        bool atZero = runners.Length == 0 && now is { Queue: 0, Concurrent: 0 } && traffic.Requests == 0;
        return new AppGauges
        {
            IsAbsent = atZero && _isAbsentAtZero,
            Runners = runners,
            Queue = now.Queue,
            Concurrent = now.Concurrent,
            Completed =
            [
                .. past
                    .Completed.Where(completed => completed.Value > 0)
                    .Select(completed => new CompletedCount("POST", completed.Key, completed.Value)),
            ],
            Received = [new ReceivedCount("POST", past.Received ?? traffic.Requests)],
            Latency = traffic.Requests > 0 ? traffic.Execution : null,
            LatencyCount = traffic.Requests,
            CpuPercent = now.CpuPercent,
            MemoryBytes = now.MemoryBytes,
            GpuCount = now.GpuCount,
            GpuPercent = now.GpuPercent,
            VramPercent = now.VramPercent,
        };
    }

    public RunnerMinute RunnersAt(int minute)
    {
        MinuteScript script = At(minute);
        int running = script.InState(RunnerState.Running);
        return new RunnerMinute
        {
            Busy = running,
            Up = running + script.InState(RunnerState.Idle),
            Pending = script.InState(RunnerState.Pending),
            Draining = script.InState(RunnerState.Draining),
        };
    }

    public IEnumerable<BilledSeconds> BillOf(int first, int end) =>
        from piece in Pieces(first, end)
        from runners in Machines(piece.Script)
        where runners.State is RunnerState.Running or RunnerState.Idle or RunnerState.Draining
        group 60L * runners.Count * piece.Minutes by runners.Machine into machine
        orderby machine.Key
        select new BilledSeconds(machine.Key, machine.Sum(), IsSurge: false);

    public TrafficTotals Traffic(int first, int end)
    {
        var totals = default(TrafficTotals);
        foreach ((MinuteScript script, int minutes) in Pieces(first, end))
        {
            totals.Add(script.Traffic(minutes));
        }

        return totals;
    }

    private MinuteScript At(int minute)
    {
        int period = Array.FindLastIndex(_periods, period => minute >= period.First && minute < period.End);
        return period < 0 ? _usual : _periods[period].Script;
    }

    /// <summary>Cuts minutes into pieces in which one script holds.</summary>
    private IEnumerable<(MinuteScript Script, int Minutes)> Pieces(int first, int end)
    {
        int[] cuts =
        [
            .. _periods
                .SelectMany(period => new[] { period.First, period.End })
                .Where(cut => cut > first && cut < end)
                .Append(end)
                .Distinct()
                .Order(),
        ];
        foreach (int cut in cuts.Where(cut => cut > first))
        {
            yield return (At(first), cut - first);
            first = cut;
        }
    }

    private IEnumerable<(string Machine, string State, int Count)> Machines(MinuteScript script) =>
        from runners in script.Runners
        group runners.Value by (Machine: runners.Key.Machine ?? _machineType, runners.Key.State) into state
        where state.Sum() > 0
        select (state.Key.Machine, state.Key.State, state.Sum());
}
