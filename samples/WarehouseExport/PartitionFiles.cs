namespace Fal.Observability.WarehouseExport;

/// <summary>A file for each partition, there whole or not at all.</summary>
internal static class PartitionFiles
{
    /// <summary>Writes a file beside its place and moves it there; a partition without rows has no file.</summary>
    public static async Task ReplaceAsync(string path, bool isEmpty, Func<Stream, Task> write)
    {
        if (isEmpty)
        {
            File.Delete(path);
            return;
        }

        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        string temporary = $"{path}.tmp";
        await using (FileStream file = File.Create(temporary))
        {
            await write(file);
            // On the disk before it gets its name, or a power cut could leave the name without the content.
            file.Flush(flushToDisk: true);
        }

        File.Move(temporary, path, overwrite: true);
    }
}
