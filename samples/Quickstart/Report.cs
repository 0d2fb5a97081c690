using System.Globalization;
using Fal.Observability.Client;

namespace Fal.Observability.Quickstart;

/// <summary>The tables that the quickstart prints. Nothing here is about the client; it is all layout.</summary>
internal static class Report
{
    private static readonly CultureInfo Invariant = CultureInfo.InvariantCulture;

    public static void WriteNow(FalMetricsSnapshot now)
    {
        Console.WriteLine(string.Create(Invariant, $"Now, {now.Timestamp:yyyy-MM-dd HH:mm:ss} UTC: {now.Apps.Count} apps"));
        WriteTable(
            ["app", "queued", "running", "runners", "in/min", "done/min", "5xx", "p50", "p99", "GPU", "VRAM"],
            now.Apps.OrderByDescending(app => app.RequestsReceived ?? 0).Take(25).Select(app => new[]
            {
                app.Name, Number(app.QueueSize), Number(app.ConcurrentRequests), Runners(app),
                Number(app.RequestsReceived), Number(app.RequestsCompleted), Number(ServerErrors(app)),
                Seconds(app.Latency?.Quantile(0.5)), Seconds(app.Latency?.Quantile(0.99)),
                Percent(app.GpuUtilizationPercentPerGpu), Percent(app.VramUsagePercentPerGpu),
            }));
        if (now.Apps.Count > 25)
        {
            Console.WriteLine(string.Create(Invariant, $"  ... and {now.Apps.Count - 25} more"));
        }

        if (now.SkippedLineCount > 0)
        {
            Console.WriteLine(string.Create(Invariant, $"  {now.SkippedLineCount} lines could not be read and were skipped."));
        }

        Console.WriteLine();
    }

    public static void WriteWeek(IReadOnlyList<AnalyticsRow> summary)
    {
        Console.WriteLine("The last 7 days and today so far, by endpoint");
        WriteTable(
            ["endpoint", "requests", "success", "4xx", "5xx", "cold boots", "p50", "p90", "p99"],
            summary.OrderByDescending(row => row.RequestCount ?? 0).Select(row => Cells(row).Prepend(row.EndpointId).ToArray()));
        Console.WriteLine();
    }

    public static async Task WriteDaysAsync(string endpoint, IAsyncEnumerable<AnalyticsBucket> days)
    {
        Console.WriteLine($"{endpoint}, day by day (UTC)");
        var lines = new List<string[]>();
        await foreach (AnalyticsBucket day in days)
        {
            string date = day.Start.ToString("ddd yyyy-MM-dd", Invariant);
            AnalyticsRow? row = day.Rows.FirstOrDefault(r => r.EndpointId == endpoint);
            lines.Add(row is null ? [date, "0", "-", "-", "-", "-", "-", "-", "-"] : [date, .. Cells(row)]);
        }

        WriteTable(["day", "requests", "success", "4xx", "5xx", "cold boots", "p50", "p90", "p99"], lines);
        Console.WriteLine("  The newest day is provisional: analytics lag by minutes, at times by more.");
    }

    private static string[] Cells(AnalyticsRow row) =>
    [
        Number(row.RequestCount), Percent(row.SuccessRate * 100, "0.00"), Number(row.UserErrorCount), Number(row.ErrorCount), Number(row.ColdBootCount),
        Seconds(row.GetValue(AnalyticsExpand.P50Duration)), Seconds(row.GetValue(AnalyticsExpand.P90Duration)), Seconds(row.GetValue(AnalyticsExpand.P99Duration)),
    ];

    private static string Runners(FalAppMetrics app) => app.RunnerCount is null
        ? "-"
        : $"{Number(app.RunnersInState(FalRunnerStates.Running))} of {Number(app.RunnerCount)} up";

    private static double? ServerErrors(FalAppMetrics app) => app.RequestsCompleted is null
        ? null
        : app.RequestsCompletedByStatus.Where(r => r.Status.StartsWith('5')).Sum(r => r.Count);

    private static string Number(double? value) => value?.ToString("#,0.##", Invariant) ?? "-";

    private static string Percent(double? value, string format = "0") => value is { } v ? v.ToString(format, Invariant) + " %" : "-";

    private static string Seconds(double? value) => value is { } v ? v.ToString(v < 10 ? "0.00" : "0.0", Invariant) + " s" : "-";

    private static void WriteTable(string[] header, IEnumerable<string[]> rows)
    {
        string[][] lines = [header, .. rows];
        int[] widths = [.. header.Select((_, column) => lines.Max(line => line[column].Length))];
        foreach (string[] line in lines)
        {
            IEnumerable<string> cells = line.Select((cell, column) => column == 0 ? cell.PadRight(widths[column]) : cell.PadLeft(widths[column]));
            Console.WriteLine("  " + string.Join("  ", cells));
        }
    }
}
