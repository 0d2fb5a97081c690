using System.Globalization;
using Microsoft.Extensions.Options;

namespace Fal.Observability.Client;

/// <summary>Reports every publisher setting that is out of range, with its allowed values.</summary>
internal sealed class FalMetricsPublisherOptionsValidator : IValidateOptions<FalMetricsPublisherOptions>
{
    public ValidateOptionsResult Validate(string? name, FalMetricsPublisherOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        var failures = new List<string>();
        FalMetricsPublisherOptionTable.Interval.Check(options.Interval, failures);
        FalMetricsPublisherOptionTable.StaleAfter.Check(options.StaleAfter, failures);
        // Not twice the interval, which can exceed the range of the type.
        if (failures.Count == 0 && options.Interval > options.StaleAfter / 2)
        {
            failures.Add(string.Create(CultureInfo.InvariantCulture,
                $"{nameof(options.StaleAfter)} ({options.StaleAfter}) must be at least twice {nameof(options.Interval)} " +
                    $"({options.Interval}). Lower {nameof(options.Interval)}, or raise {nameof(options.StaleAfter)}."));
        }

        if (options.AccountLabel is not null && string.IsNullOrWhiteSpace(options.AccountLabel))
        {
            failures.Add($"{nameof(options.AccountLabel)} is blank. Leave it unset, or give the account a name.");
        }

        CheckAnalytics(options, failures);
        return SettingRules.Verdict("Publisher of account", name, failures);
    }

    private static void CheckAnalytics(FalMetricsPublisherOptions options, List<string> failures)
    {
        if (options.AnalyticsTimeframe is not (AnalyticsTimeframe.Minute or AnalyticsTimeframe.Hour or AnalyticsTimeframe.Day))
        {
            failures.Add($"{nameof(options.AnalyticsTimeframe)} is {options.AnalyticsTimeframe}; it must be Minute, Hour or Day.");
            return;
        }

        if ((options.AnalyticsMetrics & ~AnalyticsExpand.AllMetrics) != 0 || options.AnalyticsMetrics == 0)
        {
            failures.Add($"{nameof(options.AnalyticsMetrics)} is {options.AnalyticsMetrics}; it must be one or more metrics, such as " +
                $"RequestCount, P90Duration.");
            return;
        }

        if (options.AnalyticsEndpointIds.Count > 0)
        {
            try
            {
                _ = PublishedAnalytics.QueryOf(options, TimeSpan.Zero);
            }
            catch (ArgumentException e)
            {
                failures.Add($"{nameof(options.AnalyticsEndpointIds)} is not valid. {e.Message}");
            }
        }
    }
}
