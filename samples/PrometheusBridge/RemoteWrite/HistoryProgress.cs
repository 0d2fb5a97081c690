using System.Text.Json;
using System.Text.Json.Serialization;

namespace Fal.Observability.PrometheusBridge.RemoteWrite;

/// <summary>How far the receiver has accepted each history, kept in a small file.</summary>
internal sealed class HistoryProgress(string path) : IDisposable
{
    private readonly SemaphoreSlim _one = new(1);
    private readonly Dictionary<string, DateTimeOffset> _accepted = Read(path);

    public DateTimeOffset? AcceptedUntil(string history)
    {
        lock (_accepted)
        {
            return _accepted.TryGetValue(history, out DateTimeOffset until) ? until : null;
        }
    }

    /// <summary>Takes note. When the file cannot be written, this process still knows, and the caller is told.</summary>
    /// <exception cref="IOException">The file cannot be written, for instance because the disk is full.</exception>
    public async Task SaveAsync(string history, DateTimeOffset until, CancellationToken cancellationToken)
    {
        string json;
        lock (_accepted)
        {
            _accepted[history] = until;
            json = JsonSerializer.Serialize(_accepted, HistoryProgressJson.Default.DictionaryStringDateTimeOffset);
        }

        await _one.WaitAsync(cancellationToken);
        try
        {
            // The file is there whole or not at all.
            string temporary = $"{path}.tmp";
            await File.WriteAllTextAsync(temporary, json, cancellationToken);
            File.Move(temporary, path, overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new IOException($"{path} cannot be written ({e.Message}): after a restart, what was accepted since would be sent again. Make room, or name another Bridge:RemoteWrite:StateFile.", e);
        }
        finally
        {
            _one.Release();
        }
    }

    public void Dispose() => _one.Dispose();

    private static Dictionary<string, DateTimeOffset> Read(string path)
    {
        if (!File.Exists(path))
        {
            return new Dictionary<string, DateTimeOffset>(StringComparer.Ordinal);
        }

        try
        {
            return new(JsonSerializer.Deserialize(File.ReadAllText(path), HistoryProgressJson.Default.DictionaryStringDateTimeOffset)!, StringComparer.Ordinal);
        }
        catch (JsonException e)
        {
            throw new InvalidOperationException($"{path} is not a state file ({e.Message}): remove it to send the histories anew, or name another Bridge:RemoteWrite:StateFile.", e);
        }
    }
}

[JsonSerializable(typeof(Dictionary<string, DateTimeOffset>))]
internal sealed partial class HistoryProgressJson : JsonSerializerContext;
