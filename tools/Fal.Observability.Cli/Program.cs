using Fal.Observability.Client;
using Fal.Observability.Client.Testing;
using Fal.Observability.Cli;
using Microsoft.Extensions.Options;
using Spectre.Console;

// Exports analytics to a warehouse. Run it again, as often as you like: it goes on where it ended, and replaces what was provisional.
if (args.Any(argument => argument is "--help" or "-h"))
{
    Console.WriteLine(ExportCommand.Usage);
    return 0;
}

var today = DateOnly.FromDateTime(TimeProvider.System.GetUtcNow().UtcDateTime);
if (!ExportCommand.TryParse(args, today, out ExportCommand? command, out string? wrong))
{
    await Console.Error.WriteLineAsync($"{wrong}{Environment.NewLine}{ExportCommand.Usage}");
    return 2;
}

bool live = command.BaseAddress is not null
    || Environment.GetEnvironmentVariable("FAL_KEY") is { Length: > 0 }
    || Environment.GetEnvironmentVariable("FAL_KEY_ID") is { Length: > 0 };
if (live && command.EndpointIds is null)
{
    await Console.Error.WriteLineAsync("Name the endpoints: --endpoints my-org/my-app,my-org/other");
    return 2;
}

bool begun = false;
using var ended = new CancellationTokenSource();
Console.CancelKeyPress += (_, press) =>
{
    press.Cancel = true;
    ended.Cancel();
};
try
{
    await using SimulatorServer? simulator = live ? null : await SimulatorServer.StartAsync();
    using var fal = new FalObservabilityClient(options =>
    {
        options.BaseAddress = simulator?.BaseAddress ?? command.BaseAddress ?? options.BaseAddress;
        options.ApiKey = simulator?.Key;
    });
    if (SimulatedFolder.Claim(command.Folder, isSimulated: !live) is { } refusal)
    {
        await Console.Error.WriteLineAsync(refusal);
        return 2;
    }

    if (simulator is not null)
    {
        Console.WriteLine("SIMULATED DATA: no FAL_KEY in the environment, so every figure comes from the built-in simulator.");
    }

    // One export at a time in a folder: the system lets go of the lock however the program ends.
    await using FileStream one = new FileStream(
        Path.Combine(command.Folder, "export.lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 0, FileOptions.DeleteOnClose);
    var request = new ExportRequest
    {
        // The query refuses an id that cannot be.
        EndpointIds = new AnalyticsQuery(command.EndpointIds ?? [.. simulator!.Apps]).EndpointIds,
        Timeframe = command.Timeframe,
        First = command.First,
        Last = command.Last,
    };
    IWarehouseStore store = command.Store switch
    {
        "parquet" => new ParquetStore(command.Folder, request),
        "ndjson" => new NdjsonStore(command.Folder, request),
        _ => new DuckDbStore(command.Folder, request),
    };
    var exporter = new Exporter(fal.Analytics, store, new ExportProgress(command.Folder, command.Store), TimeProvider.System);
    long rows = 0;
    int leftOut = 0;
    int refusals = 0;
    begun = true;
    await AnsiConsole.Progress().StartAsync(async console =>
    {
        ProgressTask bar = console.AddTask($"{request.TimeframeName}s of {request.EndpointIds.Count} endpoints");
        leftOut = await exporter.RunAsync(
            request,
            (done, all, written) =>
            {
                rows += written;
                bar.MaxValue = all;
                bar.Value = done;
            },
            refused =>
            {
                refusals++;
                AnsiConsole.WriteLine($"left out: {refused.EndpointId}: {refused.Message}");
            },
            missing => AnsiConsole.WriteLine($"left empty: {missing.EndpointId}: the service fails on {string.Join(", ", missing.Metrics.GetFlags().Select(metric => metric.GetWireName()))}"),
            ended.Token);
        bar.Value = bar.MaxValue;
    });
    if (refusals == request.EndpointIds.Count)
    {
        await Console.Error.WriteLineAsync("Nothing was exported: the service refuses every endpoint that was named.");
        return 1;
    }

    if (leftOut > 0)
    {
        Console.WriteLine($"{leftOut} rows left out: another row of the same bucket has the same endpoint id, or none either.");
    }

    Console.WriteLine($"{rows} rows written. Next:{Environment.NewLine}{store.Describe()}");
    return 0;
}
catch (OperationCanceledException) when (ended.IsCancellationRequested)
{
    await Console.Error.WriteLineAsync("Ended. What was exported stays: run the same command again to continue.");
    return 130;
}
catch (Exception e) when (!begun && e is (OptionsValidationException or ArgumentException))
{
    // A setting that cannot be, such as a key without a colon. The user has no parameters.
    await Console.Error.WriteLineAsync(e.Message.Split(" (Parameter")[0]);
    return 2;
}
catch (Exception e) when (begun || e is FalObservabilityException or IOException or UnauthorizedAccessException)
{
    // The cause first. One that nobody has foreseen says what it is, and no data may end the program without a word about what to do.
    bool foreseen = e is FalObservabilityException or FormatException or IOException or UnauthorizedAccessException or DuckDB.NET.Data.DuckDBException;
    string cause = string.Join(' ', e.Message.Split((char[])['\r', '\n'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));
    await Console.Error.WriteLineAsync(
        $"{(foreseen ? "" : $"Unexpected {e.GetType().Name}: ")}{cause.TrimEnd('.')}. The export stopped. What was exported stays: "
        + "remove the cause, and run the same command again to continue.");
    return 1;
}
