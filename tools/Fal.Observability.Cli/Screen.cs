using Spectre.Console;

namespace Fal.Observability.Cli;

/// <summary>What the program shows: results on the output, and everything about them on the error output.</summary>
internal static class Screen
{
    // Wider than any table: whoever reads a pipe cuts the lines.
    private const int WidthOfPipe = 10_000;

    /// <summary>A console for tables, without colours and as wide as they are where a program reads the output.</summary>
    public static IAnsiConsole Output()
    {
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Out) });
        if (Console.IsOutputRedirected)
        {
            console.Profile.Width = WidthOfPipe;
        }

        return console;
    }

    /// <summary>A console for progress, which only a person at a terminal has a use for; null elsewhere.</summary>
    public static IAnsiConsole? Progress() =>
        Console.IsErrorRedirected ? null : AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });

    /// <summary>A text without line ends, and without characters with which a name could steer the terminal.</summary>
    public static string OneLine(string text) => string.Join(
        ' ',
        new string([.. text.Select(c => c is '\r' or '\n' ? '\n' : char.IsControl(c) ? '\uFFFD' : c)])
            .Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));
}
