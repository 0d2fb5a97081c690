using Fal.Observability.Client;
using Fal.Observability.Simulator;
using Fal.Observability.WarehouseExport;
using Spectre.Console;

// Exports analytics to a warehouse. Run it again, as often as you like: it goes on where it ended, and replaces what was provisional.
const string usage = """
    Usage: WarehouseExport FOLDER [options]
      --store duckdb|parquet|ndjson   where to (default: duckdb, a file analytics.duckdb in the folder)
      --endpoints a/b,c/d             which endpoints
      --timeframe minute|hour|day     the length of a bucket (default: hour)
      --first 2026-01-01              the first day in UTC (default: 30 days ago)
      --last 2026-03-31               the last day in UTC (default: until now)
      --base-address URL              another service than fal's
    """;
if (args is not [{ } folder, .. { } settings] || folder.StartsWith('-') || settings.Length % 2 != 0)
{
    await Console.Error.WriteLineAsync(usage);
    return 2;
}

string[] known = ["--store", "--endpoints", "--timeframe", "--first", "--last", "--base-address"];
if (settings.Where((_, i) => i % 2 == 0).FirstOrDefault(name => !known.Contains(name)) is { } unknown)
{
    await Console.Error.WriteLineAsync($"'{unknown}' is not understood.{Environment.NewLine}{usage}");
    return 2;
}

string? address = Setting("--base-address");
bool live = address is not null || Environment.GetEnvironmentVariable("FAL_KEY") is { Length: > 0 };
await using SimulatorServer? simulator = live ? null : await SimulatorServer.StartAsync();
if (simulator is not null)
{
    Console.WriteLine("SIMULATED DATA: no FAL_KEY in the environment, so every figure comes from the built-in simulator.");
}

using var ended = new CancellationTokenSource();
Console.CancelKeyPress += (_, press) =>
{
    press.Cancel = true;
    ended.Cancel();
};
try
{
    string[] endpoints = Setting("--endpoints")?.Split(',') ?? simulator?.Apps.ToArray() ?? throw new FormatException("Name the endpoints: --endpoints my-org/my-app,my-org/other");
    var request = new ExportRequest
    {
        EndpointIds = endpoints,
        Timeframe = ExportRequest.ParseTimeframe(Setting("--timeframe") ?? "hour"),
        First = Setting("--first") is { } first ? ExportRequest.ParseDay("--first", first) : DateOnly.FromDateTime(TimeProvider.System.GetUtcNow().UtcDateTime).AddDays(-30),
        Last = Setting("--last") is { } last ? ExportRequest.ParseDay("--last", last) : null,
    };
    Directory.CreateDirectory(folder);
    string storeName = Setting("--store") ?? "duckdb";
    IWarehouseStore store = storeName switch
    {
        "duckdb" => new DuckDbStore(folder, request),
        "parquet" => new ParquetStore(folder, request),
        "ndjson" => new NdjsonStore(folder, request),
        var other => throw new FormatException($"--store is '{other}'; it must be duckdb, parquet or ndjson."),
    };
    using var fal = new FalObservabilityClient(options =>
    {
        options.BaseAddress = simulator?.BaseAddress ?? (address is null ? options.BaseAddress : new Uri(address));
        options.ApiKey = simulator?.Key;
    });
    var exporter = new Exporter(fal.Analytics, store, new ExportProgress(folder, storeName), TimeProvider.System);
    long rows = 0;
    await AnsiConsole.Progress().StartAsync(async console =>
    {
        ProgressTask bar = console.AddTask($"{request.TimeframeName}s of {endpoints.Length} endpoints");
        await exporter.RunAsync(
            request,
            (done, all, written) =>
            {
                rows += written;
                bar.MaxValue = all;
                bar.Value = done;
            },
            refused => AnsiConsole.WriteLine($"left out: {refused.EndpointId}: {refused.Message}"),
            ended.Token);
        bar.Value = bar.MaxValue;
    });
    Console.WriteLine($"{rows} rows written. Next:{Environment.NewLine}{store.Describe()}");
    return 0;
}
catch (OperationCanceledException) when (ended.IsCancellationRequested)
{
    await Console.Error.WriteLineAsync("Ended. What was done stays; run it again to go on.");
    return 130;
}
catch (Exception e) when (e is FalObservabilityException or FormatException or ArgumentException or IOException or UnauthorizedAccessException or DuckDB.NET.Data.DuckDBException)
{
    await Console.Error.WriteLineAsync($"The export stopped; what was done stays, and running it again goes on. {e.Message}");
    return 1;
}

string? Setting(string name)
{
    int index = Array.IndexOf(settings, name);
    return index < 0 ? null : settings[index + 1];
}
