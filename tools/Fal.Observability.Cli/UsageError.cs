using System.CommandLine;

namespace Fal.Observability.Cli;

/// <summary>What is wrong with a command line.</summary>
internal static class UsageError
{
    /// <summary>One line: the first error, and where the words are listed.</summary>
    public static string Of(ParseResult parsed)
    {
        Command command = parsed.CommandResult.Command;
        string error = parsed.UnmatchedTokens is [{ } unknown, ..] ? OfWord(command, unknown)
            : parsed.Errors is [{ } first, ..] && command.Subcommands.Count == 0 ? first.Message
            : $"Name what to do: {string.Join(", ", command.Subcommands.Select(verb => verb.Name))}.";
        return $"{error} '{NameOf(parsed.CommandResult)} --help' lists the words.";
    }

    private static string OfWord(Command command, string word) =>
        command.Arguments is [{ } argument, ..] && !word.StartsWith('-') ? $"'{word}' is one {argument.Name} too many."
        : $"'{word}' is not understood.";

    private static string NameOf(System.CommandLine.Parsing.CommandResult command) =>
        command.Parent is System.CommandLine.Parsing.CommandResult ? $"fal-obs {command.Command.Name}" : "fal-obs";
}
