using System.Text;
using Microsoft.Extensions.Logging;

namespace Fal.Observability.Client;

/// <summary>
/// The key of an account, which may lie in a file. The file is read again before each call: its content is compared, not its time, because
/// Kubernetes replaces a secret by exchanging a link above it.
/// </summary>
internal sealed class FalKeyFile(FalObservabilityOptions options, string? account, ILogger log)
{
    /// <summary>Far longer than a key; what is longer is another file.</summary>
    private const int LongestFile = 4096;

    private readonly string _account = account ?? "(default)";
    private string? _problem;

    /// <summary>The key in a file, without the blanks and line ends around it.</summary>
    /// <param name="path">The file.</param>
    /// <param name="problem">What is wrong with the file, as the end of a sentence and without its content; null where there is a key.</param>
    /// <returns>The key; null where there is none.</returns>
    public static string? Read(string path, out string? problem)
    {
        try
        {
            using var reader = new StreamReader(path, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false));
            char[] text = new char[LongestFile + 1];
            int length = reader.ReadBlock(text, 0, text.Length);
            string key = text.AsSpan(0, length).Trim().ToString();
            problem = length > LongestFile ? "is too long for a key."
                : key.Length == 0 ? "is empty."
                : FalApiKey.Problem(key) is { } fault ? $"does not hold a key: its text {fault}" : null;
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

    /// <summary>The key for the next call: the file's, else the one that was read last. Without a file, the one of the options.</summary>
    public string Current()
    {
        if (!IsThere)
        {
            return options.ApiKey!;
        }

        string? key = Read(options.ApiKeyFile!, out string? problem);
        if (Interlocked.Exchange(ref _problem, problem) != problem && problem is not null)
        {
            log.KeyFileUnusable(_account, options.ApiKeyFile!, problem);
        }

        if (key is not null && key != options.ApiKey)
        {
            options.ApiKey = key;
            log.KeyFileChanged(_account, options.ApiKeyFile!);
        }

        return options.ApiKey!;
    }

    /// <summary>Whether the key lies in a file.</summary>
    public bool IsThere => options.ApiKeyFile is not null;

    /// <summary>Whether the file holds another key than the last call bore.</summary>
    public bool HasChanged() => IsThere && Read(options.ApiKeyFile!, out _) is { } key && key != options.ApiKey;
}
