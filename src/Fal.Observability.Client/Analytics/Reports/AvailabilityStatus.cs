namespace Fal.Observability.Client;

/// <summary>How an <see cref="AvailabilityObjective"/> is kept. A value is null where the counts do not tell: no request, or a count is missing.</summary>
public sealed class AvailabilityStatus
{
    /// <summary>What was measured against.</summary>
    public required AvailabilityObjective Objective { get; init; }

    /// <summary>The instant at which the windows end.</summary>
    public required DateTimeOffset AsOf { get; init; }

    /// <summary>All requests in the window of the objective.</summary>
    public double? Requests { get; init; }

    /// <summary>Those of them that ended in a server error.</summary>
    public double? Errors { get; init; }

    /// <summary>
    /// The share of the error budget that is used up: 0 untouched, 1 just kept, above 1 broken. The budget is what the target allows of
    /// the requests that there were in the window.
    /// </summary>
    public double? ErrorBudgetConsumed { get; init; }

    /// <summary>
    /// How many times faster than allowed the budget is used in the last <see cref="AvailabilityObjective.ShortBurnWindow"/>: at 1 it
    /// lasts exactly the window of the objective. The workbook pages at 14.4.
    /// </summary>
    public double? ShortBurnRate { get; init; }

    /// <summary>The same for the last <see cref="AvailabilityObjective.LongBurnWindow"/>. The workbook pages at 6.</summary>
    public double? LongBurnRate { get; init; }

    /// <summary>Whether the objective is kept: the errors are within the budget. Null where that is not known.</summary>
    public bool? IsMet => ErrorBudgetConsumed <= 1 ? true : ErrorBudgetConsumed is null ? null : false;
}
