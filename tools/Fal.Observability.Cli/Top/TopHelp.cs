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
        ("Up, Down", "move; also PgUp, PgDn, Home, End"),
        ("Enter", "open the app under the cursor; Esc goes back"),
        ("r", "reverse the order"),
        ("p", "pause, resume"),
        ("?", "this help"),
        ("q", "quit"),
    ];

    private static readonly (string Term, string Text)[] Terms =
    [
        ("trouble", "a score: the share of failed requests in percent, plus the time that a new request waits, in percent of a minute. " +
            "Each counts at most 100. Fewer than 3 failed or waiting requests and a wait below 5 s count 0. '!' marks an app with a " +
            "score of 5 or more."),
        ("cause", "what makes the trouble. 'queue 20 s': a new request waits for about 20 seconds. 'queue not moving': requests wait, " +
            "and none was completed in the last minute. 'queue, no runner': nor does a runner run; the runners in other states follow."),
        ("queue", "requests that wait"),
        ("busy", "requests in progress"),
        ("in, out", "requests received and completed in the last minute"),
        ("run", "runners that run. pending: allocated, not up yet; running: up, busy or not; idle: up and not busy; draining: " +
            "finishes its requests and takes no more; dead: gone, still counted"),
        ("p50 p90 p99", "latency in seconds of the requests completed in the last minute, over all endpoints of the app. It comes from " +
            "the buckets of a histogram, so that it is rounded by them. The page of an app also shows, for the last hour, the highest " +
            "value of any endpoint in any minute (max), as the service reports it. The two can differ."),
        ("err%", "share of 5xx answers in the requests completed in the last minute; faint if fewer than 3 failed"),
        ("gpu, vram", "average use of a GPU in percent; cpu, memory: average use of a runner"),
        ("today", "cost since midnight UTC, read every five minutes. The cost above the table is that of the account. Lines of the " +
            "bill that have the name and environment of no listed app are unattributed."),
        ("limits", "the fewest and the most runners, which is 'limit' in the table. keep: how long a runner stays without a request; " +
            "request, startup: how long each may take"),
        ("bars", "queue and busy: one bar for each read, the newest on the right. Last hour: one bar for each minute that is over. The " +
            "lowest bar is 0, and the highest one is the highest value in sight (max). A blank: no value was read."),
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
