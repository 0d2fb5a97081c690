using System.Globalization;
using System.Text;
using System.Text.Json;
using Fal.Observability.Backfill;
using Fal.Observability.Client;
using Fal.Observability.Simulator;
using Microsoft.Extensions.Options;

// Copies the hourly history of endpoints into a folder, one file for each window, and goes on where it was ended: kill it and start it
// again with the same arguments.
const string usage = "Usage: Backfill FOLDER [--first 2026-01-01 --last 2026-03-31] [--endpoints a/b,c/d] [--base-address URL]";
if (args.Any(argument => argument is "--help" or "-h"))
{
    Console.WriteLine(usage);
    return 0;
}

if (args is not [{ Length: > 0 } folder, .. { } settings] || folder.StartsWith('-'))
{
    return Refuse("Name the folder to write to.");
}

string[] known = ["--first", "--last", "--endpoints", "--base-address"];
foreach (string[] pair in settings.Chunk(2))
{
    if (!known.Contains(pair[0]) || pair.Length < 2)
    {
        return Refuse(known.Contains(pair[0]) ? $"{pair[0]} has no value." : $"'{pair[0]}' is not understood.");
    }
}

DateOnly? first = Day("--first");
DateOnly? last = Day("--last");
if (first is null != last is null || (first is null && Setting("--first") is not null))
{
    return Refuse("--first and --last go together, and each must be a day such as 2026-01-31.");
}

if (last < first)
{
    return Refuse("--last is before --first.");
}

if (first > DateOnly.FromDateTime(TimeProvider.System.GetUtcNow().UtcDateTime))
{
    return Refuse($"{Setting("--first")} is in the future: there is no history yet.");
}

Uri? address = null;
if (Setting("--base-address") is { } url && !Uri.TryCreate(url, UriKind.Absolute, out address))
{
    return Refuse($"--base-address is '{url}'; it must be a URL such as https://127.0.0.1:5080/v1.");
}

bool live = address is not null
    || Environment.GetEnvironmentVariable("FAL_KEY") is { Length: > 0 }
    || Environment.GetEnvironmentVariable("FAL_KEY_ID") is { Length: > 0 };
string[]? named = Setting("--endpoints")?.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
if (named?.Length == 0 || (live && named is null))
{
    return Refuse("Name the endpoints: --endpoints my-org/my-app,my-org/other");
}

try
{
    await using SimulatorServer? simulator = live ? null : await SimulatorServer.StartAsync();
    using var fal = new FalObservabilityClient(options =>
    {
        options.BucketsPerWindow = 24;
        options.BaseAddress = simulator?.BaseAddress ?? address ?? options.BaseAddress;
        options.ApiKey = simulator?.Key;
    });
    if (SimulatedFolder.Claim(folder, isSimulated: !live) is { } refusal)
    {
        Console.Error.WriteLine(refusal);
        return 2;
    }

    if (simulator is not null)
    {
        Console.WriteLine("SIMULATED DATA: no FAL_KEY in the environment, so every figure comes from the built-in simulator.");
    }

    // One backfill at a time in a folder: the system lets go of the lock however the program ends.
    await using FileStream one = File.Open(Path.Combine(folder, "backfill.lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
    var query = new AnalyticsQuery(named ?? [.. simulator!.Apps])
    {
        Expand = AnalyticsExpand.Standard,
        // Without days of your own it is the last thirty. A checkpoint fixes them, so that it goes on to the end that it began with.
        Range = first is { } from && last is { } to
            ? AnalyticsTimeRange.Days(from, to)
            : AnalyticsTimeRange.Last(TimeSpan.FromDays(30)),
        Timeframe = AnalyticsTimeframe.Hour,
        RefusedEndpoints = RefusedEndpointPolicy.Skip,
        ClosedOnly = true,
    };

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
}
catch (Exception e) when (e is OptionsValidationException or ArgumentException)
{
    // A setting that cannot be, or a checkpoint that other arguments have left: nothing was written. The user has no parameters.
    Console.Error.WriteLine(e.Message.Split(" (Parameter")[0]);
    return 2;
}
catch (Exception e) when (e is FalObservabilityException or FormatException or IOException or UnauthorizedAccessException)
{
    Console.Error.WriteLine($"The backfill stopped; what was done stays, and running it again goes on. {e.Message}");
    return 1;
}

string? Setting(string name)
{
    int index = Array.LastIndexOf(settings, name);
    return index < 0 ? null : settings[index + 1];
}

DateOnly? Day(string name) =>
    DateOnly.TryParseExact(Setting(name), "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out DateOnly day) ? day : null;

static int Refuse(string reason)
{
    Console.Error.WriteLine($"{reason}{Environment.NewLine}{usage}");
    return 2;
}

// A file is there whole or not at all.
static async Task WriteAsync(string path, string text)
{
    string temporary = $"{path}.tmp";
    await File.WriteAllTextAsync(temporary, text);
    File.Move(temporary, path, overwrite: true);
}
