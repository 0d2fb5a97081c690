using System.Text.Json;
using System.Text.Json.Serialization;

namespace Fal.Observability.Bridge.RemoteWrite;

/// <summary>How far the receiver has accepted each history, kept in a small file.</summary>
internal sealed partial class HistoryProgress
{
    private readonly Lock _one = new();
    private readonly Dictionary<string, DateTimeOffset> _accepted;
    private bool _isUnsaved = true;

    /// <summary>Reads the file, and writes it, so that one that cannot be written stops the start.</summary>
    /// <param name="path">Of the file; it need not be there yet, its folder must.</param>
    /// <exception cref="IOException">The file is not one of the bridge's, or cannot be written.</exception>
    public HistoryProgress(string path)
    {
        Path = path;
        _accepted = Read(path);
        EnsureSaved();
    }

    /// <summary>The file's path.</summary>
    public string Path { get; }

    /// <summary>The end of the last bucket that was accepted; null if none was.</summary>
    public DateTimeOffset? AcceptedUntil(string history)
    {
        lock (_one)
        {
            return _accepted.TryGetValue(history, out DateTimeOffset until) ? until : null;
        }
    }

    /// <summary>Takes note, and writes it down.</summary>
    /// <exception cref="IOException">
    /// The file cannot be written, for instance because the disk is full; the note is kept for <see cref="EnsureSaved"/>.
    /// </exception>
    public void Save(string history, DateTimeOffset until)
    {
        lock (_one)
        {
            _accepted[history] = until;
            _isUnsaved = true;
            Write();
        }
    }

    /// <summary>Writes down what could not be written before.</summary>
    /// <exception cref="IOException">It still cannot.</exception>
    public void EnsureSaved()
    {
        lock (_one)
        {
            Write();
        }
    }

    private static Dictionary<string, DateTimeOffset> Read(string path)
    {
        if (!File.Exists(path))
        {
            return [];
        }

        try
        {
            return JsonSerializer.Deserialize(File.ReadAllText(path), Json.Default.DictionaryStringDateTimeOffset) ?? [];
        }
        catch (JsonException e)
        {
            throw new IOException(
                $"{path} is not a state file of the bridge. Remove it to send the histories from the start, or name another " +
                    $"Bridge:RemoteWrite:StateFile. {e.Message}", e);
        }
    }

    private void Write()
    {
        if (!_isUnsaved)
        {
            return;
        }

        try
        {
            WholeFile.Replace(Path, JsonSerializer.Serialize(_accepted, Json.Default.DictionaryStringDateTimeOffset));
            _isUnsaved = false;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new IOException($"{Path} cannot be written. Free disk space, or name another Bridge:RemoteWrite:StateFile. Nothing is " +
                $"sent without it. {e.Message}", e);
        }
    }

    [JsonSerializable(typeof(Dictionary<string, DateTimeOffset>))]
    private sealed partial class Json : JsonSerializerContext;
}
