using System.Globalization;

namespace Fal.Observability.Client;

/// <summary>The totals of rows of one currency. Currencies are never added together: each has its own totals.</summary>
/// <remarks>Immutable and safe to share between threads.</remarks>
public sealed class UsageTotals
{
    private const decimal LongestSeconds = long.MaxValue / (decimal)TimeSpan.TicksPerSecond;

    internal UsageTotals(string currency, IEnumerable<UsageRow> rows)
    {
        Currency = currency;
        foreach (UsageRow row in rows)
        {
            RowCount++;
            Cost += row.Cost;

            // If one row is not known, the sum is not known.
            Discount = RowCount == 1 ? row.CostDiscount : Discount + row.CostDiscount;
            MachineSeconds = RowCount == 1 ? row.MachineSeconds : MachineSeconds + row.MachineSeconds;
        }
    }

    /// <summary>
    /// The app of totals by app, as in <see cref="UsageRow.App"/>; null for rows that belong to no app, and for other totals.
    /// </summary>
    public string? App { get; internal init; }

    /// <summary>
    /// The environment of totals by app, as in <see cref="UsageRow.Environment"/>; null for rows that name none, and for other totals.
    /// </summary>
    public string? Environment { get; internal init; }

    /// <summary>The machine type of totals by machine; null for rows that name none, and for other totals.</summary>
    public string? MachineType { get; internal init; }

    /// <summary>The day, in the zone of the query, of totals by day; otherwise null.</summary>
    public DateOnly? Day { get; internal init; }

    /// <summary>The currency of every amount: a code of ISO 4217, such as <c>USD</c>.</summary>
    public string Currency { get; }

    /// <summary>The amount charged, after discounts: the exact sum of <see cref="UsageRow.Cost"/> over the rows.</summary>
    public decimal Cost { get; }

    /// <summary>The discounts as an amount of money; null if a row does not say.</summary>
    public decimal? Discount { get; }

    /// <summary>The machine time in seconds: the exact sum of the rows; null if a row does not state it.</summary>
    public decimal? MachineSeconds { get; }

    /// <summary>
    /// The machine time, rounded to the tick of 100 ns, and at most <see cref="TimeSpan.MaxValue"/>; null if a row does not state it.
    /// </summary>
    public TimeSpan? MachineTime => MachineSeconds is { } seconds
        ? TimeSpan.FromTicks((long)decimal.Round(Math.Clamp(seconds, -LongestSeconds, LongestSeconds) * TimeSpan.TicksPerSecond))
        : null;

    /// <summary>How many rows were added.</summary>
    public int RowCount { get; }

    /// <summary>The totals on one line for a log.</summary>
    public override string ToString()
    {
        string? what = Day?.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture) ?? MachineType
            ?? (App is null ? null : Environment is null ? App : $"{App} ({Environment})");
        return string.Create(CultureInfo.InvariantCulture, $"{what}{(what is null ? "" : ": ")}{Cost} {Currency}");
    }
}
