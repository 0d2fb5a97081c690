using System.CommandLine;
using System.Globalization;
using Fal.Observability.Client;
using Fal.Observability.Client.Testing;
using Spectre.Console;
using AnalyticsQuery = Fal.Observability.Client.AnalyticsQuery;

namespace Fal.Observability.Cli.Export;

/// <summary>
/// Exports analytics to a warehouse. Run again, as often as you like, it goes on where it ended and replaces what was provisional.
/// </summary>
internal sealed class ExportVerb
{
    /// <summary>Every store by its name on the command line. No other name makes a store.</summary>
    public static readonly (string Word, Func<string, ExportRequest, IWarehouseStore> Open)[] Stores =
    [
        ("duckdb", (folder, request) => new DuckDbStore(folder, request)),
        ("parquet", (folder, request) => new ParquetStore(folder, request)),
        ("ndjson", (folder, request) => new NdjsonStore(folder, request)),
    ];

    private readonly Argument<string> _folder = new("FOLDER") { Description = "Where to. Simulated and real data need a folder each." };

    private readonly Option<string?> _store = Words.Choice<string?>(
        "--store", "What to write (default: duckdb, a file analytics.duckdb in the folder).", [.. Stores.Select(store => (store.Word, (string?)store.Word))]);

    private readonly Option<string[]?> _endpoints = Words.Option<string[]?>(
        "--endpoints", "a/b,c/d", "Which endpoints. 'fal-obs apps' lists those of the account.", Words.List);

    private readonly Option<AnalyticsTimeframe?> _timeframe = Words.Choice<AnalyticsTimeframe?>(
        "--timeframe", "The length of a bucket (default: hour).",
        ("minute", AnalyticsTimeframe.Minute), ("hour", AnalyticsTimeframe.Hour), ("day", AnalyticsTimeframe.Day));

    private readonly Option<DateOnly?> _first = Words.Option("--first", "DAY", "The first day in UTC (default: 30 days before the last).", Words.Day);
    private readonly Option<DateOnly?> _last = Words.Option("--last", "DAY", "The last day in UTC (default: until now).", Words.Day);
    private readonly Option<Uri?> _baseAddress = Words.BaseAddress();
    private readonly Interruption _interruption;

    private ExportVerb(Interruption interruption) => _interruption = interruption;

    public static Command Create(Interruption interruption)
    {
        var export = new ExportVerb(interruption);
        var verb = new Command("export", "Copy analytics to DuckDB, Parquet, or newline-delimited JSON for BigQuery.")
        {
            export._folder, export._store, export._endpoints, export._timeframe, export._first, export._last, export._baseAddress,
        };
        verb.Validators.Add(result =>
        {
            if (result.GetValue(export._folder) is { Length: 0 })
            {
                result.AddError("FOLDER is empty; it must be the folder to export to.");
            }
        });
        verb.SetAction(export.RunAsync);
        return verb;
    }

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        DateOnly today = DateOnly.FromDateTime(TimeProvider.System.GetUtcNow().UtcDateTime);
        DateOnly? last = parsed.GetValue(_last);
        DateOnly first = parsed.GetValue(_first) ?? (last ?? today).AddDays(-30);
        if (first > today)
        {
            return await Failure.ReportAsync(
                ExitCode.Usage, string.Create(CultureInfo.InvariantCulture, $"{first:yyyy-MM-dd} is in the future: there is nothing to export yet."));
        }

        if (last < first)
        {
            return await Failure.ReportAsync(ExitCode.Usage, "--last is before --first.");
        }

        // Without the option this is no null but an array without elements.
        string[] named = parsed.GetValue(_endpoints) ?? [];
        if (named.Length == 0 && Account.IsReal(parsed.GetValue(_baseAddress)))
        {
            return await Failure.ReportAsync(
                ExitCode.Usage, "Name the endpoints: --endpoints my-org/my-app,my-org/other. 'fal-obs apps' lists those of the account.");
        }

