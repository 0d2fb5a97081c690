using System.CommandLine;
using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Fal.Observability.Client;

namespace Fal.Observability.Cli.Report;

/// <summary>Writes analytics, runner history and cost of an account as one HTML file that needs nothing else.</summary>
internal sealed class ReportVerb
{
    private const int DefaultDays = 30;
    private const decimal DefaultTarget = 99.5m;
    private const string DefaultFile = "fal-report.html";

    private readonly Option<string?> _file = Words.Option<string?>(
        "--output", "FILE", $"The file to write (default: {DefaultFile}; with --json: the standard output).", Place);

    private readonly Option<bool> _json = new("--json") { Description = "Write the same figures as one JSON object." };
    private readonly Option<bool> _open = new("--open") { Description = "Open the report in the browser when it is written." };

    private readonly Option<decimal?> _target = Words.Option<decimal?>(
        "--slo", "PERCENT",
        string.Create(
            CultureInfo.InvariantCulture, $"The share of requests that must end without a server error (default: {DefaultTarget})."),
        Percent);

    private readonly Option<int?> _window = Words.Option<int?>(
        "--slo-days", "DAYS", $"The number of days over which the objective holds (default: {DefaultDays}).", Days);

    private readonly Option<AnalyticsTimeframe?> _timeframe = Words.Timeframe();
    private readonly Option<Uri?> _baseAddress = Words.BaseAddress();
    private readonly EndpointChoice _endpoints;
    private readonly DayRange _days;

    private ReportVerb(Command verb)
    {
        _file.Aliases.Add("-o");
        verb.Add(_file);
        verb.Add(_json);
        verb.Add(_open);
        _endpoints = new EndpointChoice(verb);
        verb.Add(_timeframe);
        _days = new DayRange(verb, DefaultDays);
        verb.Add(_target);
        verb.Add(_window);
        verb.Add(_baseAddress);
        verb.Validators.Add(result =>
        {
            if (result.GetValue(_json) && result.GetValue(_open))
            {
                result.AddError("--json and --open cannot be combined: a browser opens the page.");
            }
        });
        verb.SetAction(RunAsync);
    }

    public static Command Create()
    {
        var verb = new Command("report", "Write a report on traffic, errors, latency, runners and cost as one HTML file.");
        _ = new ReportVerb(verb);
        return verb;
    }

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        (DateOnly first, DateOnly? last) = _days.Of(parsed);
        await using Account account = await Account.OpenAsync(parsed.GetValue(_baseAddress), cancellationToken);
        IReadOnlyList<string>? named = _endpoints.Named(parsed);
        bool isJson = parsed.GetValue(_json);
        string? path = parsed.GetValue(_file) ?? (isJson ? null : DefaultFile);
        try
        {
            (FalAppList apps, List<ReportGap> gaps) = await ListAsync();
            IReadOnlyList<string> endpoints =
                named ?? EndpointChoice.OfAll(apps, (id, reason) => gaps.Add(new ReportGap("refused_endpoint", id, reason)));
            if (endpoints.Count == 0)
            {
                return await Failure.ReportAsync(
                    ExitCode.Failed, "The account owns no app in this environment. The report was not written.");
            }

            var request = new ReportRequest
            {
                Apps = apps,
                Gaps = gaps,
                EndpointIds = endpoints,
                IsWholeAccount = named is null,
                IsSimulated = account.IsSimulated,
                First = first,
                Last = last,
                Timeframe = parsed.GetValue(_timeframe) ?? AnalyticsTimeframe.Hour,
                Objective = new AvailabilityObjective(
                    ShareOf(parsed.GetValue(_target) ?? DefaultTarget), TimeSpan.FromDays(parsed.GetValue(_window) ?? DefaultDays)),
            };
            var collector = new ReportCollector(account.Client, TimeProvider.System);
            AccountFigures figures;
            if (path is null)
            {
                figures = await CollectAsync();
                Console.WriteLine(JsonSerializer.Serialize(figures, FiguresJson.Default.AccountFigures));
            }
            else
            {
                AccountFigures? written = null;
                await WholeFile.WriteAsync(path, async file =>
                {
                    written = await CollectAsync();
                    Write(written, isJson, file);
                });
                figures = written!;
                Console.WriteLine(string.Create(
                    CultureInfo.InvariantCulture,
                    $"{path}: {figures.Apps.Count} apps, {FigureText.Day(figures.Period.Start)} to " +
                        $"{FigureText.Instant(figures.Period.End)} UTC."));
            }

            await NameGapsAsync(figures);

            async Task<(FalAppList Apps, List<ReportGap> Gaps)> ListAsync()
            {
                try
                {
                    return (await _endpoints.ListAsync(parsed, account, cancellationToken), []);
                }
                catch (FalApiException refusal) when (named is not null && ReportCollector.IsRefusal(refusal))
                {
                    // Named endpoints need no list, but no cost can be attributed to them.
                    return (
                        new FalAppList { Apps = [] },
                        [new ReportGap("apps", null, $"The service does not list the apps. {ReportCollector.Sentence(refusal.Message)}")]);
                }
            }

            async Task<AccountFigures> CollectAsync()
            {
                ReportSources sources = await collector.CollectAsync(request, cancellationToken);
                return sources.Requests.RefusedEndpoints.Count < endpoints.Count
                    ? FiguresOf.Account(sources)
                    : throw new FalForbiddenException("The service refuses every endpoint");
            }
        }
        catch (Exception e) when (
            e is (IOException or UnauthorizedAccessException or FalObservabilityException) and not StandardOutputException)
        {
            return await Failure.ReportAsync(ExitCode.Failed, $"{Failure.CauseOf(e)}. The report was not written.");
        }

