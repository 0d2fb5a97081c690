namespace Fal.Observability.Client.Testing;

/// <summary>An app that is drawn from the seed: its endpoints, its runners, and what its gauges show.</summary>
internal sealed class DrawnApp : IAccountApp
{
    private static readonly string[] Kinds =
    [
        "text-to-image", "image-upscaler", "video-maker", "speech-to-text", "voice-clone",
        "background-remover", "music-composer", "face-restorer", "depth-map", "caption-writer",
    ];

    private static readonly string[] GpuMachines = ["NVIDIA H100 80GB HBM3", "NVIDIA B200", "NVIDIA A100-SXM4-80GB", "NVIDIA L40S"];
    private static readonly string[] CpuMachines = ["S", "M", "L"];
    private static readonly double[] PeakLoads = [30, 4, 0.4, 8, 0.05];

    private const int BlockMinutes = 4 * 60;
    private const int RememberedBlocks = 1024;

    private readonly ulong _key;
    private readonly AppTimeline _timeline;
    private readonly bool _keepsRunner;
    private readonly int _gpusPerRunner;
    private readonly int _requestsPerRunner;
    private readonly double _memoryPerRunner;
    private readonly ScaledToZero? _scaleToZero;
    private readonly DrawnEndpoint[] _endpoints;
    private RunnerBlock?[]? _blocks;

    /// <summary>
    /// Which features an app has follows from its number, so that a dozen apps show all of them with any seed:
    /// every third has a route, every fourth runs without GPUs, every eighth on two machine types.
    /// </summary>
    public DrawnApp(FalSimulatorOptions options, int seed, int index)
    {
        _key = new Dice((ulong)seed, index).Next();
        var dice = new Dice(_key, 0);
        Name = NameOf(index);
        ServesGet = index % 5 == 1;
        _scaleToZero = options.ScaleToZero;
        _keepsRunner = index % 2 == 0 && options.ScaleToZero is null;

        double peakLoad = PeakLoads[index % PeakLoads.Length] * dice.Between(1, 8);
        bool officeHoursOnly = index % 7 == 4;
        string[] ids = (index % 6) switch
        {
            0 => [Name, $"{Name}/turbo", $"{Name}/batch"],
            3 => [Name, $"{Name}/turbo"],
            _ => [Name],
        };
        DateTimeOffset now = options.TimeProvider.GetUtcNow();
        _timeline = new AppTimeline(
            _key,
            [.. options.Incidents.Where(incident => incident.App == Name).Select(incident => PlannedIncident.From(incident, now))],
            options.ScaleToZero is not null);
        var endpoints = new DrawnEndpoint[ids.Length];
        for (int i = 0; i < ids.Length; i++)
        {
            double load = i == 0 ? peakLoad : peakLoad * dice.Between(0.05, 0.4);
            endpoints[i] = new DrawnEndpoint(ids[i], dice.Next(), _timeline, load, i == 0 && _keepsRunner, _keepsRunner, officeHoursOnly);
        }
        Endpoints = _endpoints = endpoints;

        bool hasGpu = index % 4 != 3;
        string[] machines = hasGpu ? GpuMachines : CpuMachines;
        int machine = (int)dice.Between(0, machines.Length);
        MachineTypes = index % 8 == 0 ? [machines[machine], machines[(machine + 1) % machines.Length]] : [machines[machine]];
        _gpusPerRunner = hasGpu ? 1 << (int)dice.Between(0, 2) : 0;
        _requestsPerRunner = 1 + (int)dice.Between(0, 8);
        _memoryPerRunner = dice.Between(2e9, 6e10);
        if (_keepsRunner && RunnersFor(endpoints.Sum(endpoint => endpoint.UsualMostLoad * endpoint.MeanSeconds / 60)) <= 1)
        {
            Array.ForEach(endpoints, endpoint => endpoint.StartsNoRunner());
        }

        Settings = new AppSettings(this, index, _keepsRunner ? 1 : 0, MostRunners());
    }

    /// <summary>The app id, <c>owner/name</c>.</summary>
    public string Name { get; }

    /// <summary>The app id of a number.</summary>
    public static string NameOf(int index) => $"simulated/{Kinds[index % Kinds.Length]}-{index:D5}";

    /// <summary>The app's own endpoint first, then its routes.</summary>
    public IReadOnlyList<IAccountEndpoint> Endpoints { get; }

