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

    private readonly bool _surges;

    /// <summary>
    /// Which features an app has follows from its number: every third is called by everybody, every fifth has a discount, every sixth is
    /// billed under a name with a suffix and without an environment, every fourth pays more in the afternoon.
    /// </summary>
    public AppSettings(SimulatedApp app, int index, int minConcurrency, int maxConcurrency)
    {
        string[] id = app.Name.Split('/');
        Owner = id[0];
        Name = id[1];
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

    /// <summary>The one environment that the account has.</summary>
    public const string Environment = "main";

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

    /// <summary>The environment on the bill; null where the suffix of the name stands for it.</summary>
    public string? BilledEnvironment { get; }

    /// <summary>In percent; null where there is none.</summary>
    public decimal? PercentDiscount { get; }

    /// <summary>The name of a machine type in the list of apps and on the bill.</summary>
    public static string MachineName(string machineType) => Machines[machineType].Name;

    /// <summary>The price of a second.</summary>
    public static decimal PriceOf(string machineType, bool surge) => Machines[machineType].PricePerSecond * (surge ? SurgeFactor : 1);

    /// <summary>Whether the surge price is in force: from 13 to 17 h UTC.</summary>
    public bool SurgesAt(int minute) => _surges && minute % MinutesPerDay is >= 13 * 60 and < 17 * 60;
}
