using System.Globalization;

namespace Fal.Observability.Cli.Top;

/// <summary>The lines of the screen, made of the model and the view alone.</summary>
/// <param name="model">What is known.</param>
/// <param name="ramp">The characters of bars, from zero to the highest value.</param>
internal sealed class TopScreen(TopModel model, string ramp)
{
    /// <summary>Bars for a terminal that shows Unicode.</summary>
    public const string Blocks = "▁▂▃▄▅▆▇█";

    /// <summary>Bars for every other terminal.</summary>
    public const string Ascii = "_.:-=+*#";

    private const int NarrowestScreen = 40;
    private const int LowestScreen = 10;

    // The line of the totals takes so much beside its two rows of bars, which a narrow screen does without.
    private const int WidthWithoutBars = 60;
    private const int WidthOfBars = 80;
    private const int WidestBars = 40;

    private const int MostEvents = 8;

    // The longest messages of the client fit into so many lines of 60 columns.
    private const int MostStatusLines = 4;

    // The lines above the rows, with their titles, and the one below them.
    private const int LinesAround = 8;

    /// <summary>How many rows a screen shows.</summary>
    public static int RowsOn(int height) => Math.Max(1, height - LinesAround);

    /// <summary>The lines of the screen.</summary>
    /// <param name="view">What a person has chosen.</param>
    /// <param name="width">The columns of the screen.</param>
    /// <param name="height">The lines of the screen.</param>
    /// <param name="now">The current instant.</param>
    public IReadOnlyList<TopLine> Draw(TopView view, int width, int height, DateTimeOffset now)
    {
        var lines = new List<TopLine>(height);
        if (width < NarrowestScreen || height < LowestScreen)
        {
            lines.Add(new TopLine(width).Add(Invariant($"Enlarge to {NarrowestScreen}x{LowestScreen}.")));
            return lines;
        }

        lines.Add(Title(view, width, now));
        if (view.IsHelp)
        {
            List<string> help = TopHelp.Lines(width);
            lines.AddRange(Scrolled(help, view, height - 2).Select(text => new TopLine(width).Add(text)));
        }
        else if (view.Page == TopPage.App)
        {
            lines.AddRange(Status(width, height, now));
            lines.AddRange(Scrolled(new AppPage(model, ramp, width).Draw(view), view, height - lines.Count - 1));
        }
        else
        {
            Apps(lines, view, width, height, now);
        }

        while (lines.Count < height - 1)
        {
            lines.Add(new TopLine(width));
        }

        lines.Add(Keys(view, width));
        return lines;
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    private static string Plural(int count, string noun) => Invariant($"{count} {noun}{(count == 1 ? "" : "s")}");

    private static IEnumerable<T> Scrolled<T>(List<T> page, TopView view, int inSight) =>
        page.Skip(Math.Clamp(view.Scrolled, 0, Math.Max(0, page.Count - inSight))).Take(inSight);

    private static string[] Listed(IReadOnlyList<(string Name, double Count)> counts) => counts.Count == 0
        ? ["none"]
        : [.. counts.Select(count => $"{Figures.Count(count.Count)} {count.Name}")];

    private static TopLine Keys(TopView view, int width)
    {
        if (view.IsTyping)
        {
            return new TopLine(width).Add("filter: ", Ink.Title).Add($"{view.Filter}_").Add("   Enter keeps it, Esc clears it", Ink.Faint);
        }

        if (view.IsHelp)
        {
            return Fitting(width, [("Up/Down scroll", 1), ("Esc closes the help", 0), ("q quit", 2)]);
        }

        if (view.Page == TopPage.App)
        {
            return Fitting(width, [("Esc back", 0), ("Up/Down scroll", 3), ("p pause", 4), ("? help", 1), ("q quit", 2)]);
        }

        string sorted = $"sorted by {TopView.NameOf(view.Sort)}{(view.IsReversed ? ", reversed" : "")}";
        return Fitting(
            width,
            [
                (sorted, -2),
                .. view.Filter.Length == 0 ? [] : ((string, int)[])[($"filter '{ShownText.Of(view.Filter)}'", -1)],
                ("s sort", 2), ("r reverse", 6), ("/ filter", 3), ("p pause", 5), ("Enter open", 4), ("? help", 0), ("q quit", 1),
            ]);
    }

    /// <summary>A line of the texts that have room, those with the lowest rank first. What is no key has a negative rank.</summary>
    private static TopLine Fitting(int width, List<(string Text, int Rank)> texts)
    {
        while (texts.Count > 1 && texts.Sum(text => TopLine.WidthOf(text.Text) + 2) - 2 > width)
        {
            texts.Remove(texts.MaxBy(text => text.Rank));
        }

        var line = new TopLine(width);
        for (int i = 0; i < texts.Count; i++)
        {
            line.Add(i == 0 ? "" : "  ").Add(texts[i].Text, texts[i].Rank < 0 ? Ink.Plain : Ink.Faint);
        }

        return line;
    }

    private TopLine Title(TopView view, int width, DateTimeOffset now)
    {
        TopLine line = new TopLine(width).Add("fal-obs top", Ink.Title);
        if (model.Shown(view) is { } reading)
        {
            line.Add($"  {Plural(reading.Rows.Length, "app")}");
            line.Add(reading.InTrouble > 0 ? Invariant($"  {reading.InTrouble} in trouble") : "  none in trouble",
                reading.InTrouble > 0 ? Ink.Bad : Ink.Good);
        }

        if (view.PausedAt is not null)
        {
            line.Add("  PAUSED", Ink.Warning);
        }

        if (model.IsSimulated)
        {
            line.Add("  SIMULATED DATA", Ink.Warning);
        }

        if (model.Shown(view) is not { } shown)
        {
            return line.AddRight("no data yet", Ink.Warning);
        }

        string age = $"data {Figures.Span(now - shown.Timestamp)} old";
        return model.IsStale(now) ? line.AddRight($"STALE: {age}", Ink.Bad) : line.AddRight(age);
    }

    /// <summary>What goes wrong now, on as many lines as its cause needs, else what happened last.</summary>
    private IEnumerable<TopLine> Status(int width, int height, DateTimeOffset now)
    {
        if (model.Problem is { } problem)
        {
            string text =
                $"{model.ProblemKind} for {Figures.Span(now - model.FailingSince)} ({Plural(model.FailedReads, "read")}): {problem}";
            return TopLine.Wrap(text, width, Math.Clamp(height - LinesAround, 1, MostStatusLines))
                .Select(part => new TopLine(width).Add(part, Ink.Bad));
        }

        var line = new TopLine(width);
        line.Add(Invariant($"retries {model.Retries}, rate limits {model.RateLimits}"), model.RateLimits > 0 ? Ink.Warning : Ink.Plain);
        if (model.Latest is { SkippedLines: > 0 } latest)
        {
            line.Add(Invariant($"  {latest.SkippedLines} line(s) unreadable"), Ink.Warning);
        }

        foreach (string notice in model.Notices.Where(notice => !notice.StartsWith("cost", StringComparison.Ordinal)))
        {
            line.Add($"  {notice}", Ink.Warning);
        }

        if (model.Events.FirstOrDefault() is { } last)
        {
            line.Add($"  {Figures.Clock(last.At)} {last.Text}", last.Ink);
        }

        return [line];
    }

    private string Cost()
    {
        string? notice = model.Notices.FirstOrDefault(notice => notice.StartsWith("cost", StringComparison.Ordinal));
        return model.CostToday is { } totals
            ? totals.Count == 0
                ? "cost today 0"
                : $"cost today {string.Join(" + ", totals.Select(total => Figures.Money(total.Cost, ShownText.Of(total.Currency))))}"
            : notice ?? "cost today ...";
    }

    private void Apps(List<TopLine> lines, TopView view, int width, int height, DateTimeOffset now)
    {
        if (model.Shown(view) is not { } reading)
        {
            lines.AddRange(Status(width, height, now));
            lines.Add(new TopLine(width));
            string text = model.Problem is { } problem
                ? $"No data from {ShownText.Of(model.Service)} yet; still trying. The last failure: {problem}"
                : $"Waiting for the first answer from {ShownText.Of(model.Service)}, {Figures.Span(now - model.Start)} so far.";
            lines.AddRange(TopLine.Wrap(text, width).Take(height - lines.Count - 1).Select(part => new TopLine(width).Add(part)));
            return;
        }

        int bars = width < WidthOfBars ? 0 : Math.Min(WidestBars, (width - WidthWithoutBars) / 2);
        double? share = reading.Completed > 0 ? reading.Errors / reading.Completed : null;
        lines.Add(new TopLine(width)
            .Add("queue ", Ink.Faint).Add($"{Figures.Count(reading.Queue)} {model.Queue.Draw(reading.Number, bars, ramp)}".TrimEnd())
            .Add("  busy ", Ink.Faint).Add($"{Figures.Count(reading.Busy)} {model.Busy.Draw(reading.Number, bars, ramp)}".TrimEnd())
            .Add("  errors ", Ink.Faint).Add($"{Figures.Percent(share)} %", TopColumns.InkOf(share, reading.Errors))
            .Add($" of {Figures.Count(reading.Completed)}/min"));
        lines.Add(new TopLine(width).Add("runners ", Ink.Faint).AddItems(Listed(reading.RunnersByState), ", ").AddRight(Cost()));
        lines.Add(new TopLine(width).Add("machines ", Ink.Faint).AddItems(Listed(reading.RunnersByMachine), ", "));
        lines.Add(new TopLine(width).Add("worst ", Ink.Faint).AddItems(
            reading.Worst.Count == 0
                ? ["none"]
                : [.. reading.Worst.Select(row => $"{reading.NameOf(row.App)}: {row.Trouble.Reason}")],
            "; "));
        lines.AddRange(Status(width, height, now));
        IReadOnlyList<TopRow> rows = reading.Select(view);
        (IReadOnlyList<TopColumn> columns, TopDrawing drawing) = TopColumns.For(
            reading, width, withBars: true, ramp, view.Sort);
        lines.Add(Titles(columns, view, width));
        if (rows.Count == 0)
        {
            lines.Add(new TopLine(width).Add(
                view.Filter.Length > 0 ? $"  No app's name contains '{view.Filter}'. Esc clears the filter."
                : model.OwnsNoApp ? "  The account owns no apps."
                : "  No data: the service sends no metrics. An app without a runner has none."));
            return;
        }

        int inSight = height - lines.Count - 1;
        int cursor = TopKeys.CursorIn(view, rows);
        // The cursor moves down to the last line, and then the rows move up.
        int first = Math.Max(0, Math.Min(cursor - inSight + 1, rows.Count - inSight));
        for (int i = first; i < Math.Min(rows.Count, first + inSight); i++)
        {
            lines.Add(Row(rows[i], columns, drawing, width, i == cursor));
        }

        // Where there are fewer apps than lines, the others show what happened. One stays empty, and one is that of the keys.
        int spare = Math.Min(MostEvents, height - lines.Count - 2);
        if (spare > 1 && model.Events.Any())
        {
            lines.Add(new TopLine(width));
            lines.AddRange(model.Events.Take(spare).Select(
                happened => new TopLine(width).Add($"{Figures.Clock(happened.At)} ", Ink.Faint).Add(happened.Text, happened.Ink)));
        }
    }

    private TopLine Titles(IReadOnlyList<TopColumn> columns, TopView view, int width)
    {
        TopLine line = new TopLine(width).Add("  ");
        foreach (TopColumn column in columns)
        {
            bool isSorted = column.Sort == view.Sort;
            (string title, Ink ink) = isSorted ? (column.Title + Arrow(view), Ink.Title) : (column.Title, Ink.Faint);
            line.AddCell(title, column.Width, column.IsRight, ink).Add(" ");
        }

        return line;
    }

    /// <summary>Down where the highest value comes first, up where the lowest or the first letter does.</summary>
    private char Arrow(TopView view) => (view.IsReversed == (view.Sort == TopSort.Name), ramp == Ascii) switch
    {
        (true, false) => '▼',
        (false, false) => '▲',
        (true, true) => 'v',
        (false, true) => '^',
    };

    private static TopLine Row(TopRow row, IReadOnlyList<TopColumn> columns, TopDrawing drawing, int width, bool isSelected)
    {
        TopLine line = new TopLine(width) { IsSelected = isSelected }
            .Add(isSelected ? ">" : " ")
            .Add(row.Trouble.Score >= Trouble.Warning ? "!" : " ", TopColumns.InkOf(row.Trouble));
        for (int i = 0; i < columns.Count; i++)
        {
            Ink ink = i == 0 ? row.Live is null ? Ink.Faint : TopColumns.InkOf(row.Trouble) : columns[i].Ink(row);
            line.AddCell(columns[i].Value(row, drawing), columns[i].Width, columns[i].IsRight, ink).Add(" ");
        }

        return line;
    }
}