        if (parsed.GetValue(_open))
        {
            await OpenAsync(path!);
        }

        return ExitCode.Done;
    }

    /// <summary>Writes a report in one of its two forms.</summary>
    public static void Write(AccountFigures figures, bool isJson, Stream file)
    {
        using var text = new StreamWriter(file, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false), leaveOpen: true)
        {
            NewLine = "\n",
        };
        if (isJson)
        {
            text.WriteLine(JsonSerializer.Serialize(figures, FiguresJson.Default.AccountFigures));
        }
        else
        {
            ReportPage.Write(figures, text);
        }
    }

    private static async Task NameGapsAsync(AccountFigures figures)
    {
        foreach (ReportGap gap in figures.Gaps)
        {
            string subject = gap.Subject is null ? "" : $"{ShownText.Of(gap.Subject)}: ";
            await Console.Error.WriteLineAsync(Screen.OneLine($"left out: {subject}{gap.Text}"));
        }
    }

    private static async Task OpenAsync(string path)
    {
        string full = Path.GetFullPath(path);
        try
        {
            using Process? browser = Process.Start(new ProcessStartInfo(full) { UseShellExecute = true });
        }
        catch (Exception e) when (e is Win32Exception or InvalidOperationException or PlatformNotSupportedException)
        {
            await Console.Error.WriteLineAsync($"No program could be started to show the report. Open {full} in a browser.");
        }
    }

    private static string Place(string text) =>
        text.Length == 0 || Directory.Exists(text)
            ? throw Words.Wrong($"it is {(text.Length == 0 ? "empty" : "a folder")}, but it must be the file to write")
            : text;

    // In decimals: 99.9 / 100 as doubles is more than 0.999, and leaves an error budget that is too small.
    private static double ShareOf(decimal percent) => (double)(percent / 100);

    private static decimal? Percent(string text) =>
        decimal.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out decimal percent)
            && ShareOf(percent) is > 0 and < 1
            ? percent
            : throw Words.Expected("a number greater than 0 and less than 100, such as 99.5");

    private static int? Days(string text) =>
        Words.Whole(text) is int days and >= 1 and <= 3650 ? days : throw Words.Expected("a whole number of days from 1 to 3650");
}
