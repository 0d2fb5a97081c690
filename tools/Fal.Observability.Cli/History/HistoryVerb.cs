using System.CommandLine;
using System.Globalization;
using Fal.Observability.Client;
using Fal.Observability.Client.Prometheus;

namespace Fal.Observability.Cli.History;

/// <summary>
/// Writes analytics as an OpenMetrics file with timestamps, from which <c>promtool tsdb create-blocks-from openmetrics</c> makes blocks of
/// any age.
/// </summary>
internal sealed class HistoryVerb
{
    private const int DefaultDays = 7;

    private readonly Argument<string> _file = new("FILE") { Description = "The file to write, for promtool." };
    private readonly Option<AnalyticsTimeframe?> _timeframe = Words.Timeframe();

    private readonly Option<string?> _label = Words.Option<string?>(
        "--account-label", "NAME", "The value of the label account; use the bridge's (default: default, or simulated).",
        text => string.IsNullOrWhiteSpace(text) ? throw Words.Expected("the name of the account, which is not empty") : text);

    private readonly Option<Uri?> _baseAddress = Words.BaseAddress();
    private readonly EndpointChoice _endpoints;
    private readonly DayRange _days;

    private HistoryVerb(Command verb)
    {
        verb.Add(_file);
        _endpoints = new EndpointChoice(verb);
        verb.Add(_timeframe);
        _days = new DayRange(verb, DefaultDays);
        verb.Add(_label);
        verb.Add(_baseAddress);
        verb.Validators.Add(result =>
        {
            if (result.GetResult(_file) is { Tokens.Count: > 0 } && result.GetValue(_file) is { } path
                && (path.Length == 0 || Directory.Exists(path)))
            {
                result.AddError($"FILE is '{path}', which is {(path.Length == 0 ? "empty" : "a folder")}; it must be the file to write.");
            }
        });
        verb.SetAction(RunAsync);
    }

    public static Command Create()
    {
        var verb = new Command("history", "Write analytics to a file from which promtool creates Prometheus blocks.");
        _ = new HistoryVerb(verb);
        return verb;
    }

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        (DateOnly first, DateOnly? last) = _days.Of(parsed);
        await using Account account = await Account.OpenAsync(parsed.GetValue(_baseAddress), cancellationToken);
        IReadOnlyList<string> endpoints = await _endpoints.OfAsync(parsed, account, cancellationToken);
        if (endpoints.Count == 0)
        {
            return await Failure.ReportAsync(ExitCode.Failed, "The account owns no app in this environment. The history was not written.");
        }

        string path = parsed.GetValue(_file)!;
        var query = new AnalyticsQuery(endpoints)
        {
            Expand = AnalyticsExpand.Standard | AnalyticsExpand.TimeSeries,
            Range = AnalyticsTimeRange.Days(first, last ?? DayRange.Today),
            Timeframe = parsed.GetValue(_timeframe) ?? AnalyticsTimeframe.Hour,
            ClosedOnly = true,
            RefusedEndpoints = RefusedEndpointPolicy.Skip,
            DegradeOnServerError = true,
        };
        string label = parsed.GetValue(_label) ?? (account.IsSimulated ? "simulated" : "default");
        var leftOut = new HistoryLeftOut();
        AnalyticsReport? report = null;
        try
        {
            await WholeFile.WriteAsync(path, async file => report = await WriteAsync(
                file, account.Client.Analytics, query, label, leftOut, cancellationToken));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or FalObservabilityException)
        {
            return await Failure.ReportAsync(ExitCode.Failed, $"{Failure.CauseOf(e)}. The history was not written.");
        }

        foreach (AnalyticsRefusedEndpoint refused in report!.RefusedEndpoints)
        {
            await Console.Error.WriteLineAsync(Screen.OneLine($"left out: {refused.EndpointId}: {refused.Message}"));
        }

        foreach (AnalyticsMissingMetrics missing in report.MissingMetrics)
        {
            await Console.Error.WriteLineAsync(
                Screen.OneLine($"left empty: {missing.EndpointId}: the service fails on {Words.NamesOf(missing.Metrics)}")
            );
        }

        if (leftOut.Describe() is { } lost)
        {
            await Console.Error.WriteLineAsync(Screen.OneLine(lost));
        }

        if (report.RefusedEndpoints.Count == endpoints.Count)
        {
            return await Failure.ReportAsync(ExitCode.Failed, "The service refuses every endpoint, so the history is empty.");
        }

        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{path}: {report.TimeSeries.Count} buckets. Next: promtool tsdb create-blocks-from openmetrics {ShellWord.Quote(path)} " +
                $"DATA_DIRECTORY"));
        return ExitCode.Done;
    }

    private static async Task<AnalyticsReport> WriteAsync(
        FileStream file,
        IFalAnalyticsClient analytics,
        AnalyticsQuery query,
        string label,
        HistoryLeftOut leftOut,
        CancellationToken cancellationToken
    )
    {
        AnalyticsReport? report = null;
        await Screen.WithProgressAsync("history", async progress => report = await analytics.GetReportAsync(
            query, new Progress<AnalyticsProgress>(done => progress(done.WindowsDone, done.Windows)), cancellationToken));
        // The format wants a family in one piece. The writer puts the samples of a series together.
        var families = report!.TimeSeries.SelectMany(bucket => AnalyticsSamples.Of(bucket, label, query.Timeframe!.Value, leftOut))
            .GroupBy(sample => sample.Name, StringComparer.Ordinal)
            .Select(family => new MetricFamily(family.Key, PrometheusMetricType.Gauge, [.. family]));
        await PrometheusTextWriter.WriteAsync(file, new PrometheusExposition(families), PrometheusFormat.OpenMetrics, cancellationToken);
        return report;
    }
}
