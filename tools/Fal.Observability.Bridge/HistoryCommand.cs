using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Fal.Observability.Client;
using Fal.Observability.Client.Prometheus;

namespace Fal.Observability.Bridge;

/// <summary>
/// The other door for history: an OpenMetrics file with timestamps, from which <c>promtool tsdb create-blocks-from openmetrics</c> makes
/// blocks of any age.
/// </summary>
internal sealed class HistoryCommand
{
    public const string Usage = """
        Usage: history FILE [options]
          --endpoints a/b,c/d            which endpoints
          --timeframe minute|hour|day    the length of a bucket (default: hour)
          --first 2026-01-01             the first day in UTC (default: 7 days ago)
          --last 2026-03-31              the last day in UTC (default: today, as far as it is final)
          --account acme                 which account of Fal:Accounts
          --Name=value                   any setting of the bridge, such as --Fal:TotalTimeout=00:05:00
        """;

    private readonly List<string> _settings = [];
    private string _path = "";
    private string[]? _endpoints;
    private AnalyticsTimeframe _timeframe = AnalyticsTimeframe.Hour;
    private DateOnly? _first;
    private DateOnly? _last;
    private string? _account;

    /// <summary>The arguments that are settings of the configuration.</summary>
    public IReadOnlyList<string> Settings => _settings;

    /// <summary>Reads the command line.</summary>
    /// <param name="arguments">What stands behind <c>history</c>.</param>
    /// <param name="command">The command.</param>
    /// <param name="error">What is wrong with the arguments.</param>
    public static bool TryParse(string[] arguments, [NotNullWhen(true)] out HistoryCommand? command, out string? error)
    {
        command = null;
        error = null;
        if (arguments is not [{ Length: > 0 } path, .. { } settings] || path.StartsWith('-'))
        {
            error = "Name the file to write.";
            return false;
        }

        var parsed = new HistoryCommand { _path = path };
        for (int i = 0; i < settings.Length; i++)
        {
            string name = settings[i];
            bool isSetting = CommandLine.NamesSetting(name);
            if (isSetting && name.Contains('=', StringComparison.Ordinal))
            {
                parsed._settings.Add(name);
                continue;
            }

            if (++i == settings.Length)
            {
                error = $"{name} has no value.";
            }
            else if (isSetting)
            {
                parsed._settings.AddRange([name, settings[i]]);
            }
            else
            {
                error = parsed.Take(name, settings[i]);
            }

            if (error is not null)
            {
                return false;
            }
        }

        if (parsed._last < parsed._first)
        {
            error = "--last is before --first.";
            return false;
        }

        command = parsed;
        return true;
    }

    /// <summary>Writes the file, whole or not at all.</summary>
    /// <param name="services">The bridge's own.</param>
    /// <param name="endpointsIfNotNamed">Of which endpoints, if the command line does not say.</param>
    public async Task RunAsync(IServiceProvider services, IEnumerable<string>? endpointsIfNotNamed)
    {
        string[] endpoints = _endpoints ?? endpointsIfNotNamed?.Take(3).ToArray() ?? throw new ArgumentException("Name the endpoints: --endpoints my-org/my-app,my-org/other");
        (IFalAnalyticsClient analytics, string label) = BridgeApplication.AnalyticsOf(services, _account);
        DateOnly today = DateOnly.FromDateTime(services.GetRequiredService<TimeProvider>().GetUtcNow().UtcDateTime);
        DateOnly last = _last ?? today;
        DateOnly first = _first ?? last.AddDays(-7);
        if (first > last)
        {
            throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"--first is {first:O}, which is not here yet in UTC: today is {today:O}."));
        }

        var query = new AnalyticsQuery(endpoints)
        {
            Expand = AnalyticsExpand.Standard | AnalyticsExpand.TimeSeries,
            Range = AnalyticsTimeRange.Days(first, last),
            Timeframe = _timeframe,
            ClosedOnly = true,
            RefusedEndpoints = RefusedEndpointPolicy.Skip,
            DegradeOnServerError = true,
        };
        // First of all, so that a place that cannot be written is known before an hour of reading.
        LeftOut leftOut = services.GetRequiredService<LeftOut>();
        // A link stays a link, and a pipe or a device is written into: neither is a file that another could take the place of.
        string target = new FileInfo(_path).LinkTarget is null ? _path : File.ResolveLinkTarget(_path, returnFinalTarget: true)!.FullName;
        bool isInPlace = new FileInfo(target) is { Exists: true, Length: 0 };
        string written = isInPlace ? target : $"{target}.tmp";
        FileStream file = new(written, isInPlace ? FileMode.Open : FileMode.Create, FileAccess.Write);
        int buckets;
        try
        {
            await using (file)
            {
                buckets = await WriteAsync(file, analytics, query, label, leftOut);
            }

            if (!isInPlace)
            {
                File.Move(written, target, overwrite: true);
            }
        }
        finally
        {
            if (!isInPlace)
            {
                File.Delete(written);
            }
        }

        if (leftOut.Total is > 0 and long total)
        {
            await Console.Error.WriteLineAsync(string.Create(
                CultureInfo.InvariantCulture, $"left out: {total} rows and samples that have no series of their own; the log says which."));
        }

        Console.WriteLine($"{_path}: {buckets} buckets. Next: promtool tsdb create-blocks-from openmetrics {_path} DATA_DIRECTORY");
    }

    private async Task<int> WriteAsync(FileStream file, IFalAnalyticsClient analytics, AnalyticsQuery query, string label, LeftOut leftOut)
    {
        AnalyticsReport report = await analytics.GetReportAsync(query, new Progress<AnalyticsProgress>(progress =>
            Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{progress.WindowsDone} of {progress.Windows} windows, {progress.Rows} rows"))));
        foreach (AnalyticsRefusedEndpoint refused in report.RefusedEndpoints)
        {
            await Console.Error.WriteLineAsync($"left out: {refused.EndpointId}: {refused.Message}");
        }

        // The format wants a family in one piece; the writer puts the samples of a series together.
        var families = report.TimeSeries.SelectMany(bucket => AnalyticsSamples.Of(bucket, label, _timeframe, leftOut))
            .GroupBy(sample => sample.Name, StringComparer.Ordinal)
            .Select(family => new MetricFamily(family.Key, PrometheusMetricType.Gauge, [.. family]));
        await PrometheusTextWriter.WriteAsync(file, new PrometheusExposition(families), PrometheusFormat.OpenMetrics);
        return report.TimeSeries.Count;
    }

    /// <summary>Takes a setting; what is wrong with it, or null.</summary>
    private string? Take(string name, string value)
    {
        switch (name)
        {
            case "--endpoints":
                _endpoints = value.Split(',');
                return null;
            case "--account":
                _account = value;
                return null;
            case "--timeframe":
                return HistoryOptions.TryParseTimeframe(value, out _timeframe) ? null : $"--timeframe is '{value}'; it must be minute, hour or day.";
            case "--first":
                return TryParseDay(value, out _first) ? null : $"--first is '{value}'; it must be a day such as 2026-01-31.";
            case "--last":
                return TryParseDay(value, out _last) ? null : $"--last is '{value}'; it must be a day such as 2026-01-31.";
            default:
                return $"'{name}' is not understood.";
        }
    }

    private static bool TryParseDay(string text, out DateOnly? day)
    {
        bool isDay = DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out DateOnly parsed);
        day = parsed;
        return isDay;
    }
}
