namespace Fal.Observability.Cli.Top;

/// <summary>What a key does to the view.</summary>
internal static class TopKeys
{
    // No app's name is longer.
    private const int LongestFilter = 100;

    /// <summary>The view after a key.</summary>
    /// <param name="view">The view before it.</param>
    /// <param name="key">The key.</param>
    /// <param name="latest">The last read of the metrics; null: there was none.</param>
    /// <param name="sight">What the screen shows of its page.</param>
    public static TopView Press(TopView view, ConsoleKeyInfo key, TopReading? latest, TopSight sight)
    {
        IReadOnlyList<TopRow> rows = (view.PausedAt ?? latest)?.Select(view) ?? [];
        if (view.IsTyping)
        {
            return Type(view, key);
        }

        int step = key.Key switch
        {
            ConsoleKey.UpArrow => -1,
            ConsoleKey.DownArrow => 1,
            ConsoleKey.PageUp => -sight.Lines,
            ConsoleKey.PageDown => sight.Lines,
            ConsoleKey.Home => -int.MaxValue,
            ConsoleKey.End => int.MaxValue,
            _ => key.KeyChar switch { 'k' => -1, 'j' => 1, _ => 0 },
        };
        if (view.IsHelp && step == 0)
        {
            view = view with { IsHelp = false, Scrolled = 0 };
            if (key.Key is ConsoleKey.Escape or ConsoleKey.Enter || key.KeyChar is '?' or 'h')
            {
                return view;
            }
        }

        if (step != 0)
        {
            return view.IsHelp || view.Page == TopPage.App
                ? view with { Scrolled = (int)Math.Clamp((long)sight.First + step, 0, sight.Last) }
                : Move(view, step, rows);
        }

        return (key.Key, key.KeyChar) switch
        {
            (_, 'q' or 'Q') => view with { IsEnded = true },
            (_, '?' or 'h') => view with { IsHelp = true, Scrolled = 0 },
            (_, 'p' or ' ') => view with { PausedAt = view.PausedAt is null ? latest : null },
            (ConsoleKey.Escape or ConsoleKey.Backspace or ConsoleKey.LeftArrow, _) when view.Page == TopPage.App =>
                view with { Page = TopPage.Apps, Scrolled = 0 },
            _ when view.Page == TopPage.App => view,
            (ConsoleKey.Escape, _) => view.Filter.Length > 0 ? view with { Filter = "" } : view with { Selected = null },
            (_, '/' or 'f') => view with { IsTyping = true },
            (_, 's') => view with { Sort = Next(view.Sort, 1), IsReversed = false },
            (_, 'S') => view with { Sort = Next(view.Sort, -1), IsReversed = false },
            (_, 'r') => view with { IsReversed = !view.IsReversed },
            (ConsoleKey.Enter or ConsoleKey.RightArrow, _) when rows.Count > 0 =>
                Move(view, 0, rows) with { Page = TopPage.App, Scrolled = 0 },
            _ => view,
        };
    }

    /// <summary>The place of the cursor in the rows, which is that of the selected app; -1: there is none.</summary>
    public static int CursorIn(TopView view, IReadOnlyList<TopRow> rows)
    {
        for (int i = 0; view.Selected is not null && i < rows.Count; i++)
        {
            if (rows[i].App.Name == view.Selected)
            {
                return i;
            }
        }

        return -1;
    }

    private static TopSort Next(TopSort sort, int step)
    {
        int all = Enum.GetValues<TopSort>().Length;
        return (TopSort)(((int)sort + step + all) % all);
    }

    /// <summary>The view with the cursor on another row. Without a cursor it starts above the first one.</summary>
    private static TopView Move(TopView view, int step, IReadOnlyList<TopRow> rows) => rows.Count == 0
        ? view
        : view with { Selected = rows[(int)Math.Clamp((long)CursorIn(view, rows) + step, 0, rows.Count - 1)].App.Name };

    private static TopView Type(TopView view, ConsoleKeyInfo key) => key.Key switch
    {
        ConsoleKey.Enter => view with { IsTyping = false },
        ConsoleKey.Escape => view with { IsTyping = false, Filter = "" },
        ConsoleKey.Backspace => view with { Filter = view.Filter.Length > 0 ? view.Filter[..^1] : "" },
        _ when char.IsControl(key.KeyChar) || char.IsSurrogate(key.KeyChar) || view.Filter.Length == LongestFilter => view,
        _ => view with { Filter = view.Filter + key.KeyChar },
    };
}
