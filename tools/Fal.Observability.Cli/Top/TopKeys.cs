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
    /// <param name="pageSize">How many rows are in sight.</param>
    public static TopView Press(TopView view, ConsoleKeyInfo key, TopReading? latest, int pageSize)
    {
        IReadOnlyList<TopRow> rows = (view.PausedAt ?? latest)?.Select(view) ?? [];
        if (view.IsTyping)
        {
            return Type(view, key, rows);
        }

        int step = key.Key switch
        {
            ConsoleKey.UpArrow => -1,
            ConsoleKey.DownArrow => 1,
            ConsoleKey.PageUp => -pageSize,
            ConsoleKey.PageDown => pageSize,
            ConsoleKey.Home => -int.MaxValue,
            ConsoleKey.End => int.MaxValue,
            _ => key.KeyChar switch { 'k' => -1, 'j' => 1, _ => 0 },
        };
        if (view.IsHelp && step == 0)
        {
            return view with { IsHelp = false, IsEnded = key.KeyChar is 'q' or 'Q', Scrolled = 0 };
        }

        if (step != 0)
        {
            return view.IsHelp || view.Page == TopPage.App
                ? view with { Scrolled = (int)Math.Clamp((long)view.Scrolled + step, 0, 1000) }
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
            (ConsoleKey.Escape, _) => Pinned(view, rows) with { Filter = "" },
            (_, '/' or 'f') => view with { IsTyping = true },
            (_, 's') => view with { Sort = Next(view.Sort, 1), IsReversed = false },
            (_, 'S') => view with { Sort = Next(view.Sort, -1), IsReversed = false },
            (_, 'r') => view with { IsReversed = !view.IsReversed },
            (ConsoleKey.Enter or ConsoleKey.RightArrow, _) when rows.Count > 0 => Open(view, rows),
            _ => view,
        };
    }

    /// <summary>The place of the cursor in the rows: that of the selected app, and its last place where the app is gone.</summary>
    public static int CursorIn(TopView view, IReadOnlyList<TopRow> rows)
    {
        for (int i = 0; view.Selected is not null && i < rows.Count; i++)
        {
            if (rows[i].App.Name == view.Selected)
            {
                return i;
            }
        }

        return view.Selected is null ? 0 : Math.Clamp(view.Cursor, 0, Math.Max(0, rows.Count - 1));
    }

    private static TopSort Next(TopSort sort, int step)
    {
        int all = Enum.GetValues<TopSort>().Length;
        return (TopSort)(((int)sort + step + all) % all);
    }

    private static TopView Move(TopView view, int step, IReadOnlyList<TopRow> rows)
    {
        if (rows.Count == 0)
        {
            return view;
        }

        int cursor = (int)Math.Clamp((long)CursorIn(view, rows) + step, 0, rows.Count - 1);
        // On the first row the cursor stays there, whichever app comes to it.
        return view with { Cursor = cursor, Selected = cursor == 0 ? null : rows[cursor].App.Name };
    }

    private static TopView Open(TopView view, IReadOnlyList<TopRow> rows)
    {
        int cursor = CursorIn(view, rows);
        return view with { Page = TopPage.App, Cursor = cursor, Selected = rows[cursor].App.Name, Scrolled = 0 };
    }

    /// <summary>
    /// The view with the cursor on the app that it is on now. A filter is how a person picks an app, so the next read must not move it.
    /// </summary>
    private static TopView Pinned(TopView view, IReadOnlyList<TopRow> rows) =>
        rows.Count == 0 ? view with { Selected = null, Cursor = 0 } : view with { Selected = rows[CursorIn(view, rows)].App.Name };

    private static TopView Type(TopView view, ConsoleKeyInfo key, IReadOnlyList<TopRow> rows) => key.Key switch
    {
        ConsoleKey.Enter => Pinned(view, rows) with { IsTyping = false },
        ConsoleKey.Escape => Pinned(view, rows) with { IsTyping = false, Filter = "" },
        ConsoleKey.Backspace => view with { Filter = view.Filter.Length > 0 ? view.Filter[..^1] : "", Selected = null, Cursor = 0 },
        _ when char.IsControl(key.KeyChar) || char.IsSurrogate(key.KeyChar) || view.Filter.Length == LongestFilter => view,
        _ => view with { Filter = view.Filter + key.KeyChar, Selected = null, Cursor = 0 },
    };
}
