using System.CommandLine;
using System.Globalization;
using Fal.Observability.Client;
using Fal.Observability.Client.Testing;

namespace Fal.Observability.Cli.Export;

/// <summary>
/// Exports what an account did and cost to a warehouse. Run again, as often as you like, it goes on where it ended and replaces what was
/// provisional.
/// </summary>
internal sealed class ExportVerb
{
    private const int DefaultDays = 30;

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

    private readonly Option<AnalyticsTimeframe?> _timeframe = Words.Timeframe();
    private readonly Option<Uri?> _baseAddress = Words.BaseAddress();
    private readonly EndpointChoice _endpoints;
    private readonly DayRange _days;
    private readonly Interruption _interruption;

    private ExportVerb(Command verb, Interruption interruption)
    {
        _interruption = interruption;
        verb.Add(_folder);
        verb.Add(_store);
        _endpoints = new EndpointChoice(verb);
        verb.Add(_timeframe);
        _days = new DayRange(verb, DefaultDays);
        verb.Add(_baseAddress);
        verb.Validators.Add(result =>
        {
            if (result.GetResult(_folder) is { Tokens.Count: > 0 } && result.GetValue(_folder) is { Length: 0 })
            {
                result.AddError("FOLDER is empty; it must be the folder to export to.");
            }
        });
        verb.SetAction(RunAsync);
    }

    public static Command Create(Interruption interruption)
    {
        var verb = new Command("export", "Copy analytics to DuckDB, Parquet, or newline-delimited JSON for BigQuery.");
        _ = new ExportVerb(verb, interruption);
        return verb;
    }

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        (DateOnly first, DateOnly? last) = _days.Of(parsed);
        await using Account account = await Account.OpenAsync(parsed.GetValue(_baseAddress), cancellationToken);
        try
        {
                var request = new ExportRequest
            {
                EndpointIds = await _endpoints.OfAsync(parsed, account, cancellationToken),
                Timeframe = parsed.GetValue(_timeframe) ?? AnalyticsTimeframe.Hour,
                First = first,
                Last = last,
            };
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
        catch (Exception e) when (!Failure.IsUsage(e) && e is not (OutOfMemoryException or StandardOutputException))
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

        if (SimulatedFolder.Claim(folder, account.IsSimulated) is { } refusal)
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
        int leftOut = 0;
        await Screen.WithProgressAsync($"{request.TimeframeName}s of {request.EndpointIds.Count} endpoints", async progress => leftOut = await exporter.RunAsync(
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
                $"left empty: {missing.EndpointId}: the service fails on {Words.NamesOf(missing.Metrics)}")),
            cancellationToken));
        if (refusals == request.EndpointIds.Count)
        {
            return await Failure.ReportAsync(ExitCode.Failed, "Nothing was exported: the service refuses every endpoint that was named.");
        }

        if (leftOut > 0)
        {
            Console.WriteLine($"{leftOut} rows left out: another row of the same bucket has the same endpoint id, or none either.");
        }

        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{rows} rows written. Next:{Environment.NewLine}{store.Describe()}"));
        return ExitCode.Done;
    }
}
