namespace Fal.Observability.Cli;

/// <summary>Commands to copy into a shell.</summary>
internal static class ShellWord
{
    /// <summary>A text as one word of a POSIX shell, whatever is in it.</summary>
    public static string Quote(string text) => $"'{text.Replace("'", @"'\''", StringComparison.Ordinal)}'";
}
