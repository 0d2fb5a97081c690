using Spectre.Console;

namespace Fal.Observability.Cli;

/// <summary>What the program shows: results on the output, and everything about them on the error output.</summary>
internal static class Screen
{
    /// <summary>Wider than any table: whoever reads a pipe cuts the lines.</summary>
    public const int WidthOfPipe = 10_000;

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

    /// <summary>Shows a bar on the error output while work runs, if a person at a terminal can see it.</summary>
    /// <param name="title">What the bar is about.</param>
    /// <param name="work">The work, which says how many of how many parts are done.</param>
    public static async Task WithProgressAsync(string title, Func<Action<int, int>, Task> work)
    {
        if (Console.IsErrorRedirected)
        {
            await work((_, _) => { });
            return;
        }

        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
        await console.Progress().StartAsync(async progress =>
        {
            ProgressTask bar = progress.AddTask(Markup.Escape(title));
            await work((done, all) =>
            {
                bar.MaxValue = all;
                bar.Value = done;
            });
            bar.Value = bar.MaxValue;
        });
    }

    /// <summary>
    /// A text without line ends, and without characters with which a name could steer the terminal or reverse what is written after it.
    /// </summary>
    public static string OneLine(string text) => string.Join(
        ' ',
        new string([.. text.Select(c => c is '\r' or '\n' ? '\n' : char.IsControl(c) || IsDirection(c) ? '\uFFFD' : c)])
            .Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));

    // Unicode's embeddings, overrides and isolates (UAX #9).
    private static bool IsDirection(char c) => c is (>= '\u202A' and <= '\u202E') or (>= '\u2066' and <= '\u2069');
}
