using Microsoft.Win32.SafeHandles;

namespace Fal.Observability.Tools;

/// <summary>Files that exist completely or not at all, whenever the program or the machine stops.</summary>
internal static class WholeFile
{
    /// <summary>Has a file written beside its place, and moves it there when it is complete.</summary>
    /// <param name="path">The place.</param>
    /// <param name="write">Writes the file under the name that it is given.</param>
    public static async Task ReplaceAsync(string path, Func<string, Task> write)
    {
        string temporary = $"{path}.tmp";
        try
        {
            await write(temporary);
            Publish(temporary, path);
        }
        finally
        {
            // Half a file must not take the room that a full disk lacks.
            File.Delete(temporary);
        }
    }

    /// <summary>
    /// Writes a file that a user names, whole or not at all. A link stays a link, and a pipe or a device is written into. The file is
    /// opened first, so that a place that cannot be written is known before an hour of reading.
    /// </summary>
    /// <param name="path">The place.</param>
    /// <param name="write">Writes the content.</param>
    public static async Task WriteAsync(string path, Func<FileStream, Task> write)
    {
        string target = new FileInfo(path).LinkTarget is null ? path : File.ResolveLinkTarget(path, returnFinalTarget: true)!.FullName;
        // No file can take the place of a pipe or a device: they have no length, and a link such as /dev/stdout leads to no name.
        if (File.Exists(path) && (!File.Exists(target) || new FileInfo(path).Length == 0))
        {
            await WriteToAsync(path, FileMode.Open);
        }
        else
        {
            await ReplaceAsync(target, temporary => WriteToAsync(temporary, FileMode.Create));
        }

        async Task WriteToAsync(string place, FileMode mode)
        {
            await using FileStream file = new(place, mode, FileAccess.Write);
            await write(file);
        }
    }

    /// <summary>Writes a string to a file, and replaces what the file contains.</summary>
    public static void Replace(string path, string text)
    {
        string temporary = $"{path}.tmp";
        try
        {
            File.WriteAllText(temporary, text);
            Publish(temporary, path);
        }
        finally
        {
            File.Delete(temporary);
        }
    }

    // The content reaches the disk before it gets its name, or a power cut could leave the name without the content.
    private static void Publish(string temporary, string path)
    {
        using (SafeFileHandle file = File.OpenHandle(temporary, access: FileAccess.Write))
        {
            RandomAccess.FlushToDisk(file);
        }

        File.Move(temporary, path, overwrite: true);
    }
}
