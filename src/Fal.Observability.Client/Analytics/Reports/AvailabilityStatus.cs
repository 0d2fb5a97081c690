using System.Globalization;

namespace Fal.Observability.Client;

/// <summary>
/// The status of an <see cref="AvailabilityObjective"/>. A value is null if the counts do not determine it: there was no request, or a
/// count is missing or negative.
/// </summary>
public sealed class AvailabilityStatus
{
    /// <summary>The objective.</summary>
    public required AvailabilityObjective Objective { get; init; }

    /// <summary>The instant at which the windows end: the end of the last bucket that counts.</summary>
    public required DateTimeOffset AsOf { get; init; }

    /// <summary>
    /// The share of the objective's window that has buckets, including those without requests, from 0 to 1. Below 1, the report was shorter
    /// than the window, or the app is younger. Null in a status made by hand that does not set it.
    /// </summary>
    public double? Coverage { get; init; }

    /// <summary>All requests in the window of the objective.</summary>
    public double? Requests { get; init; }

    /// <summary>Those of them that ended in a server error.</summary>
    public double? Errors { get; init; }

    /// <summary>
    /// The share of the requests in the window of the objective that did not end in a server error, from 0 to 1. Null without requests, or
    /// if a count is not known. <see cref="IsMet"/> decides whether the objective is met, without the rounding of this quotient.
    /// </summary>
    public double? Availability => Requests > 0 && Errors is { } errors ? 1 - (errors / Requests) : null;

    /// <summary>
    /// The share of the error budget that is used. At 0 it is untouched; above 1 the objective is missed. The budget is the number of
    /// errors that the target allows for the requests in the window.
    /// </summary>
    public double? ErrorBudgetConsumed { get; init; }

    /// <summary>
    /// How many times faster than allowed the budget was used in the last <see cref="AvailabilityObjective.ShortBurnWindow"/>. At 1, the
    /// budget lasts exactly the window of the objective. The workbook recommends paging at 14.4. Also null if a bucket is longer than an
    /// hour, because the requests of its last hour are not known. Query by <see cref="AnalyticsTimeframe.Hour"/> or shorter.
    /// </summary>
    public double? ShortBurnRate { get; init; }

    /// <summary>
    /// The same for the last <see cref="AvailabilityObjective.LongBurnWindow"/>. The workbook pages at 6. Also null if a bucket is longer
    /// than that.
    /// </summary>
    public double? LongBurnRate { get; init; }

    /// <summary>Whether the objective is met: the errors are within the budget. Null if that is not known.</summary>
    public bool? IsMet => ErrorBudgetConsumed <= 1 ? true : ErrorBudgetConsumed is null ? null : false;

    /// <summary>The status on one line for a log, with a question mark for what is not known.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"{Objective.Target * 100:0.############} % over {Objective.Window:c} as " +
            $"of {AsOf.UtcDateTime:yyyy-MM-dd'T'HH:mm:ss'Z'}: {Show(Errors)} errors of {Show(Requests)} requests, error budget " +
                $"consumed {Show(ErrorBudgetConsumed)}, burn rates {Show(ShortBurnRate)} (1 h) and {Show(LongBurnRate)} (6 h), " +
                    $"coverage {Show(Coverage)}");

    private static string Show(double? value) => value?.ToString("0.####", CultureInfo.InvariantCulture) ?? "?";
}
