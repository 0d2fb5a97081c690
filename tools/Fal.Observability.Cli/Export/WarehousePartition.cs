using System.Globalization;
using Fal.Observability.Client;

namespace Fal.Observability.Cli.Export;

/// <summary>
/// The unit that is written whole and replaced whole, so that writing it again changes nothing: a day in UTC, or a month where the
/// buckets are days.
/// </summary>
internal readonly record struct WarehousePartition(DateTimeOffset Start, DateTimeOffset End)
{
    /// <summary>
    /// Its name, which sorts in time and is BigQuery's name of the partition too: <c>20260131</c>, or <c>202601</c> for a month.
    /// </summary>
    public string Name =>
        Start.UtcDateTime.ToString(End - Start > TimeSpan.FromDays(1) ? "yyyyMM" : "yyyyMMdd", CultureInfo.InvariantCulture);

    public static WarehousePartition Of(DateTimeOffset instant, AnalyticsTimeframe timeframe)
    {
        DateTime utc = instant.UtcDateTime;
        if (timeframe == AnalyticsTimeframe.Day)
        {
            var month = new DateTimeOffset(utc.Year, utc.Month, 1, 0, 0, 0, TimeSpan.Zero);
            return new WarehousePartition(month, month.AddMonths(1));
        }

        var day = new DateTimeOffset(utc.Date, TimeSpan.Zero);
        return new WarehousePartition(day, day.AddDays(1));
    }

    /// <summary>The partitions from the one of an instant to the one before another.</summary>
    public static IEnumerable<WarehousePartition> Between(DateTimeOffset start, DateTimeOffset end, AnalyticsTimeframe timeframe)
    {
        for (WarehousePartition partition = Of(start, timeframe); partition.Start < end; partition = Of(partition.End, timeframe))
        {
            yield return partition;
        }
    }
}
