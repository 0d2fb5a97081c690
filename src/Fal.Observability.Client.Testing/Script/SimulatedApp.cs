using System.Globalization;

namespace Fal.Observability.Client.Testing;

/// <summary>
/// An app that a test scripts. The script holds for every minute, past and future: ten requests a minute are 600 in each hour that
/// analytics report. <see cref="During"/> scripts a part of the history differently.
/// </summary>
public sealed class SimulatedApp : SimulatedActivity
{
    private readonly List<SimulatedPeriod> _periods = [];

    internal SimulatedApp(string id, ScriptedAccount account, DateTimeOffset updatedAt)
        : base(account, MinuteScript.Nothing)
    {
        Id = id;
        UpdatedAt = updatedAt;
    }

    /// <summary>The app id, <c>owner/name</c>.</summary>
    public string Id { get; }

    /// <summary>The environment, in the list of apps and on the bill. Default <c>main</c>.</summary>
    /// <exception cref="ArgumentException">The name is empty.</exception>
    public string Environment
    {
        get;
        set => Change(() => field = NotEmpty(value, nameof(Environment)));
    } = AppSettings.MainEnvironment;

    /// <summary>
    /// The machine type of the runners for which the script names none, as the metrics name it. Default <c>NVIDIA H100 80GB HBM3</c>.
    /// The list of apps and the bill use the short name of a known type, such as <c>GPU-H100</c>, and any other name as it is.
    /// </summary>
    /// <exception cref="ArgumentException">The name is empty.</exception>
    public string MachineType
    {
        get;
        set => Change(() => field = NotEmpty(value, nameof(MachineType)));
    } = "NVIDIA H100 80GB HBM3";

    /// <summary>Who may call the app: <c>private</c>, <c>public</c>, <c>shared</c> or any other word. Default <c>private</c>.</summary>
    /// <exception cref="ArgumentException">The word is empty.</exception>
    public string AuthMode
    {
        get;
        set => Change(() => field = NotEmpty(value, nameof(AuthMode)));
    } = "private";

    /// <summary>How long a runner without requests stays, zero or more, in whole seconds. Default 60 s.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The time is negative.</exception>
    public TimeSpan KeepAlive
    {
        get;
        set => Change(() => field = value >= TimeSpan.Zero ? value : throw Wrong(nameof(KeepAlive), value, "it must not be negative"));
    } = TimeSpan.FromSeconds(60);

    /// <summary>How many runners the app keeps at least. Default 0. <see cref="SetScaling"/> sets it.</summary>
    public int MinConcurrency { get; private set; }

    /// <summary>How many runners the app may have at most. Default 10. <see cref="SetScaling"/> sets it.</summary>
    public int MaxConcurrency { get; private set; } = 10;

    /// <summary>
    /// The price of a second of a runner in US dollars, 0 or more. Default null: the simulated list price of a known machine type,
    /// and 0.001 for any other.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The price is negative.</exception>
    public decimal? PricePerSecond
    {
        get;
        set => Change(() => field = value is null or >= 0 ? value : throw Wrong(nameof(PricePerSecond), value, "it must be 0 or more"));
    }

    /// <summary>The discount on the price in percent, 0 to 100. Default null: no discount.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The discount is out of its range.</exception>
    public decimal? PercentDiscount
    {
        get;
        set => Change(() => field = value is null or (>= 0 and <= 100)
            ? value
            : throw Wrong(nameof(PercentDiscount), value, "it must be between 0 and 100"));
    }

    internal DateTimeOffset UpdatedAt { get; }

    internal IReadOnlyList<SimulatedPeriod> Periods => _periods;

    /// <summary>Sets the scaling limits.</summary>
    /// <param name="minConcurrency">How many runners the app keeps at least, 0 or more.</param>
    /// <param name="maxConcurrency">How many runners the app may have at most, at least <paramref name="minConcurrency"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">A limit is out of its range.</exception>
    public void SetScaling(int minConcurrency, int maxConcurrency)
    {
        AtLeastZero(minConcurrency, nameof(minConcurrency));
        if (maxConcurrency < minConcurrency)
        {
            throw Wrong(nameof(maxConcurrency), maxConcurrency, string.Create(
                CultureInfo.InvariantCulture, $"it must be at least minConcurrency, which is {minConcurrency}"));
        }

        Change(() => (MinConcurrency, MaxConcurrency) = (minConcurrency, maxConcurrency));
    }

    /// <summary>
    /// Scripts a part of the time differently. The period starts as a copy of what the app does otherwise. Where periods overlap, the one
    /// that was made last holds.
    /// </summary>
    /// <param name="start">The first instant. The minute that holds it is part of the period.</param>
    /// <param name="end">The end, exclusive. A minute that it cuts is part of the period.</param>
    /// <exception cref="ArgumentOutOfRangeException">
    /// The end is not after the start, or one of them is not in the years 2000 to 2199.
    /// </exception>
    public SimulatedPeriod During(DateTimeOffset start, DateTimeOffset end)
    {
        foreach ((string name, DateTimeOffset instant) in new[] { (nameof(start), start), (nameof(end), end) })
        {
            if (instant.UtcDateTime.Year is < 2000 or >= 2200)
            {
                throw Wrong(name, instant, "it must be in the years 2000 to 2199");
            }
        }

        if (end <= start)
        {
            throw Wrong(nameof(end), end, string.Create(CultureInfo.InvariantCulture, $"it must be after the start, which is {start}"));
        }

        SimulatedPeriod? period = null;
        Change(() => _periods.Add(period = new SimulatedPeriod(Account, State, start, end)));
        return period!;
    }

    private static string NotEmpty(string value, string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(value, name);
        return value;
    }
}
