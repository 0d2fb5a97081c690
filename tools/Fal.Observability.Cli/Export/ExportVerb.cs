using System.CommandLine;
using System.Globalization;
using Fal.Observability.Client;

namespace Fal.Observability.Cli.Export;

/// <summary>
/// Exports what an account did and cost to a warehouse. Run again, as often as you like, it continues where it ended and replaces what was
/// provisional.
/// </summary>
internal sealed class ExportVerb
{
    private const int DefaultDays = 30;

    /// <summary>Every store by its name on the command line. No other name makes a store.</summary>
    public static readonly (string Word, Func<string, WarehouseTable, ExportRequest, IWarehouseStore> Open)[] Stores =
    [
        ("duckdb", (folder, table, request) => new DuckDbStore(folder, table, request)),
        ("parquet", (folder, table, request) => new ParquetStore(folder, table, request)),
        ("ndjson", (folder, table, request) => new NdjsonStore(folder, table, request)),
    ];

    private readonly Argument<string> _folder = new("FOLDER")
    {
        Description = "The folder to export to. Simulated and real data need separate folders.",
    };

    private readonly Option<string?> _store = Words.Choice<string?>(
        "--store",
        "The output format (default: duckdb, a file analytics.duckdb in the folder).",
        [.. Stores.Select(store => (store.Word, (string?)store.Word))]
    );

