namespace Fal.Observability.Client.Testing;

/// <summary>One app of the account: its endpoints, its runners, and what its gauges show.</summary>
internal sealed class SimulatedApp
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
    private RunnerBlock?[]? _blocks;

    /// <summary>
    /// Which features an app has follows from its number, so that a dozen apps show all of them with any seed:
    /// every third has a route, every fourth runs without GPUs, every eighth on two machine types.
    /// </summary>
    public SimulatedApp(SimulatorOptions options, int index)
    {
        _key = new Dice((ulong)options.Seed, index).Next();
        var dice = new Dice(_key, 0);
        Name = NameOf(index);
        ServesGet = index % 5 == 1;
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
        var endpoints = new SimulatedEndpoint[ids.Length];
        for (int i = 0; i < ids.Length; i++)
        {
            double load = i == 0 ? peakLoad : peakLoad * dice.Between(0.05, 0.4);
            endpoints[i] = new SimulatedEndpoint(ids[i], dice.Next(), _timeline, load, i == 0 && _keepsRunner, officeHoursOnly);
        }
        Endpoints = endpoints;

        bool hasGpu = index % 4 != 3;
        string[] machines = hasGpu ? GpuMachines : CpuMachines;
        int machine = (int)dice.Between(0, machines.Length);
        MachineTypes = index % 8 == 0 ? [machines[machine], machines[(machine + 1) % machines.Length]] : [machines[machine]];
        _gpusPerRunner = hasGpu ? 1 << (int)dice.Between(0, 2) : 0;
        _requestsPerRunner = 1 + (int)dice.Between(0, 8);
        _memoryPerRunner = dice.Between(2e9, 6e10);
        Settings = new AppSettings(this, index, _keepsRunner ? 1 : 0, MostRunners());
    }

    /// <summary>The app id, <c>owner/name</c>.</summary>
    public string Name { get; }

    /// <summary>The app id of a number.</summary>
    public static string NameOf(int index) => $"simulated/{Kinds[index % Kinds.Length]}-{index:D5}";

    /// <summary>The app's own endpoint first, then its routes.</summary>
    public IReadOnlyList<SimulatedEndpoint> Endpoints { get; }

    /// <summary>One machine type, or two.</summary>
    public IReadOnlyList<string> MachineTypes { get; }

    /// <summary>What the list of apps says of it.</summary>
    public AppSettings Settings { get; }

    /// <summary>A tenth of the successful requests are GETs; else all are POSTs.</summary>
    public bool ServesGet { get; }

    /// <summary>Its runners have GPUs.</summary>
    public bool HasGpu => _gpusPerRunner > 0;

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

        return new AppGauges
        {
            Traffic = totals,
            Received = Math.Max(0, totals.Requests + queue - QueueAt(minute - 1)),
            Queue = queue,
            Concurrent = concurrent,
            Running = runners,
            Pending = state.Pending,
            Dead = state.Dead,
            CpuPercent = Math.Round(runners * (4 + (70 * busy * dice.Between(0.8, 1.2))), 2),
            MemoryBytes = Math.Round(runners * _memoryPerRunner * dice.Between(0.97, 1.03)),
            GpuCount = gpus,
            GpuPercent = Math.Round(gpus * Math.Min(100, 98 * busy * dice.Between(0.9, 1.1)), 2),
            VramPercent = Math.Round(gpus * dice.Between(55, 60), 2),
        };
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

    /// <summary>How many runners of a number are of a machine type; the first gets the odd one.</summary>
    public int ShareOf(int count, int machineType) => (count + MachineTypes.Count - 1 - machineType) / MachineTypes.Count;

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
        foreach (SimulatedEndpoint endpoint in Endpoints)
        {
            TrafficTotals traffic = endpoint.Traffic(minute, minute + 1);
            totals.Add(traffic);
            work += traffic.Requests * endpoint.MeanSeconds / 60;
        }

        Incident incident = _timeline.IncidentAt(minute);
        work *= incident.Slowdown;
        int leastRunners = _keepsRunner || totals.Requests > 0 ? 1 : 0;
        int up = Math.Max(leastRunners, (int)Math.Ceiling(1.25 * work / _requestsPerRunner));
        var runners = new RunnerMinute
        {
            Busy = Math.Min(up, (int)Math.Ceiling(work / _requestsPerRunner)),
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
        double work = Endpoints.Sum(endpoint => endpoint.MostLoad * MostRequests * endpoint.MeanSeconds / 60);
        return 2 + MostPending + (int)Math.Ceiling(1.25 * work * new Incident(3, 0).Slowdown / _requestsPerRunner);
    }

    private long QueueAt(int minute)
    {
        Incident incident = _timeline.IncidentAt(minute);
        double load = 0;
        foreach (SimulatedEndpoint endpoint in Endpoints)
        {
            load += endpoint.LoadAt(minute, incident);
        }

        double noise = new Dice(_key, ~(long)minute).Between(0, 0.08);
        return (long)(load * (incident.Backlog + noise));
    }

    private sealed record RunnerBlock(int Number, RunnerMinute[] Minutes);
}

/// <summary>What the metrics endpoint shows of one app.</summary>
internal readonly record struct AppGauges
{
    /// <summary>Completed requests of the last whole minute.</summary>
    public TrafficTotals Traffic { get; init; }

    /// <summary>Completed requests of that minute and what the queue grew by.</summary>
    public long Received { get; init; }

    public long Queue { get; init; }
    public int Concurrent { get; init; }
    public int Running { get; init; }
    public int Pending { get; init; }
    public int Dead { get; init; }
    public double CpuPercent { get; init; }
    public double MemoryBytes { get; init; }

    /// <summary>0 for an app without GPUs.</summary>
    public int GpuCount { get; init; }

    public double GpuPercent { get; init; }
    public double VramPercent { get; init; }

    /// <summary>Nothing of the app is up, and nothing waits for it.</summary>
    public bool AtZero => Running + Pending + Dead == 0 && Queue == 0;
}
