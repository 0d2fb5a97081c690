namespace Fal.Observability.Cli.Top;

/// <summary>A column of the table of apps.</summary>
/// <param name="Title">Its title.</param>
/// <param name="Width">How many columns of the screen it takes.</param>
/// <param name="Value">The value of a row.</param>
internal sealed record TopColumn(string Title, int Width, Func<TopRow, TopDrawing, string> Value)
{
    /// <summary>Whether the text stands at the right of the column.</summary>
    public bool IsRight { get; init; } = true;

    /// <summary>What the table is sorted by where it is sorted by this column.</summary>
    public TopSort? Sort { get; init; }

    /// <summary>How a value looks.</summary>
    public Func<TopRow, Ink> Ink { get; init; } = static _ => Top.Ink.Plain;
}

/// <summary>What the values of a table need to know about it.</summary>
/// <param name="Reading">The read of the metrics.</param>
/// <param name="Ramp">The characters of bars.</param>
/// <param name="BarWidth">How many reads a row of bars shows.</param>
internal readonly record struct TopDrawing(TopReading Reading, string Ramp, int BarWidth)
{
    /// <summary>The reads up to this one as bars.</summary>
    public string Draw(Trend trend) => trend.Draw(Reading.Number, BarWidth, Ramp);
}

/// <summary>Which columns a screen has room for.</summary>
internal static class TopColumns
{
    /// <summary>The narrowest column of names.</summary>
    private const int NarrowestName = 12;

    private const int NarrowestBars = 5;
    private const int WidestBars = 24;

    /// <summary>The columns of a screen, the first one with the names.</summary>
    /// <param name="reading">The read of the metrics.</param>
    /// <param name="width">The columns of the screen.</param>
    /// <param name="withBars">Whether trends are shown: one read alone has none.</param>
    /// <param name="ramp">The characters of bars.</param>
    /// <param name="sort">
    /// What the rows are sorted by. Its column is there at any width.
    /// </param>
    public static (IReadOnlyList<TopColumn> Columns, TopDrawing Drawing) For(
        TopReading reading, int width, bool withBars, string ramp, TopSort sort)
    {
        int name = Math.Min(Math.Max(reading.WidestName, NarrowestName), Math.Max(NarrowestName, width / 4));
        List<(int Rank, TopColumn Column)> all = [];
        // After the names and what the rows are sorted by, each column that has room as a whole, what says most first.
        foreach ((int Rank, TopColumn Column) column in Ranked(reading, name, NarrowestBars, withBars)
            .OrderBy(column => column.Column.Sort == sort ? 0 : column.Rank))
        {
            if (all.Count == 0 || Taken(all) + column.Column.Width + 1 <= width)
            {
                all.Add(column);
            }
        }

        int bars = all.Count(column => column.Column.Width == NarrowestBars && column.Column.Title.Length == 0);
        int spare = Math.Max(0, width - Taken(all));
        // The names get what they lack, and the bars share the rest.
        int wider = Math.Clamp(reading.WidestName - name, 0, spare);
        int barWidth = bars == 0 ? NarrowestBars : Math.Min(WidestBars, NarrowestBars + ((spare - wider) / bars));
        List<TopColumn> columns = [.. Ranked(reading, name + wider, barWidth, withBars)
            .Where(column => all.Exists(kept => kept.Rank == column.Rank)).Select(column => column.Column)];
        return (columns, new TopDrawing(reading, ramp, barWidth));
    }