    /// <summary>One machine type, or two.</summary>
    public IReadOnlyList<string> MachineTypes { get; }

    /// <summary>What the list of apps says of it.</summary>
    public AppSettings Settings { get; }

    /// <summary>A tenth of the successful requests are GETs; else all are POSTs.</summary>
    private bool ServesGet { get; }

    /// <summary>Its runners have GPUs.</summary>
    private bool HasGpu => _gpusPerRunner > 0;

    /// <summary>
    /// The gauges as they stand in the ten seconds <paramref name="slot"/> of the minute after
    /// <paramref name="minute"/>: traffic is that of the whole minute, the rest moves with every slot.
    /// </summary>
    public AppGauges GaugesAt(int minute, long slot)
    {
        (RunnerMinute state, TrafficTotals totals, double work) = MinuteAt(minute);
        var dice = new Dice(_key, slot);
        int runners = state.Up;
        int concurrent = Math.Min(runners * _requestsPerRunner, dice.Round(work * dice.Between(0.8, 1.2)));
        double busy = runners == 0 ? 0 : concurrent / (double)(runners * _requestsPerRunner);
        int gpus = runners * _gpusPerRunner;
        long queue = QueueAt(minute);
        long received = Math.Max(0, totals.Requests + queue - QueueAt(minute - 1));
        bool atZero = runners + state.Pending + state.Dead == 0 && queue == 0;
        bool showsZeros = atZero && _scaleToZero == ScaledToZero.Zeros;
        bool shows = runners > 0 || showsZeros;
        double cpu = Math.Round(runners * (4 + (70 * busy * dice.Between(0.8, 1.2))), 2);
        double memory = Math.Round(runners * _memoryPerRunner * dice.Between(0.97, 1.03));
        double gpu = Math.Round(gpus * Math.Min(100, 98 * busy * dice.Between(0.9, 1.1)), 2);
        double vram = Math.Round(gpus * dice.Between(55, 60), 2);
        bool showsGpus = shows && HasGpu;

        return new AppGauges
        {
            IsAbsent = atZero && _scaleToZero == ScaledToZero.Absent,
            Runners = [.. MachineTypes.SelectMany((machine, i) => new RunnerCount[]
            {
                new(machine, RunnerState.Dead, ShareOf(state.Dead, i)),
                new(machine, RunnerState.Pending, ShareOf(state.Pending, i)),
                new(machine, RunnerState.Running, ShareOf(runners, i)),
            }).Where(count => count.Count > 0 || (showsZeros && count.State == RunnerState.Running))],
            Completed = Completed(totals),
            Received = Received(totals, received),
            Queue = queue,
            Concurrent = concurrent,
            Latency = shows ? totals.Execution : null,
            LatencyCount = totals.Requests,
            CpuPercent = shows ? cpu : null,
            MemoryBytes = shows ? memory : null,
            GpuCount = showsGpus ? gpus : null,
            GpuPercent = showsGpus ? gpu : null,
            VramPercent = showsGpus ? vram : null,
        };
    }

    public IEnumerable<BilledSeconds> BillOf(int first, int end)
    {
        var regular = new long[MachineTypes.Count];
        var surge = new long[MachineTypes.Count];
        for (int minute = first; minute < end; minute++)
        {
            RunnerMinute runners = RunnersAt(minute);
            int paid = runners.Up + runners.Draining;
            long[] seconds = Settings.SurgesAt(minute) ? surge : regular;
            for (int machine = 0; machine < MachineTypes.Count; machine++)
            {
                seconds[machine] += 60L * ShareOf(paid, machine);
            }
        }

        for (int machine = 0; machine < MachineTypes.Count; machine++)
        {
            foreach ((long seconds, bool isSurge) in new[] { (regular[machine], false), (surge[machine], true) })
            {
                if (seconds > 0)
                {
                    yield return new BilledSeconds(MachineTypes[machine], seconds, isSurge);
                }
            }
        }
    }

    /// <summary>The runners in a minute.</summary>
    public RunnerMinute RunnersAt(int minute)
    {
        // Histories and bills ask for the same minutes again and again.
        _blocks ??= new RunnerBlock?[RememberedBlocks];
        (int number, int offset) = Math.DivRem(minute, BlockMinutes);
        ref RunnerBlock? slot = ref _blocks[number % RememberedBlocks];
        RunnerBlock? block = slot;
        if (block?.Number != number)
        {
            slot = block = new RunnerBlock(number, RunnersOf(number));
        }

        return block.Minutes[offset];
    }

