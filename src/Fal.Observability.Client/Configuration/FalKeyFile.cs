using System.Text;

namespace Fal.Observability.Client;

/// <summary>A file that holds a key, such as a secret of Docker or Kubernetes.</summary>
internal static class FalKeyFile
{
    /// <summary>Far longer than a key. A longer file is not a key file.</summary>
    private const int LongestFile = 4096;

    /// <summary>The key in a file, without the blanks and line ends around it.</summary>
    /// <param name="path">The file.</param>
    /// <param name="problem">
    /// What is wrong with the file, as the end of a sentence and without its content; null if there is a key.
    /// </param>
    /// <returns>The key; null if there is none.</returns>
    public static string? Read(string path, out string? problem)
    {
        try
        {
            // Opening a pipe or a device can wait for ever. Neither has a length.
            if (((FileInfo?)File.ResolveLinkTarget(path, returnFinalTarget: true) ?? new FileInfo(path)) is { Exists: true, Length: 0 })
            {
                problem = "is empty or not a regular file.";
                return null;
            }

            using var reader = new StreamReader(path, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false));
            char[] text = new char[LongestFile + 1];
            int length = reader.ReadBlock(text, 0, text.Length);
            string key = text.AsSpan(0, length).Trim().ToString();
            problem = length > LongestFile ? "is too long for a key."
                : key.Length == 0 ? "is empty."
                : FalApiKey.Problem(key) is { } fault ? $"does not contain a valid key: its text {fault}" : null;
            return problem is null ? key : null;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            problem = "does not exist.";
        }
        catch (Exception e) when (e is UnauthorizedAccessException or IOException or NotSupportedException)
        {
            problem = Directory.Exists(path) ? "is a folder." : "cannot be read by the user that runs this process.";
        }

        return null;
    }
}
