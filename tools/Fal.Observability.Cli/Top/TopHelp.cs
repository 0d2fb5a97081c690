namespace Fal.Observability.Cli.Top;

/// <summary>The page that explains the others.</summary>
internal static class TopHelp
{
    private const int KeyWidth = 10;
    private const int TermWidth = 12;

    // From this width on, the keys stand in two columns.
    private const int WidthOfTwoColumns = 78;
    private const int FirstColumnWidth = 56;

    private static readonly (string Key, string Text)[] Keys =
    [
        ("s, S", "sort by the next or the previous column"),
        ("/, f", "filter by a part of the name; Esc clears it"),
        ("Up, Down", "move; also PgUp, PgDn, Home and End"),
        ("Enter", "open one app; Esc goes back"),
        ("r", "reverse the order"),
        ("p", "pause and go on"),
        ("?", "this help"),
        ("q", "quit"),
    ];

    private static readonly (string Term, string Text)[] Terms =
    [
        ("queue", "requests that wait"),
        ("busy", "requests in progress"),
        ("run", "runners in any state; limit: the maximum number of runners"),
        ("p50 p90 p99", "latency in seconds of the requests completed in the last minute"),
        ("err%", "share of 5xx answers in the requests completed in the last minute"),
        ("gpu, vram", "average use of a GPU in percent"),
        ("today", "cost since midnight UTC; it is read every five minutes"),
        ("bars", "the latest reads of queue and busy, the newest on the right"),
        ("trouble", "share of errors in percent, plus the time that a new request waits, in percent of a minute. Each counts at most " +
            "100. Fewer than 3 failed or waiting requests and a wait below 5 s count 0. '!' marks an app with a score of 5 or more."),
        ("-", "the service did not send a value"),
    ];

    /// <summary>The lines of the page, however many they are.</summary>
    public static List<string> Lines(int width)
    {
        List<string> lines = [""];
        if (width >= WidthOfTwoColumns)
        {
            int rows = Keys.Length / 2;
            lines.AddRange(Keys.Take(rows).Select((key, i) =>
                $"{key.Key.PadRight(KeyWidth)}{key.Text}".PadRight(FirstColumnWidth) + $"{Keys[rows + i].Key,-4}{Keys[rows + i].Text}"));
        }
        else
        {
            lines.AddRange(Keys.SelectMany(key => Entry(key.Key, key.Text, KeyWidth, width)));
        }

        lines.Add("");
        lines.AddRange(Terms.SelectMany(term => Entry(term.Term, term.Text, TermWidth, width)));
        return lines;
    }

    private static IEnumerable<string> Entry(string term, string text, int indent, int width) =>
        TopLine.Wrap(text, width - indent).Select((line, i) => (i == 0 ? term : "").PadRight(indent) + line);
}
