using System.Globalization;

namespace Fal.Observability.Cli.Top;

/// <summary>What a screen shows of a page or of the rows.</summary>
/// <param name="Lines">How many lines have room.</param>
/// <param name="First">The first line in sight.</param>
/// <param name="Last">The first line in sight at the end of the page.</param>
internal readonly record struct TopSight(int Lines, int First, int Last);

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
    private const int MostStatusLines = 5;

    // The lines above the rows, with their titles, and the one below them.
    private const int LinesAround = 8;

    // Room for how many lines continue below, so that it does not displace a key.
    private const int WidthOfMore = 13;

    private static readonly string[] KeysOfApps =
        ["? help ", "q quit", "Enter open", "p pause ", "s sort", "/ filter", "r reverse"];

    private static readonly string[] KeysOfApp = ["? help ", "q quit", "Esc back  ", "p pause ", "Up/Down scroll"];
    private static readonly string[] KeysOfHelp = ["? close", "q quit", "Up/Down scroll"];

    /// <summary>What the screen shows of its page. The keys that scroll start from it.</summary>
    public TopSight Sight { get; private set; } = new(1, 0, 0);

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

        Sight = new TopSight(1, 0, 0);
        lines.Add(Title(view, width, now));
        if (view.IsHelp)
        {
            See(TopHelp.Lines(width).Count, view.Scrolled, height - 2);
            lines.AddRange(TopHelp.Lines(width).Skip(Sight.First).Take(Sight.Lines).Select(text => new TopLine(width).Add(text)));
        }
        else if (view.Page == TopPage.App)
        {
            lines.AddRange(Status(width, height, now));
            List<TopLine> page = new AppPage(model, ramp, width).Draw(view);
            See(page.Count, view.Scrolled, height - lines.Count - 1);
            lines.AddRange(page.Skip(Sight.First).Take(Sight.Lines));
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

    private void See(int all, int first, int room)
    {
        int last = Math.Max(0, all - room);
        Sight = new TopSight(Math.Max(1, room), Math.Clamp(first, 0, last), last);
    }

    /// <summary>
    /// The keys, the same at the same place for as long as the screen has its width, and how many lines continue below.
    /// </summary>
    private TopLine Keys(TopView view, int width)
    {
        var line = new TopLine(width);
        if (view.IsTyping)
        {
            const string Prompt = "filter: ";
            const string Hint = "Enter keep  Esc clear";
            string typed = TopLine.End(ShownText.Of(view.Filter), width - Prompt.Length - Hint.Length - TopLine.Gap - 1);
            return line.Add(Prompt, Ink.Title).Add($"{typed}_").AddRight(Hint, Ink.Faint);
        }

        foreach (string key in view.IsHelp ? KeysOfHelp : view.Page == TopPage.App ? KeysOfApp : KeysOfApps)
        {
            if (key.Length + TopLine.Gap + WidthOfMore > line.Left)
            {
                break;
            }

            line.AddNext(view.PausedAt is null ? key : key.Replace("p pause ", "p resume", StringComparison.Ordinal), Ink.Faint);
        }

        int below = Sight.Last - Sight.First;
        return below == 0 ? line : line.AddRight($"{Figures.Count(below)} more {(ramp == Ascii ? 'v' : '▼')}");
    }

    private TopLine Title(TopView view, int width, DateTimeOffset now)
    {
        // The higher the rank, the sooner a part is left out. The age at the right edge always stays.
        List<(int Rank, string Text, Ink Ink)> parts = [(3, "fal-obs top", Ink.Title)];
        (string age, Ink inkOfAge) = ("no data yet", Ink.Warning);
        if (model.Shown(view) is { } reading)
        {
            string matching = view.Filter.Length > 0 ? Invariant($"{reading.Select(view).Count} of ") : "";
            parts.Add((4, matching + Figures.Of(reading.Rows.Length, "app"), Ink.Plain));
            parts.Add(reading.InTrouble > 0
                ? (2, Invariant($"{reading.InTrouble} in trouble"), Ink.Bad)
                : (2, "none in trouble", Ink.Good));
            age = $"data {Figures.Span(now - reading.Timestamp)} old";
            (age, inkOfAge) = model.IsStale(now) ? ($"STALE: {age}", Ink.Bad) : (age, Ink.Plain);
        }

        if (view.PausedAt is not null)
        {
            parts.Add((0, "PAUSED", Ink.Warning));
        }

        if (model.IsSimulated)
        {
            parts.Add((1, "SIMULATED DATA", Ink.Warning));
        }

        while (parts.Sum(part => TopLine.WidthOf(part.Text) + TopLine.Gap) + age.Length > width)
        {
            parts.Remove(parts.MaxBy(part => part.Rank));
        }

        var line = new TopLine(width);
        foreach ((_, string text, Ink ink) in parts)
        {
            line.AddNext(text, ink);
        }

        return line.AddRight(age, inkOfAge);
    }

    /// <summary>What goes wrong now, on as many lines as its cause needs, else what happened last.</summary>
    private IEnumerable<TopLine> Status(int width, int height, DateTimeOffset now)
    {
        if (model.Problem is { } problem)
        {
            string text =
                $"{model.ProblemKind} for {Figures.Span(now - model.LastAnswer)} ({Figures.Of(model.FailedReads, "read")}): {problem}";
            return TopLine.Wrap(text, width, Math.Clamp(height - LinesAround, 1, MostStatusLines))
                .Select(part => new TopLine(width).Add(part, Ink.Bad));
        }

        List<(string Text, Ink Ink)> parts =
        [
            (Invariant($"retries {model.Retries}, rate limits {model.RateLimits}"), model.RateLimits > 0 ? Ink.Warning : Ink.Plain),
        ];
        if (model.Latest is { SkippedLines: > 0 } latest)
        {
            parts.Add((Figures.Of(latest.SkippedLines, "unreadable line"), Ink.Warning));
        }

        if (model.Events.FirstOrDefault() is { } last)
        {
            parts.Add(($"{Figures.Clock(last.At)} UTC {last.Text}", last.Ink));
        }

        parts.AddRange(model.Notices.Where(notice => !notice.StartsWith("cost", StringComparison.Ordinal))
            .Select(notice => (notice, Ink.Warning)));
        // The counts go first: what happened says more.
        if (parts.Count > 1 && parts.Sum(part => TopLine.WidthOf(part.Text) + TopLine.Gap) - TopLine.Gap > width)
        {
            parts.RemoveAt(0);
        }

        var line = new TopLine(width);
        foreach ((string text, Ink ink) in parts)
        {
            line.AddNext(text, ink);
        }

        return [line];
    }

    private string Cost()
    {
        string? notice = model.Notices.FirstOrDefault(notice => notice.StartsWith("cost", StringComparison.Ordinal));
        return model.CostToday is { } totals ? $"cost today {Figures.Money(totals)}" : notice ?? "cost today ...";
    }

    /// <summary>Why the costs of the rows are less than that of the account.</summary>
    private string Unattributed() => model.Unattributed.Count > 0 ? $"{Figures.Money(model.Unattributed)} of it unattributed" : "";

    /// <summary>Why a table has no row.</summary>
    /// <param name="view">What a person has chosen.</param>
    public string WhyEmpty(TopView view) =>
        view.Filter.Length > 0 ? $"No app's name contains '{ShownText.Of(view.Filter)}'."
        : model.OwnsNoApp ? "The account owns no apps."
        : "No data: the service sends no metrics. An app without a runner has none.";

    private static IReadOnlyList<string> Listed(IReadOnlyList<(string Name, double Count)> counts) =>
        counts.Count == 0 ? ["none"] : [.. counts.Select(count => $"{Figures.Count(count.Count)} {count.Name}")];

    private void Apps(List<TopLine> lines, TopView view, int width, int height, DateTimeOffset now)
    {
        if (model.Shown(view) is not { } reading)
        {
            lines.AddRange(Status(width, height, now));
            lines.Add(new TopLine(width));
            string text = model.Problem is not null
                ? $"No data from {ShownText.Of(model.Service)} yet; still trying."
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
        // The cost gets what the states leave: a state that is out of sight could be the one that matters.
        lines.Add(new TopLine(width).Add("runners ", Ink.Faint).AddItems(Listed(reading.RunnersByState), ", ", "...").AddRight(Cost()));
        string unattributed = Unattributed();
        lines.Add(new TopLine(width).Add("machines ", Ink.Faint)
            .AddItems(Listed(reading.RunnersByMachine), ", ", "{0} more types", reserved: unattributed.Length + TopLine.Gap)
            .AddRight(unattributed));
        lines.Add(new TopLine(width).Add("worst ", Ink.Faint).AddItems(
            reading.Worst.Count == 0
                ? ["none"]
                : [.. reading.Worst.Select(row => $"{reading.NameOf(row.App)}: {row.Trouble.Reason}")],
            "; ",
            "{0} more apps"));
        lines.AddRange(Status(width, height, now));
        IReadOnlyList<TopRow> rows = reading.Select(view);
        (IReadOnlyList<TopColumn> columns, TopDrawing drawing) = TopColumns.For(
            reading, width, withBars: true, ramp, view.Sort);
        lines.Add(Titles(columns, view, width));
        if (rows.Count == 0)
        {
            string why = view.Filter.Length > 0 ? "No app's name contains the filter. Esc clears it." : WhyEmpty(view);
            lines.AddRange(TopLine.Wrap(why, width - 2, height - lines.Count - 1).Select(part => new TopLine(width).Add($"  {part}")));
            return;
        }

        int inSight = height - lines.Count - 1;
        int cursor = TopKeys.CursorIn(view, rows);
        // The cursor moves down to the last line, and then the rows move up.
        See(rows.Count, cursor - inSight + 1, inSight);
        for (int i = Sight.First; i < Math.Min(rows.Count, Sight.First + inSight); i++)
        {
            lines.Add(Row(rows[i], columns, drawing, width, i == cursor));
        }

        // Where there are fewer apps than lines, the others show what happened. One stays empty, and one is that of the keys.
        int spare = Math.Min(MostEvents, height - lines.Count - 2);
        if (spare > 1 && model.Events.Any())
        {
            lines.Add(new TopLine(width));
            lines.AddRange(model.Events.Take(spare).Select((happened, i) => new TopLine(width)
                .Add($"{Figures.Clock(happened.At)} {(i == 0 ? "UTC" : "   ")} ", Ink.Faint).Add(happened.Text, happened.Ink)));
        }
    }

    private TopLine Titles(IReadOnlyList<TopColumn> columns, TopView view, int width)
    {
        TopLine line = new TopLine(width).Add("  ");
        foreach (TopColumn column in columns)
        {
            bool isSorted = column.Sort == view.Sort;
            (string title, Ink ink) = isSorted ? (column.Title + Arrow(view), Ink.Title) : (column.Title, Ink.Faint);
            // The filter stands where it works: above the names.
            string filter = column.Sort == TopSort.Name && view.Filter.Length > 0 ? $" '{ShownText.Of(view.Filter)}'" : "";
            line.AddCell(title + filter, column.Width, column.IsRight, filter.Length > 0 ? Ink.Title : ink).Add(" ");
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
