using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Fal.Observability.Client;

namespace Fal.Observability.Cli;

/// <summary>The command line of the export.</summary>
internal sealed class ExportCommand
{
    public const string Usage = """
        Usage: Fal.Observability.Cli FOLDER [options]
          --store duckdb|parquet|ndjson   where to (default: duckdb, a file analytics.duckdb in the folder)
          --endpoints a/b,c/d             which endpoints
          --timeframe minute|hour|day     the length of a bucket (default: hour)
          --first 2026-01-01              the first day in UTC (default: 30 days before the last)
          --last 2026-03-31               the last day in UTC (default: until now)
          --base-address URL              another service than fal's
        """;

    private static readonly string[] Stores = ["duckdb", "parquet", "ndjson"];

    private static readonly string[] Timeframes = ["minute", "hour", "day"];

    private DateOnly? _first;

    private ExportCommand(string folder) => Folder = folder;

    public string Folder { get; }

    public string Store { get; private set; } = "duckdb";

    /// <summary>Null if they are not named.</summary>
    public string[]? EndpointIds { get; private set; }

    public AnalyticsTimeframe Timeframe { get; private set; } = AnalyticsTimeframe.Hour;

    public DateOnly First { get; private set; }

    /// <summary>Null: until now.</summary>
    public DateOnly? Last { get; private set; }

    /// <summary>Null: fal's own.</summary>
    public Uri? BaseAddress { get; private set; }

    /// <summary>Reads the command line.</summary>
    /// <param name="arguments">The arguments of the program.</param>
    /// <param name="today">The day it is in UTC.</param>
    /// <param name="command">The command.</param>
    /// <param name="error">What is wrong with the arguments.</param>
    public static bool TryParse(string[] arguments, DateOnly today, [NotNullWhen(true)] out ExportCommand? command, out string? error)
    {
        command = null;
        error = null;
        if (arguments is not [{ Length: > 0 } folder, .. { } settings] || folder.StartsWith('-'))
        {
            error = "Name the folder to export to.";
            return false;
        }

        var parsed = new ExportCommand(folder);
        foreach (string[] pair in settings.Chunk(2))
        {
            error = pair is [{ } name, { } value] ? parsed.Take(name, value) : $"{pair[0]} has no value.";
            if (error is not null)
            {
                return false;
            }
        }

        parsed.First = parsed._first ?? (parsed.Last ?? today).AddDays(-30);
        error = parsed.First > today ? string.Create(CultureInfo.InvariantCulture, $"{parsed.First:yyyy-MM-dd} is in the future: there is nothing to export yet.")
            : parsed.Last < parsed.First ? "--last is before --first."
            : null;
        command = error is null ? parsed : null;
        return error is null;
    }

    /// <summary>Takes a setting; what is wrong with it, or null.</summary>
    private string? Take(string name, string value)
    {
        switch (name)
        {
            case "--store" when OneOf(Stores, value) is { } store:
                Store = store;
                return null;
            case "--store":
                return $"--store is '{value}'; it must be duckdb, parquet or ndjson.";
            case "--endpoints":
                EndpointIds = [.. value.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Distinct(StringComparer.Ordinal)];
                return EndpointIds.Length > 0 ? null : "--endpoints names none; it must be one or more, such as my-org/my-app,my-org/other.";
            case "--timeframe" when OneOf(Timeframes, value) is { } timeframe:
                Timeframe = Enum.Parse<AnalyticsTimeframe>(timeframe, ignoreCase: true);
                return null;
            case "--timeframe":
                return $"--timeframe is '{value}'; it must be minute, hour or day.";
            case "--first":
                return (_first = Day(value)) is not null ? null : $"--first is '{value}'; it must be a day such as 2026-01-31.";
            case "--last":
                return (Last = Day(value)) is not null ? null : $"--last is '{value}'; it must be a day such as 2026-01-31.";
            case "--base-address":
                BaseAddress = Uri.TryCreate(value, UriKind.Absolute, out Uri? address) ? address : null;
                return BaseAddress is not null ? null : $"--base-address is '{value}'; it must be a URL such as https://127.0.0.1:5080/v1.";
            default:
                return $"'{name}' is not understood.";
        }
    }

    private static string? OneOf(string[] names, string value) => Array.Find(names, name => name.Equals(value, StringComparison.OrdinalIgnoreCase));

    private static DateOnly? Day(string text) =>
        DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out DateOnly day) && day.Year >= 2000 ? day : null;
}
