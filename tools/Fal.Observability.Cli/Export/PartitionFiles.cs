namespace Fal.Observability.Cli.Export;

/// <summary>A file for each partition, either complete or absent.</summary>
internal static class PartitionFiles
{
    /// <summary>Has a file written beside its place and moves it there; a partition without rows has no file.</summary>
    /// <param name="path">The place.</param>
    /// <param name="isEmpty">Whether there is nothing to write.</param>
    /// <param name="write">Writes the file, under the name that it is given.</param>
    public static async Task ReplaceAsync(string path, bool isEmpty, Func<string, Task> write)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        if (isEmpty)
        {
            File.Delete(path);
            return;
        }

        await WholeFile.ReplaceAsync(path, write);
    }
}