        await using Account account = await Account.OpenAsync(parsed.GetValue(_baseAddress), cancellationToken);
        var request = new ExportRequest
        {
            // The query refuses an id that cannot be.
            EndpointIds = new AnalyticsQuery(named.Length > 0 ? named : [.. account.SimulatedApps!]).EndpointIds,
            Timeframe = parsed.GetValue(_timeframe) ?? AnalyticsTimeframe.Hour,
            First = first,
            Last = last,
        };
        try
        {
            return await ExportAsync(account, parsed.GetValue(_folder)!, parsed.GetValue(_store) ?? Stores[0].Word, request, cancellationToken);
        }
        catch (OperationCanceledException) when (_interruption.Code != 0)
        {
            return await Failure.ReportAsync(
                _interruption.Code, "Ended. What was exported stays: run the same command again to continue.");
        }
        catch (Exception e) when (e is DllNotFoundException || e.InnerException is DllNotFoundException)
        {
            return await Failure.ReportAsync(
                ExitCode.Failed, "DuckDB has no native library for this system here, and --store duckdb and parquet need it: use --store ndjson.");
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            return await Failure.ReportAsync(
                ExitCode.Failed,
                $"{Failure.CauseOf(e)}. The export stopped. What was exported stays: remove the cause, and run the same command again to continue.");
        }
    }

    private static async Task<int> ExportAsync(
        Account account, string folder, string storeName, ExportRequest request, CancellationToken cancellationToken)
    {
        if (storeName == "duckdb" && Path.GetFullPath(folder).Contains('?', StringComparison.Ordinal))
        {
            return await Failure.ReportAsync(
                ExitCode.Usage,
                $"DuckDB cannot write to '{Path.GetFullPath(folder)}': it takes the question mark for the end of the path. Name another folder, or another --store.");
        }

        if (SimulatedFolder.Claim(folder, isSimulated: account.SimulatedApps is not null) is { } refusal)
        {
            return await Failure.ReportAsync(ExitCode.Usage, refusal);
        }

        // One export at a time in a folder: the system lets go of the lock however the program ends.
        await using FileStream one = new(
            Path.Combine(folder, "export.lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 0, FileOptions.DeleteOnClose);
        IWarehouseStore store = Stores.Single(one => one.Word == storeName).Open(folder, request);
        var exporter = new Exporter(account.Client.Analytics, store, new ExportProgress(folder, storeName), TimeProvider.System);
        long rows = 0;
        int refusals = 0;
        int leftOut = await WithProgressAsync($"{request.TimeframeName}s of {request.EndpointIds.Count} endpoints", progress => exporter.RunAsync(
            request,
            (done, all, written) =>
            {
                rows += written;
                progress(done, all);
            },
            refused =>
            {
                refusals++;
                Console.WriteLine(Screen.OneLine($"left out: {refused.EndpointId}: {refused.Message}"));
            },
            missing => Console.WriteLine(Screen.OneLine(
                $"left empty: {missing.EndpointId}: the service fails on {string.Join(", ", missing.Metrics.GetFlags().Select(metric => metric.GetWireName()))}")),
            cancellationToken));
        if (refusals == request.EndpointIds.Count)
        {
            return await Failure.ReportAsync(ExitCode.Failed, "Nothing was exported: the service refuses every endpoint that was named.");
        }

        if (leftOut > 0)
        {
            Console.WriteLine($"{leftOut} rows left out: another row of the same bucket has the same endpoint id, or none either.");
        }

        Console.WriteLine($"{rows} rows written. Next:{Environment.NewLine}{store.Describe()}");
        return ExitCode.Done;
    }

    /// <summary>Shows a bar while the work runs, if there is a terminal to show it on.</summary>
    private static async Task<int> WithProgressAsync(string title, Func<Action<int, int>, Task<int>> work)
    {
        if (Screen.Progress() is not { } console)
        {
            return await work((_, _) => { });
        }

        int result = 0;
        await console.Progress().StartAsync(async progress =>
        {
            ProgressTask bar = progress.AddTask(Markup.Escape(title));
            result = await work((done, all) =>
            {
                bar.MaxValue = all;
                bar.Value = done;
            });
            bar.Value = bar.MaxValue;
        });
        return result;
    }
}
