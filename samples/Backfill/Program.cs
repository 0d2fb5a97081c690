using System.Globalization;
using Fal.Observability.Backfill;
using Fal.Observability.Client;
using Fal.Observability.Client.Testing;
using Microsoft.Extensions.Options;

// Copies the hourly history of endpoints into a folder, one file per day. If you stop it, start it again with the same arguments and it
// continues. Start it again on another day, and it adds the new hours.
const string usage = """
    Usage: Backfill FOLDER [--first 2026-01-01 --last 2026-03-31] [--endpoints a/b,c/d] [--base-address URL]
      Writes a file of JSON lines for each day in UTC, an hour in each line; without days, the last thirty until now.
    """;
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
        return Refuse(known.Contains(pair[0]) ? $"{pair[0]} needs a value." : $"Unknown argument '{pair[0]}'.");
    }
}

DateOnly? first = Day("--first");
DateOnly? last = Day("--last");
if (first is null != last is null || (first is null && Setting("--first") is not null))
{
    return Refuse("--first and --last must be given together, and each must be a day such as 2026-01-31.");
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

bool begun = false;
try
{
    await using FalSimulator? simulator = live ? null : await FalSimulator.StartAsync(options => options.Seed = 1);
    using var fal = new FalObservabilityClient(options =>
    {
        options.BucketsPerWindow = 24;
        options.BaseAddress = simulator?.BaseAddress ?? address ?? options.BaseAddress;
        options.ApiKey = simulator?.Key;
    });
    if (simulator is not null)
    {
        // Simulated data need a separate folder: inside one file, nobody could tell which figures are real.
        folder = Path.Combine(folder, "simulated");
        Console.WriteLine($"SIMULATED DATA: no FAL_KEY in the environment, so the built-in simulator makes up every figure in {folder}.");
    }

    Directory.CreateDirectory(folder);
    // Only one backfill at a time can use a folder. The system releases the lock however the program ends.
    await using FileStream one = File.Open(
        Path.Combine(folder, "backfill.lock"),
        FileMode.OpenOrCreate,
        FileAccess.ReadWrite,
        FileShare.None
    );
    // The query refuses an id that cannot be.
    IReadOnlyList<string> endpoints = new AnalyticsQuery(named ?? [.. simulator!.Apps]).EndpointIds;
    begun = true;
    await new BackfillRun(fal.Analytics, folder, TimeProvider.System, Console.WriteLine)
        .RunAsync(endpoints, first is { } from && last is { } to ? (from, to) : null);
    return 0;
}
catch (Exception e) when (e is OptionsValidationException or ArgumentException)
{
    // A setting that cannot be, or a folder that other arguments have filled: nothing was written. The user has no parameters.
    Console.Error.WriteLine(e.Message.Split(" (Parameter")[0]);
    return 2;
}
catch (Exception e) when (begun || e is FalObservabilityException or IOException or UnauthorizedAccessException)
{
    bool foreseen = e is FalObservabilityException or FormatException or IOException or UnauthorizedAccessException;
    string cause = string.Join(
        ' ',
        e.Message.Split((char[])['\r', '\n'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
    );
    Console.Error.WriteLine(
        $"{(foreseen ? "" : $"Unexpected {e.GetType().Name}: ")}{cause.TrimEnd('.')}. The backfill stopped. Completed files are kept: "
        + "fix the cause, and run the same command again to continue.");
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