    /// <summary>
    /// Every column in the order of the screen, wide enough for its widest value, and for an arrow beside a title by which one can sort.
    /// The higher the rank, the sooner it is left out.
    /// </summary>
    private static IEnumerable<(int Rank, TopColumn Column)> Ranked(TopReading reading, int name, int bars, bool withBars)
    {
        yield return (0, new TopColumn("app", name, (row, drawing) => drawing.Reading.NameOf(row.App))
        {
            IsRight = false,
            Sort = TopSort.Name,
        });
        yield return (7, new TopColumn("trouble", 8, (row, _) => ScoreOf(row))
        {
            Sort = TopSort.Trouble,
            Ink = row => InkOf(row.Trouble),
        });
        yield return (1, new TopColumn("queue", 6, (row, _) => Figures.Count(row.Live?.QueueSize)) { Sort = TopSort.Queue });
        if (withBars)
        {
            yield return (10, new TopColumn("", bars, (row, drawing) => drawing.Draw(row.App.Queue)));
        }

        yield return (2, new TopColumn("busy", 5, (row, _) => Figures.Count(row.Live?.ConcurrentRequests)) { Sort = TopSort.Busy });
        if (withBars)
        {
            yield return (12, new TopColumn("", bars, (row, drawing) => drawing.Draw(row.App.Busy)));
        }

        yield return (3, new TopColumn("run", 5, (row, _) => Figures.Count(row.Running)) { Sort = TopSort.Runners });
        yield return (8, new TopColumn("p50", 4, (row, _) => Figures.Seconds(row.P50)));
        yield return (5, new TopColumn("p90", 4, (row, _) => Figures.Seconds(row.P90)));
        yield return (6, new TopColumn("p99", 4, (row, _) => Figures.Seconds(row.P99)) { Sort = TopSort.P99 });
        yield return (4, new TopColumn("err%", 5, (row, _) => Figures.Percent(row.Live?.ErrorRate))
        {
            Sort = TopSort.Errors,
            Ink = row => InkOf(row.Live?.ErrorRate, row.Live?.ErrorCount),
        });
        yield return (9, new TopColumn("gpu", 4, (row, _) => Figures.Percent(row.Live?.GpuUtilizationPercentPerGpu / 100))
        {
            Sort = TopSort.Gpu,
        });
        yield return (14, new TopColumn("vram", 4, (row, _) => Figures.Percent(row.Live?.VramUsagePercentPerGpu / 100)));
        yield return (15, new TopColumn("in/min", 6, (row, _) => Figures.Count(row.Live?.RequestsReceived)));
        yield return (16, new TopColumn("out/min", 7, (row, _) => Figures.Count(row.Live?.RequestsCompleted)));
        yield return (17, new TopColumn("limit", 5, (row, _) => Figures.Count(row.App.Listed?.MaxConcurrency)));
        yield return (11, new TopColumn("today", 9, (row, _) => row.App.Cost switch
        {
            [] => Figures.None,
            [var only] => Figures.Money(only.Cost, null),
            _ => "several",
        })
        {
            Sort = TopSort.Cost,
        });
        yield return (18, Text("runners by state", reading.Widest.States, StatesOf));
        yield return (19, Text("machine", reading.Widest.Machines, MachinesOf));
        yield return (13, Text("cause", reading.Widest.Reason, row => row.Trouble.Reason) with { Ink = row => InkOf(row.Trouble) });
    }

    private static TopColumn Text(string title, int widest, Func<TopRow, string> value) =>
        new(title, Math.Max(title.Length + 1, widest), (row, _) => value(row)) { IsRight = false };

    // Whole points, since a score just below the mark must not read like one that has it.
    private static string ScoreOf(TopRow row) => row.Live is null ? Figures.None : Figures.Count(Math.Floor(row.Trouble.Score));

    /// <summary>How a score looks.</summary>
    public static Ink InkOf(Trouble trouble) =>
        trouble.Score >= Trouble.Severe ? Top.Ink.Bad : trouble.Score >= Trouble.Warning ? Top.Ink.Warning : Top.Ink.Plain;

    /// <summary>How a share of errors looks. Too few errors are no trouble, whatever their share is.</summary>
    public static Ink InkOf(double? errorShare, double? errors) => errors is > 0 and < Trouble.FewestRequests ? Top.Ink.Faint
        : !(errors > 0) ? Top.Ink.Plain
        : errorShare >= 0.05 ? Top.Ink.Bad : errorShare >= 0.01 ? Top.Ink.Warning : Top.Ink.Plain;

    private static int Taken(IEnumerable<(int Rank, TopColumn Column)> columns) => columns.Sum(column => column.Column.Width + 1) + 2;

    /// <summary>The runners of an app by state.</summary>
    public static string StatesOf(TopRow row) =>
        row.Live is { Runners.Count: > 0 } live ? RunnerStates.TextOf(live.Runners) : Figures.None;

    /// <summary>The machines of an app: those of its runners, else the one that it is listed with.</summary>
    public static string MachinesOf(TopRow row) => row.Live is { Runners.Count: > 0 }
        ? string.Join(", ", row.Live.Runners.Select(runner => MachineName.Of(runner.MachineType)).Distinct(StringComparer.Ordinal))
        : row.App.Listed?.MachineType is { } listed ? MachineName.Of(listed) : Figures.None;
}
