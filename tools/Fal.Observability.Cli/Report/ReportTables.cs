namespace Fal.Observability.Cli.Report;

/// <summary>The tables of the page, and their cells.</summary>
internal sealed partial class ReportPage
{
    /// <summary>With how many columns a table is wider than a phone.</summary>
    private const int LeastWideColumns = 4;

    /// <summary>A column of a table.</summary>
    /// <param name="Header">Its title.</param>
    /// <param name="Cell">Writes a cell, of an item and its place in the JSON.</param>
    /// <param name="IsWord">Whether the cells are words, which begin at the left, and not numbers.</param>
    private sealed record TableColumn<T>(string Header, Action<T, string> Cell, bool IsWord = false);

    private void Table<T>(string caption, IEnumerable<(T Item, string Path)> rows, params TableColumn<T>[] columns)
    {
        // What scrolls needs a name, and a way to reach it with the keyboard. A region would be one of hundreds of landmarks.
        string style = columns.Length < LeastWideColumns ? "scroll" : "scroll wide";
        _html.Open("div", ("class", style), ("role", "group"), ("tabindex", "0"), ("aria-label", caption));
        _html.Open("table").Open("caption").Element("span", caption, ("class", "title")).Close().Open("thead").Open("tr");
        foreach (TableColumn<T> column in columns)
        {
            _html.Element("th", column.Header, ("scope", "col"), ("class", column.IsWord ? "word" : null));
        }

        _html.Close().Close().Open("tbody");
        foreach ((T item, string path) in rows)
        {
            _html.Open("tr");
            for (int i = 0; i < columns.Length; i++)
            {
                if (i == 0)
                {
                    _html.Open("th", ("scope", "row"));
                }
                else
                {
                    _html.Open("td", ("class", columns[i].IsWord ? "word" : null));
                }

                columns[i].Cell(item, path);
                _html.Close();
            }

            _html.CloseLine();
        }

        _html.Close().Close().CloseLine();
    }

    private void Environment(string? name) => _html.Text(name is null ? FigureText.Unknown : Shown(name));

    private void Objective(AvailabilityFigures? slo)
    {
        (string kind, string word) = slo?.IsMet switch
        {
            true => ("mark good", "met"),
            false => ("mark bad", "missed"),
            null => ("soft", "no data"),
        };
        _html.Element("span", word, ("class", kind));
    }

    private void ComparedCount(string path, Compared figure)
    {
        Figure($"{path}.value", figure.Value, FigureText.Count);
        Small(FigureText.Change(figure.Change) ?? (figure is { Before: 0, Value: > 0 } ? "none before" : null));
    }

    private void ComparedShare(string path, Compared figure)
    {
        Figure($"{path}.value", figure.Value, FigureText.Share);
        Small(figure.Before is { } before ? $"before {FigureText.Share(before)}" : null);
    }

    private void ComparedSeconds(string path, Compared figure)
    {
        Figure($"{path}.value", figure.Value, FigureText.Seconds);
        Small(figure.Before is { } before ? $"before {FigureText.Seconds(before)}" : null);
    }

    private void ComparedMoney(string path, decimal? value, decimal? before, Func<decimal?, string> show)
    {
        Figure(path, value, show);
        if (before is not null)
        {
            _html.Open("small").Text("before ");
            Figure($"{path}_before", before, show);
            _html.Close();
        }
    }

    private void BurnRate(string path, double? rate, double limit)
    {
        bool isAlert = rate >= limit;
        _html.Open("span", ("class", isAlert ? "mark bad" : null));
        Figure(path, rate, FigureText.Rate);
        _html.Close();
        Small(isAlert ? "too fast" : null);
    }

    private void Hours(string path, decimal? seconds) => Figure(path, seconds, known => FigureText.Hours((double?)known / 3600));

    private void Small(string? text)
    {
        if (text is not null)
        {
            _html.Element("small", text);
        }
    }
}
