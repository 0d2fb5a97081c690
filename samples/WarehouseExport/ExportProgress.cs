using System.Text.Json;
using System.Text.Json.Serialization;

namespace Fal.Observability.WarehouseExport;

/// <summary>What an export covers: everything from the first instant to the one up to which it is final.</summary>
internal sealed record ExportState(DateTimeOffset First, DateTimeOffset FinalUntil);

/// <summary>How far each export into one store of a folder has come, in a small file there.</summary>
internal sealed class ExportProgress(string folder, string store)
{
    private readonly string _path = Path.Combine(folder, $"progress-{store}.json");

    /// <exception cref="FormatException">The file is not what it should be.</exception>
    public ExportState? Find(string export) => Read().GetValueOrDefault(export);

    public async Task SaveAsync(string export, ExportState state)
    {
        SortedDictionary<string, ExportState> all = Read();
        all[export] = state;
        await PartitionFiles.ReplaceAsync(_path, isEmpty: false, stream =>
            JsonSerializer.SerializeAsync(stream, all, ExportProgressJson.Default.SortedDictionaryStringExportState));
    }

    private SortedDictionary<string, ExportState> Read()
    {
        if (!File.Exists(_path))
        {
            return new SortedDictionary<string, ExportState>(StringComparer.Ordinal);
        }

        try
        {
            return new(JsonSerializer.Deserialize(File.ReadAllText(_path), ExportProgressJson.Default.SortedDictionaryStringExportState)!, StringComparer.Ordinal);
        }
        catch (JsonException e)
        {
            throw new FormatException($"{_path} cannot be read ({e.Message}): remove it, and the export begins anew over what is there.", e);
        }
    }
}

[JsonSerializable(typeof(SortedDictionary<string, ExportState>))]
[JsonSourceGenerationOptions(WriteIndented = true)]
internal sealed partial class ExportProgressJson : JsonSerializerContext;
