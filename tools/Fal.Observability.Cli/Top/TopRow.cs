using Fal.Observability.Client;

namespace Fal.Observability.Cli.Top;

/// <summary>What is known about an app over the whole run.</summary>
internal sealed class TopApp(string name)
{
    /// <summary>The id as the service wrote it.</summary>
    public string Name { get; } = name;

    /// <summary>The id as it may be written to a terminal.</summary>
    public string ShownName { get; } = ShownText.Of(name);

    public Trend Queue { get; } = new();

    public Trend Busy { get; } = new();

    /// <summary>The app as it is listed; null: it is not listed.</summary>
    public FalApp? Listed { get; set; }

    /// <summary>What the app has cost today in each currency, in all its environments; empty: not known.</summary>
    public IReadOnlyList<(decimal Cost, string Currency)> Cost { get; set; } = [];
}

/// <summary>An app as one read of the metrics found it.</summary>
/// <param name="App">What is known about it over the whole run.</param>
/// <param name="Live">Its metrics; null: the service sent none, for instance because it has no runner.</param>
/// <param name="Trouble">How badly it serves its callers.</param>
internal sealed record TopRow(TopApp App, FalAppMetrics? Live, Trouble Trouble)
{
    private double? _p50 = double.NegativeInfinity;
    private double? _p90 = double.NegativeInfinity;
    private double? _p99 = double.NegativeInfinity;

    /// <summary>The runners that run; null: the service sent nothing about runners.</summary>
    public double? Running => Live?.RunnersInState(FalRunnerStates.Running);

    public double? P50 => Once(ref _p50, 0.5);

    public double? P90 => Once(ref _p90, 0.9);

    public double? P99 => Once(ref _p99, 0.99);

    // Only the rows in sight need their quantiles, and these need them at each second.
    private double? Once(ref double? field, double quantile) =>
        field is double.NegativeInfinity ? field = Live?.Latency?.Quantile(quantile) : field;
}