    private CompletedCount[] Completed(in TrafficTotals traffic)
    {
        long gets = Gets(traffic);
        long unprocessable = traffic.UserErrors * 2 / 3;
        CompletedCount[] all =
        [
            new("GET", 200, gets),
            new("POST", 200, traffic.Successes - gets),
            new("POST", 400, traffic.UserErrors - unprocessable),
            new("POST", 422, unprocessable),
            new("POST", 500, traffic.RuntimeErrors),
            new("POST", 502, traffic.ConnectionErrors),
            new("POST", 503, traffic.StartupErrors),
            new("POST", 504, traffic.TimeoutErrors),
        ];
        return Array.FindAll(all, completed => completed.Count > 0);
    }

    private ReceivedCount[] Received(in TrafficTotals traffic, long received)
    {
        long gets = Math.Min(Gets(traffic), received);
        return Array.FindAll([new ReceivedCount("GET", gets), new ReceivedCount("POST", received - gets)], count => count.Count > 0);
    }

    private long Gets(in TrafficTotals traffic) => ServesGet ? traffic.Successes / 10 : 0;

    /// <summary>How many runners of a number are of a machine type; the first gets the odd one.</summary>
    private int ShareOf(int count, int machineType) => (count + MachineTypes.Count - 1 - machineType) / MachineTypes.Count;

    private RunnerMinute[] RunnersOf(int block)
    {
        var minutes = new RunnerMinute[BlockMinutes];
        int upBefore = MinuteAt((block * BlockMinutes) - 1).Runners.Up;
        for (int i = 0; i < minutes.Length; i++)
        {
            RunnerMinute runners = MinuteAt((block * BlockMinutes) + i).Runners;
            // Those that were up a minute ago and are no longer needed.
            minutes[i] = runners with { Draining = Math.Max(0, upBefore - runners.Up) };
            upBefore = runners.Up;
        }

        return minutes;
    }

    private (RunnerMinute Runners, TrafficTotals Traffic, double Work) MinuteAt(int minute)
    {
        var totals = default(TrafficTotals);
        double work = 0;
        foreach (DrawnEndpoint endpoint in _endpoints)
        {
            TrafficTotals traffic = endpoint.Traffic(minute, minute + 1);
            totals.Add(traffic);
            work += traffic.Requests * endpoint.MeanSeconds / 60;
        }

        Incident incident = _timeline.IncidentAt(minute);
        work *= incident.Slowdown;
        int leastRunners = _keepsRunner || totals.Requests > 0 ? 1 : 0;
        int up = Math.Max(leastRunners, RunnersFor(work));
        // Requests fill a runner before the next one. With few requests, none runs for a part of the minute.
        double busy = Math.Max(work / _requestsPerRunner, 1 - Math.Exp(-work));
        var runners = new RunnerMinute
        {
            // A runner is idle if no request runs. As long as requests wait, each runner has one.
            Busy = incident.Backlog > 0 ? up : Math.Min(up, busy),
            Up = up,
            Pending = incident.Severity + (totals.ColdBoots > 0 ? 1 : 0),
            Dead = incident.Severity > 1 ? incident.Severity - 1 : 0,
        };
        return (runners, totals, work);
    }

    /// <summary>More runners than the worst incident at the busiest time takes.</summary>
    private int MostRunners()
    {
        const double MostRequests = 1.3;
        const int MostPending = 4;
        double work = _endpoints.Sum(endpoint => endpoint.MostLoad * MostRequests * endpoint.MeanSeconds / 60);
        return 2 + MostPending + RunnersFor(work * new Incident(3, 0).Slowdown);
    }

    /// <summary>The runners that an amount of work takes, in requests that run at the same time, with a quarter to spare.</summary>
    private int RunnersFor(double work) => (int)Math.Ceiling(1.25 * work / _requestsPerRunner);

    private long QueueAt(int minute)
    {
        Incident incident = _timeline.IncidentAt(minute);
        double load = 0;
        foreach (DrawnEndpoint endpoint in _endpoints)
        {
            load += endpoint.LoadAt(minute, incident);
        }

        // Without a backlog, only the requests of up to the last two seconds wait for a runner.
        double seconds = new Dice(_key, ~(long)minute).Between(0, 2);
        return (long)(load * (incident.Backlog + (seconds / 60)));
    }

    private sealed record RunnerBlock(int Number, RunnerMinute[] Minutes);
}
