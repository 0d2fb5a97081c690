using Options = Fal.Observability.Client.FalMetricsPublisherOptions;

namespace Fal.Observability.Client;

/// <summary>The table of <see cref="FalMetricsPublisherOptions"/>.</summary>
internal static class FalMetricsPublisherOptionTable
{
    public static readonly OptionRange<TimeSpan> Interval = new(
        nameof(Options.Interval), TimeSpan.FromSeconds(15), PollInterval.Shortest, PollInterval.Longest);

    public static readonly OptionRange<TimeSpan> StaleAfter = new(
        nameof(Options.StaleAfter), TimeSpan.FromMinutes(2), TimeSpan.FromSeconds(20), TimeSpan.FromDays(7),
        also: "at least twice `Interval`");

    /// <summary>Every option, in the order of the documentation.</summary>
    public static OptionRow[] Rows =>
        [
            Interval,
            StaleAfter,
            new(nameof(Options.AccountLabel), OptionKind.Text, "the name of a named account", "not blank"),
            new(nameof(Options.AnalyticsEndpointIds), OptionKind.Texts, "none", "endpoint ids"),
            new(
                nameof(Options.AnalyticsMetrics),
                OptionKind.Metrics,
                "`Volume`, `P50Duration`, `P90Duration`, `P99Duration`",
                "one or more metrics"
            ),
            new(nameof(Options.AnalyticsTimeframe), OptionKind.Choice, "`Hour`", "`Minute`, `Hour`, `Day`"),
        ];
}
