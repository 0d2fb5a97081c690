using System.Text;
using Spectre.Console;

namespace Fal.Observability.Cli.Top;

/// <summary>What a piece of text stands for.</summary>
internal enum Ink
{
    Plain,
    Faint,
    Title,
    Good,
    Warning,
    Bad,
}

/// <summary>One line of the screen, never wider than it.</summary>
/// <param name="width">The columns of the screen.</param>
internal sealed class TopLine(int width)
{
    /// <summary>The blanks between two parts of a line.</summary>
    public const int Gap = 2;

    private const string Ellipsis = "…";

    private readonly List<(string Text, Ink Ink)> _parts = [];
    private int _used;

    /// <summary>Whether the cursor is on the line.</summary>
    public bool IsSelected { get; init; }

    /// <summary>The columns that are left.</summary>
    public int Left => width - _used;

    /// <summary>Adds text, as much of it as has room.</summary>
    public TopLine Add(string text, Ink ink = Ink.Plain)
    {
        string fitting = WidthOf(text) <= Left ? text : Left > 0 ? Start(text, Left - 1) + Ellipsis : "";
        if (fitting.Length > 0)
        {
            _parts.Add((fitting, ink));
            _used += WidthOf(fitting);
        }

        return this;
    }

    /// <summary>Adds a part, with a gap to the one before it.</summary>
    public TopLine AddNext(string text, Ink ink = Ink.Plain) => Add(_used == 0 ? "" : new string(' ', Gap)).Add(text, ink);

    /// <summary>Adds text at the right edge, if there is room for it and for a gap before it.</summary>
    public TopLine AddRight(string text, Ink ink = Ink.Plain)
    {
        int room = Left - WidthOf(text);
        return room >= (_used == 0 ? 0 : Gap) ? Add(new string(' ', room)).Add(text, ink) : this;
    }

    /// <summary>Adds text in a column.</summary>
    public TopLine AddCell(string text, int columns, bool isRight, Ink ink = Ink.Plain)
    {
        string fitting = Fit(text, columns);
        var blank = new string(' ', columns - WidthOf(fitting));
        return Add(isRight ? blank + fitting : fitting + blank, ink);
    }

    /// <summary>The text that fits into columns. Where it is too long its middle is left out, since names differ at their ends.</summary>
    public static string Fit(string text, int columns)
    {
        if (WidthOf(text) <= columns)
        {
            return text;
        }

        if (columns < 3)
        {
            return Start(text, columns);
        }

        string start = Start(text, columns / 2);
        return start + End(text, columns - WidthOf(start));
    }

    /// <summary>The end of a text that fits into columns, for one that is typed.</summary>
    public static string End(string text, int columns)
    {
        if (WidthOf(text) <= columns)
        {
            return text;
        }

        Rune[] runes = [.. text.EnumerateRunes()];
        int from = runes.Length;
        for (int used = 0; from > 0 && (used += WidthOf(runes[from - 1].ToString())) < columns;)
        {
            from--;
        }

        return Ellipsis + string.Concat(runes[from..]);
    }

    /// <summary>Adds as many of some items as have room, whole ones only, and that there are more.</summary>
    /// <param name="items">The items.</param>
    /// <param name="separator">What stands between them.</param>
    /// <param name="more">What stands for the others, with a place for their number.</param>
    /// <param name="reserved">The columns that stay free for what is added at the right.</param>
    public TopLine AddItems(IReadOnlyList<string> items, string separator, string more, int reserved = 0)
    {
        int shown = items.Count;
        while (shown > 1 && WidthOf(TextOf(shown)) + reserved > Left)
        {
            shown--;
        }

        return Add(TextOf(shown));

        string TextOf(int count) => string.Join(separator, items.Take(count))
            + (count < items.Count ? separator + more.Replace("{0}", Figures.Count(items.Count - count), StringComparison.Ordinal) : "");
    }

    /// <summary>A text as lines that break between words, and within a word that is wider than a line.</summary>
    public static List<string> Wrap(string text, int columns)
    {
        var lines = new List<string>();
        string line = "";
        foreach (string word in text.Split(' '))
        {
            if (line.Length > 0 && WidthOf(line) + 1 + WidthOf(word) > columns)
            {
                lines.Add(line);
                line = "";
            }

            line = line.Length == 0 ? word : $"{line} {word}";
            while (WidthOf(line) > columns && Start(line, columns) is { Length: > 0 } start)
            {
                lines.Add(start);
                line = line[start.Length..];
            }
        }

        lines.Add(line);
        return lines;
    }

    /// <summary>A text as at most some lines. Its last sentences are left out if it is longer: a message starts with its cause.</summary>
    public static IReadOnlyList<string> Wrap(string text, int columns, int most)
    {
        List<string> lines = Wrap(text, columns);
        while (lines.Count > most && text.LastIndexOf(". ", StringComparison.Ordinal) is > 0 and var end)
        {
            text = text[..end];
            lines = Wrap($"{text}.", columns);
        }

        return lines.Count <= most ? lines : [.. lines[..(most - 1)], Start(lines[most - 1], columns - 1) + Ellipsis];
    }

    /// <summary>The line as plain text.</summary>
    public override string ToString() => string.Concat(_parts.Select(part => part.Text)).TrimEnd();

    /// <summary>The line as a terminal shows it.</summary>
    /// <param name="output">Where to append it.</param>
    /// <param name="hasColours">Whether colours may be used. Bold, faint and inverse text are none.</param>
    public void Write(StringBuilder output, bool hasColours)
    {
        foreach ((string text, Ink ink) in _parts)
        {
            string style = ink switch
            {
                Ink.Faint => "2",
                Ink.Title => "1",
                Ink.Good => hasColours ? "32" : "",
                Ink.Warning => hasColours ? "33" : "",
                Ink.Bad => hasColours ? "1;31" : "1",
                _ => "",
            };
            style = IsSelected ? style.Length > 0 ? $"7;{style}" : "7" : style;
            output.Append(style.Length > 0 ? $"\e[{style}m{text}\e[0m" : text);
        }

        // At the right edge this would erase the last character.
        if (Left > 0)
        {
            output.Append("\e[K");
        }
    }

    /// <summary>How many columns a text takes.</summary>
    public static int WidthOf(string text)
    {
        foreach (char c in text)
        {
            // Everything below takes one column, and so does what the screen is drawn with.
            if (c >= '\u0300' && c is not (>= '\u2010' and <= '\u2027' or >= '\u2580' and <= '\u259F'))
            {
                return text.GetCellWidth();
            }
        }

        return text.Length;
    }

    private static string Start(string text, int columns)
    {
        var start = new StringBuilder();
        int used = 0;
        foreach (Rune rune in text.EnumerateRunes())
        {
            used += WidthOf(rune.ToString());
            if (used > columns)
            {
                break;
            }

            start.Append(rune);
        }

        return start.ToString();
    }
}
