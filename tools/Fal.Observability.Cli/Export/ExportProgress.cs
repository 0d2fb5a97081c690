using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Fal.Observability.Cli.Export;

/// <summary>What was exported of an endpoint: everything from the first instant to the one up to which it is final.</summary>
internal sealed record ExportState(DateTimeOffset First, DateTimeOffset FinalUntil);

/// <summary>How far the export of each endpoint into one store of a folder has come, in a small file there.</summary>
internal sealed class ExportProgress(string folder, string store)
{
    private const int CurrentVersion = 1;

    private readonly string _path = Path.Combine(folder, $"progress-{store}.json");

    /// <exception cref="FormatException">The file is not what it should be.</exception>
    public ExportState? Find(WarehouseTable table, string timeframe, string endpointId) =>
        Read().Exports.GetValueOrDefault(Key(table, timeframe, endpointId));

    /// <summary>Takes note of how far endpoints are final.</summary>
    /// <param name="table">The table.</param>
    /// <param name="timeframe">The name of the timeframe.</param>
    /// <param name="first">The first instant of the request. Data that was exported from an earlier instant stays.</param>
    /// <param name="finalUntil">The endpoints, and up to where each is final.</param>
    public async Task SaveAsync(
        WarehouseTable table,
        string timeframe,
        DateTimeOffset first,
        IEnumerable<KeyValuePair<string, DateTimeOffset>> finalUntil
    )
    {
        Content content = Read();
        foreach ((string endpoint, DateTimeOffset until) in finalUntil)
        {
            string key = Key(table, timeframe, endpoint);
            ExportState? before = content.Exports.GetValueOrDefault(key);
            content.Exports[key] = new ExportState(before is not null && before.First < first ? before.First : first, until);
        }

        await WriteAsync(content);
    }

    /// <summary>Resets the progress of a table and timeframe, so that everything is exported again.</summary>
    public async Task ForgetAsync(WarehouseTable table, string timeframe)
    {
        Content content = Read();
        string[] gone = [.. content.Exports.Keys.Where(key => key.StartsWith(Key(table, timeframe, ""), StringComparison.Ordinal))];
        if (gone.Length > 0)
        {
            await WriteAsync(content with
            {
                Exports = new SortedDictionary<string, ExportState>(
                    content.Exports.ExceptBy(gone, export => export.Key).ToDictionary(), StringComparer.Ordinal),
            });
        }
    }

    private async Task WriteAsync(Content content)
    {
        await PartitionFiles.ReplaceAsync(_path, isEmpty: false, temporary =>
            File.WriteAllBytesAsync(temporary, JsonSerializer.SerializeToUtf8Bytes(content, ExportProgressJson.Default.Content)));
    }

    // Analytics have no prefix, as they had none before there were other tables.
    private static string Key(WarehouseTable table, string timeframe, string endpointId) =>
        table == WarehouseTable.Analytics ? $"{timeframe} {endpointId}" : $"{table.Name} {timeframe} {endpointId}";

    private Content Read()
    {
        if (!File.Exists(_path))
        {
            return new Content(CurrentVersion, store, new SortedDictionary<string, ExportState>(StringComparer.Ordinal));
        }

        string reason;
        try
        {
            Content? content = JsonSerializer.Deserialize(File.ReadAllText(_path), ExportProgressJson.Default.Content);
            if (content?.Version == CurrentVersion && content.Store == store)
            {
                return content with { Exports = new SortedDictionary<string, ExportState>(content.Exports, StringComparer.Ordinal) };
            }

            reason =
                content is null ? "it is empty"
                : content.Version != CurrentVersion
                    ? string.Create(
                        CultureInfo.InvariantCulture,
                        $"its version is {content.Version}, and this program supports {CurrentVersion}"
                    )
                : $"it belongs to the store {content.Store}";
        }
        catch (JsonException e)
        {
            reason = e.Message;
        }

        throw new FormatException($"{_path} cannot be used ({reason}). Remove it, and the next export writes over the existing data.");
    }

    /// <summary>What the file holds.</summary>
    public sealed record Content(int Version, string Store, SortedDictionary<string, ExportState> Exports);
}

[JsonSerializable(typeof(ExportProgress.Content))]
[JsonSourceGenerationOptions(WriteIndented = true, RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true)]
internal sealed partial class ExportProgressJson : JsonSerializerContext;
