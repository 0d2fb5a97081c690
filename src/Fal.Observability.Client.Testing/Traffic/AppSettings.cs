namespace Fal.Observability.Client.Testing;

/// <summary>How an app is configured, and under which name and at which price its machines are billed.</summary>
internal sealed class AppSettings
{
    private const int MinutesPerDay = 24 * 60;
    private const decimal SurgeFactor = 1.5m;

    private static readonly string[] AuthModes = ["private", "public", "shared"];

    private static readonly Dictionary<string, (string Name, decimal PricePerSecond)> Machines = new(StringComparer.Ordinal)
    {
        ["NVIDIA H100 80GB HBM3"] = ("GPU-H100", 0.00099m),
        ["NVIDIA B200"] = ("GPU-B200", 0.00174m),
        ["NVIDIA A100-SXM4-80GB"] = ("GPU-A100", 0.00055m),
        ["NVIDIA L40S"] = ("GPU-L40S", 0.00041m),
        ["S"] = ("S", 0.0000104m),
        ["M"] = ("M", 0.0000208m),
        ["L"] = ("L", 0.0000417m),
    };

    // What a machine costs that no list names.
    private const decimal OtherPricePerSecond = 0.001m;

    private readonly bool _surges;
    private readonly decimal? _price;

    /// <summary>The settings of a scripted app.</summary>
    public AppSettings(SimulatedApp app)
    {
        string[] id = app.Id.Split('/');
        Owner = id[0];
        Name = BilledName = id[1];
        Environment = app.Environment;
        BilledEnvironment = app.Environment;
        MachineType = app.MachineType;
        PercentDiscount = app.PercentDiscount;
        AuthMode = app.AuthMode;
        KeepAlive = (int)app.KeepAlive.TotalSeconds;
        MinConcurrency = app.MinConcurrency;
        MaxConcurrency = app.MaxConcurrency;
        ValidRegions = ["us"];
        UpdatedAt = app.UpdatedAt;
        _price = app.PricePerSecond;
    }

    /// <summary>
    /// The settings of an app that is drawn from the seed.
    /// Which features an app has follows from its number: every third is called by everybody, every fifth has a discount, every sixth is
    /// billed under a name with a suffix and without an environment, every fourth pays more in the afternoon.
    /// </summary>
    public AppSettings(DrawnApp app, int index, int minConcurrency, int maxConcurrency)
    {
        string[] id = app.Name.Split('/');
        Owner = id[0];
        Name = id[1];
        Environment = MainEnvironment;
        MachineType = app.MachineTypes[0];
        BilledName = index % 6 == 5 ? $"{Name}-{Environment}" : Name;
        BilledEnvironment = index % 6 == 5 ? null : Environment;
        PercentDiscount = index % 5 == 3 ? 20 : null;
        _surges = index % 4 == 1;
        AuthMode = AuthModes[index % AuthModes.Length];
        KeepAlive = minConcurrency > 0 ? 300 : 60;
        MinConcurrency = minConcurrency;
        MaxConcurrency = maxConcurrency;
        ValidRegions = index % 2 == 0 ? ["us"] : ["us", "eu"];
        UpdatedAt = new DateTimeOffset(2026, 7, 1, 12, 0, 0, TimeSpan.Zero).AddMinutes(index);
    }

    /// <summary>The environment of every app unless a script says otherwise.</summary>
    public const string MainEnvironment = "main";

    public string Environment { get; }

    /// <summary>The machine type as the metrics name it; the first, if there are two.</summary>
    public string MachineType { get; }

    public string Owner { get; }
    public string Name { get; }
    public string AuthMode { get; }

    /// <summary>In seconds.</summary>
    public int KeepAlive { get; }

    public int MinConcurrency { get; }
    public int MaxConcurrency { get; }
    public IReadOnlyList<string> ValidRegions { get; }
    public DateTimeOffset UpdatedAt { get; }

    /// <summary>The name on the bill.</summary>
    public string BilledName { get; }

    /// <summary>The environment on the bill; null if the suffix of the name stands for it.</summary>
    public string? BilledEnvironment { get; }

    /// <summary>In percent; null if there is none.</summary>
    public decimal? PercentDiscount { get; }

    /// <summary>The name of a machine type in the list of apps and on the bill.</summary>
    public static string MachineName(string machineType) => Machines.TryGetValue(machineType, out var known) ? known.Name : machineType;

    /// <summary>The price of a second.</summary>
    public decimal PriceOf(string machineType, bool surge) => (_price ?? ListPriceOf(machineType)) * (surge ? SurgeFactor : 1);

    /// <summary>The price of a second by the list.</summary>
    public static decimal ListPriceOf(string machineType) =>
        Machines.TryGetValue(machineType, out var known) ? known.PricePerSecond : OtherPricePerSecond;

    /// <summary>Whether the surge price is in force: from 13 to 17 h UTC.</summary>
    public bool SurgesAt(int minute) => _surges && minute % MinutesPerDay is >= 13 * 60 and < 17 * 60;
}
