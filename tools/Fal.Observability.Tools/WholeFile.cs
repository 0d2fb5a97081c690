using Microsoft.Win32.SafeHandles;

namespace Fal.Observability.Tools;

/// <summary>Files that are there whole or not at all, whenever the program or the machine stops.</summary>
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

    /// <summary>Puts a text into a file, in place of what is there.</summary>
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
