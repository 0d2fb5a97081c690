using System.Globalization;
using Fal.Observability.Client;

namespace Fal.Observability.Quickstart;

/// <summary>The tables that the quickstart prints, at most 80 columns wide. Nothing here is about the client; it is all layout.</summary>
internal static class Report
{
    private const int Columns = 80;
    private const int ShortestName = 12;

    private static readonly CultureInfo Invariant = CultureInfo.InvariantCulture;

    public static void WriteNow(FalMetricsSnapshot now)
    {
        Console.WriteLine(string.Create(Invariant, $"Now, {now.Timestamp:yyyy-MM-dd HH:mm:ss} UTC: {now.Apps.Count} apps"));
        Console.WriteLine();
        WriteTable(
            ["app", "queue", "runners", "req/min", "5xx", "p99", "GPU"],
            now.Apps.OrderByDescending(app => app.RequestsReceived ?? 0).Take(25).Select(app => new[]
            {
                app.Name, Number(app.QueueSize), Runners(app), Number(app.RequestsReceived),
                Number(app.ErrorCount), Seconds(app.Latency?.Quantile(0.99)), Percent(app.GpuUtilizationPercentPerGpu),
            }));
        if (now.Apps.Count > 25)
        {
            Console.WriteLine(string.Create(Invariant, $"... and {now.Apps.Count - 25} more"));
        }

        if (now.SkippedLineCount > 0)
        {
            Console.WriteLine(string.Create(Invariant, $"{now.SkippedLineCount} lines could not be read and were skipped."));
        }

        Console.WriteLine("""

            queue    requests that wait
            runners  runners that are up, of all runners
            req/min  requests that arrived in the last minute
            5xx      requests that failed with a 5xx status in the last minute
            p99      99 % of the requests of the last minute took at most this long
            GPU      utilization of each GPU, on average

            """);
    }

    public static void WriteWeek(IReadOnlyList<AnalyticsRow> summary)
    {
        Console.WriteLine("The last 7 days and today so far, by endpoint");
        Console.WriteLine();
        WriteTable(
            ["endpoint", .. Headers],
            summary.OrderByDescending(row => row.RequestCount ?? 0).Select(row => Cells(row).Prepend(row.EndpointId).ToArray()));
        Console.WriteLine("""

            success  share of the requests that ended with a 2xx status
            5xx      requests that failed with a 5xx status
            p50      half of the requests took at most this long
            p99      99 % of the requests took at most this long

            """);
    }

    public static async Task WriteDaysAsync(string endpoint, IAsyncEnumerable<AnalyticsBucket> days)
    {
        Console.WriteLine($"{endpoint}, day by day (UTC)");
        Console.WriteLine();
        var lines = new List<string[]>();
        await foreach (AnalyticsBucket day in days)
        {
            string date = day.Start.ToString("ddd yyyy-MM-dd", Invariant);
            AnalyticsRow? row = day.Rows.FirstOrDefault(r => r.EndpointId == endpoint);
            lines.Add(row is null ? [date, "0", "-", "-", "-", "-"] : [date, .. Cells(row)]);
        }

        WriteTable(["day", .. Headers], lines);
        Console.WriteLine();
        Console.WriteLine("The newest day is provisional: analytics lag behind by minutes or more.");
    }

    private static string[] Headers => ["requests", "success", "5xx", "p50", "p99"];

    private static string[] Cells(AnalyticsRow row) =>
    [
        Number(row.RequestCount), Percent(row.SuccessRate * 100, "0.00"), Number(row.ErrorCount),
        Seconds(row.GetValue(AnalyticsExpand.P50Duration)), Seconds(row.GetValue(AnalyticsExpand.P99Duration)),
    ];

    private static string Runners(FalAppMetrics app) => app.RunnerCount is null
        ? "-"
        : $"{Number(app.RunnersInState(FalRunnerStates.Running) ?? 0)} of {Number(app.RunnerCount)}";

    private static string Number(double? value) => value?.ToString("#,0.##", Invariant) ?? "-";

    private static string Percent(double? value, string format = "0") => value is { } v ? v.ToString(format, Invariant) + " %" : "-";

    private static string Seconds(double? value) => value is { } v ? v.ToString(v < 10 ? "0.00" : "0.0", Invariant) + " s" : "-";

    /// <summary>Writes a table. A name that is too long for the line loses its start.</summary>
    private static void WriteTable(string[] header, IEnumerable<string[]> rows)
    {
        string[][] lines = [header, .. rows];
        int[] widths = [.. header.Select((_, column) => lines.Max(line => line[column].Length))];
        widths[0] = Math.Min(widths[0], Math.Max(ShortestName, Columns - widths.Skip(1).Sum(width => width + 2)));
        foreach (string[] line in lines)
        {
            string name = line[0].Length > widths[0] ? $"..{line[0][(line[0].Length - widths[0] + 2)..]}" : line[0];
            Console.WriteLine(
                string.Join("  ", line.Skip(1).Select((cell, i) => cell.PadLeft(widths[i + 1])).Prepend(name.PadRight(widths[0])))
            );
        }
    }
}
