using System.Globalization;
using Fal.Observability.Client;
using Fal.Observability.Client.Prometheus;

namespace Fal.Observability.PrometheusBridge;

/// <summary>
/// The other door for history: an OpenMetrics file with timestamps, from which <c>promtool tsdb create-blocks-from openmetrics</c> makes
/// blocks of any age.
/// </summary>
internal static class HistoryFile
{
    public static async Task WriteAsync(IFalAnalyticsClient analytics, AnalyticsQuery query, string account, string path)
    {
        AnalyticsReport report = await analytics.GetReportAsync(query, new Progress<AnalyticsProgress>(progress =>
            Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{progress.WindowsDone} of {progress.Windows} windows, {progress.Rows} rows"))));
        foreach (AnalyticsRefusedEndpoint refused in report.RefusedEndpoints)
        {
            Console.Error.WriteLine($"left out: {refused.EndpointId}: {refused.Message}");
        }

        // The format wants a family in one piece and, in it, one series after the other; the writer sees to the second.
        var families = AnalyticsSamples.Of(report.TimeSeries, account)
            .GroupBy(sample => sample.Name, StringComparer.Ordinal)
            .Select(family => new MetricFamily(family.Key, MetricType.Gauge, [.. family]));
        string temporary = $"{path}.tmp";
        await using (FileStream file = File.Create(temporary))
        {
            await PrometheusTextWriter.WriteAsync(file, new PrometheusExposition(families), PrometheusFormat.OpenMetrics);
        }

        File.Move(temporary, path, overwrite: true);
        Console.WriteLine($"{path}: {report.TimeSeries.Count} buckets. Next: promtool tsdb create-blocks-from openmetrics {path} DATA_DIRECTORY");
    }
}
