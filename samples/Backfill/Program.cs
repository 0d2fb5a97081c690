using System.Globalization;
using System.Text;
using System.Text.Json;
using Fal.Observability.Backfill;
using Fal.Observability.Client;
using Fal.Observability.Simulator;

// Copies the hourly history of endpoints into a folder, one file for each window, and goes on where it was ended: kill it and start it
// again with the same arguments.
if (args is not [{ } folder, .. { } settings] || folder.StartsWith('-') || settings.Length % 2 != 0)
{
    Console.Error.WriteLine("Usage: Backfill FOLDER [--first 2026-01-01 --last 2026-03-31] [--endpoints a/b,c/d] [--base-address URL]");
    return 2;
}

string? address = Setting("--base-address");
bool live = address is not null || Environment.GetEnvironmentVariable("FAL_KEY") is { Length: > 0 };
await using SimulatorServer? simulator = live ? null : await SimulatorServer.StartAsync();
string[] endpoints = Setting("--endpoints")?.Split(',') ?? simulator?.Apps.ToArray() ?? [];
if (endpoints.Length == 0)
{
    Console.Error.WriteLine("Name the endpoints: --endpoints my-org/my-app,my-org/other");
    return 2;
}

if (simulator is not null)
{
    Console.WriteLine("SIMULATED DATA: no FAL_KEY in the environment, so every figure comes from the built-in simulator.");
}

using var fal = new FalObservabilityClient(options =>
{
    options.BucketsPerWindow = 24;
    options.BaseAddress = simulator?.BaseAddress ?? (address is null ? options.BaseAddress : new Uri(address));
    options.ApiKey = simulator?.Key;
});

var query = new AnalyticsQuery(endpoints)
{
    Expand = AnalyticsExpand.Standard,
    // Without days of your own it is the last thirty. A checkpoint fixes them, so that it goes on to the end that it began with.
    Range = Setting("--first") is { } first && Setting("--last") is { } last
        ? AnalyticsTimeRange.Days(Day(first), Day(last))
        : AnalyticsTimeRange.Last(TimeSpan.FromDays(30)),
    Timeframe = AnalyticsTimeframe.Hour,
    RefusedEndpoints = RefusedEndpointPolicy.Skip,
    ClosedOnly = true,
};

Directory.CreateDirectory(folder);
string checkpointFile = Path.Combine(folder, "checkpoint.json");
AnalyticsCheckpoint? checkpoint = File.Exists(checkpointFile) ? AnalyticsCheckpoint.FromJson(await File.ReadAllTextAsync(checkpointFile)) : null;
if (checkpoint is not null)
{
    Console.WriteLine($"Goes on: {checkpoint}");
}

await foreach (AnalyticsWindow window in fal.Analytics.StreamWindowsAsync(query, checkpoint))
{
    // The window first, under its own name, then the checkpoint: ended in between, the window is written again over itself.
    var lines = new StringBuilder();
    foreach (AnalyticsBucket bucket in window.TimeSeries)
    {
        lines.Append(JsonSerializer.Serialize(bucket, BackfillJson.Default.AnalyticsBucket)).Append('\n');
    }

    string name = window.Range.Start!.Value.UtcDateTime.ToString("yyyyMMdd'T'HHmm'Z'", CultureInfo.InvariantCulture);
    await WriteAsync(Path.Combine(folder, $"{name}.jsonl"), lines.ToString());
    await WriteAsync(checkpointFile, window.Checkpoint.ToJson());
    Console.WriteLine($"{name}: {window.TimeSeries.Count} hours");
    foreach (AnalyticsRefusedEndpoint refused in window.RefusedEndpoints)
    {
        Console.WriteLine($"  left out: {refused.EndpointId} ({refused.Message})");
    }
}

return 0;

string? Setting(string name)
{
    int index = Array.IndexOf(settings, name);
    return index < 0 ? null : settings[index + 1];
}

static DateOnly Day(string text) => DateOnly.ParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture);

// A file is there whole or not at all.
static async Task WriteAsync(string path, string text)
{
    string temporary = $"{path}.tmp";
    await File.WriteAllTextAsync(temporary, text);
    File.Move(temporary, path, overwrite: true);
}