    private readonly Option<WarehouseTable[]?> _tables = Words.Option<WarehouseTable[]?>(
        "--tables", "NAMES",
        $"Comma-separated tables to export (default: {string.Join(',', WarehouseTable.All.Select(table => table.Name))}).",
        text => [.. Words.List(text).Select(name => Words.OneOf(name, [.. WarehouseTable.All.Select(table => (table.Name, table))]))]);

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
        verb.Add(_tables);
        _endpoints = new EndpointChoice(verb);
        verb.Add(_timeframe);
        _days = new DayRange(verb, DefaultDays);
        verb.Add(_baseAddress);
        verb.Validators.Add(result =>
        {
            if (
                result.GetResult(_folder) is { Tokens.Count: > 0 }
                && result.GetValue(_folder) is { } path
                && (path.Length == 0 || File.Exists(path))
            )
            {
                result.AddError(
                    $"FOLDER is '{path}', which is {(path.Length == 0 ? "empty" : "a file")}; it must be the folder to export to."
                );
            }
        });
        verb.SetAction(RunAsync);
    }

    public static Command Create(Interruption interruption)
    {
        var verb = new Command(
            "export",
            "Copy analytics, usage and runner history to DuckDB, Parquet, or newline-delimited JSON for BigQuery."
        );
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
            return await ExportAsync(
                account,
                parsed.GetValue(_folder)!,
                parsed.GetValue(_store) ?? Stores[0].Word,
                parsed.GetValue(_tables) ?? [],
                request,
                cancellationToken
            );
        }
        catch (OperationCanceledException) when (_interruption.Code != 0)
        {
            return await Failure.ReportAsync(
                _interruption.Code, "Stopped. Completed partitions are kept: run the same command again to continue.");
        }
        catch (Exception e) when (e is DllNotFoundException || e.InnerException is DllNotFoundException)
        {
            return await Failure.ReportAsync(
                ExitCode.Failed,
                "DuckDB's native library for this system is missing. The stores duckdb and parquet need it: use --store ndjson."
            );
        }
        catch (Exception e) when (!Failure.IsUsage(e) && e is not (OutOfMemoryException or StandardOutputException))
        {
            return await Failure.ReportAsync(
                ExitCode.Failed,
                $"{Failure.CauseOf(e)}. The export stopped. Completed partitions are kept: fix the cause, and run the same command " +
                    $"again to continue.");
        }
    }

    private static async Task<int> ExportAsync(
        Account account,
        string folder,
        string storeName,
        WarehouseTable[] named,
        ExportRequest request,
        CancellationToken cancellationToken
    )
    {
        if (storeName == "duckdb" && Path.GetFullPath(folder).Contains('?', StringComparison.Ordinal))
        {
            return await Failure.ReportAsync(
                ExitCode.Usage,
                $"DuckDB cannot write to '{Path.GetFullPath(folder)}': it reads the question mark as the end of the path. Choose another " +
                    $"folder, or another --store.");
        }

        if (SimulatedFolder.Claim(folder, account.IsSimulated) is { } refusal)
        {
            return await Failure.ReportAsync(ExitCode.Usage, refusal);
        }

        await using FileStream? one = TryLock(folder);
        if (one is null)
        {
            return await Failure.ReportAsync(
                ExitCode.Failed, $"Another export is writing into '{folder}'. Run the same command again when it has ended.");
        }

        if (request.EndpointIds.Count == 0)
        {
            await Console.Error.WriteLineAsync("The account owns no app in this environment, so only its usage can be exported.");
        }

        var progress = new ExportProgress(folder, storeName);
        List<string> next = [];
        List<WarehouseTable> refused = [];
        long rows = 0;
        foreach (IWarehouseSource source in Sources(account.Client).Where(source => named.Length == 0 || named.Contains(source.Table)))
        {
            IWarehouseStore store = Stores.Single(one => one.Word == storeName).Open(folder, source.Table, request);
            (long written, bool isRefused) = await ExportAsync(source, store, progress, request, cancellationToken);
            rows += written;
            if (isRefused)
            {
                refused.Add(source.Table);
            }
            else if (source.SubjectsOf(request).Count > 0)
            {
                next.Add(store.Describe());
            }
        }

        // A key without the permission for billing is no failure, unless somebody asked for the table by its name.
        if (refused.FirstOrDefault(table => table == WarehouseTable.Analytics || named.Contains(table)) is { } lost)
        {
            return await Failure.ReportAsync(
                ExitCode.Failed,
                $"The service refuses all data of the table {lost.Name}. {rows} rows of the other tables were written."
            );
        }

        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{rows} rows written. Next:"));
        next.ForEach(Console.WriteLine);
        return ExitCode.Done;
    }

    /// <summary>Lets one export at a time into a folder. The system gives the lock back however the program ends.</summary>
    /// <returns>The lock; null where another program has it.</returns>
    private static FileStream? TryLock(string folder)
    {
        // As .NET passes them on: ERROR_SHARING_VIOLATION of Windows, EWOULDBLOCK of Linux and of macOS.
        int[] sharingViolations = [unchecked((int)0x80070020), 11, 35];
        try
        {
            return new FileStream(
                Path.Combine(folder, "export.lock"),
                FileMode.OpenOrCreate,
                FileAccess.ReadWrite,
                FileShare.None,
                bufferSize: 0,
                FileOptions.DeleteOnClose
            );
        }
        catch (IOException e) when (sharingViolations.Contains(e.HResult))
        {
            return null;
        }
    }

    private static IWarehouseSource[] Sources(IFalObservabilityClient client) =>
    [
        new AnalyticsRows(client.Analytics),
        new UsageRows(client.Usage, TimeProvider.System),
        new RunnerRows(client.Apps, TimeProvider.System),
    ];

    private static async Task<(long Rows, bool IsRefused)> ExportAsync(
        IWarehouseSource source, IWarehouseStore store, ExportProgress progress, ExportRequest request, CancellationToken cancellationToken)
    {
        string table = source.Table.Name;
        int subjects = source.SubjectsOf(request).Count;
        var exporter = new Exporter(source, store, progress, TimeProvider.System);
        long rows = 0;
        int refusals = 0;
        int leftOut = 0;
        await Screen.WithProgressAsync($"{table}, {request.TimeframeName}s", async show => leftOut = await exporter.RunAsync(
            request,
            (done, all, written) =>
            {
                rows += written;
                show(done, all);
            },
            refused =>
            {
                refusals++;
                Console.WriteLine(Screen.OneLine($"left out of {table}: {refused.EndpointId}: {refused.Message ?? $"the service " +
                    $"answers {(int)refused.StatusCode}"}"));
            },
            missing => Console.WriteLine(Screen.OneLine(
                $"left empty in {table}: {missing.EndpointId}: the service fails on {Words.NamesOf(missing.Metrics)}")),
            cancellationToken));
        if (leftOut > 0)
        {
            Console.WriteLine(
                $"{leftOut} rows left out of {table}: another row of the same bucket has the same endpoint id, or both rows have no id."
            );
        }

        return (rows, subjects > 0 && refusals == subjects);
    }
}
