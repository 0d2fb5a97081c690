using System.Globalization;

namespace Fal.Observability.Cli.Report;

/// <summary>What sentences and cells are made of: figures, times, names and links.</summary>
internal sealed partial class ReportPage
{
    private static string Names(IEnumerable<string> names)
    {
        string[] distinct = [.. names.Distinct(StringComparer.Ordinal)];
        string shown = string.Join(", ", distinct.Take(NamesInSentence));
        return distinct.Length <= NamesInSentence ? shown : $"{shown} and {FigureText.Count(distinct.Length - NamesInSentence)} more";
    }

    /// <summary>A text from the service, with escapes for invisible characters and for those that reverse a line.</summary>
    private static string Shown(string text) => text.Length == 0 ? "(without a name)" : ShownText.Of(text);

    /// <summary>The length of the window of an objective.</summary>
    private static string Window(AvailabilityFigures slo) => slo.WindowDays is 1 ? "1 day" : $"{FigureText.Number(slo.WindowDays)} days";

    /// <summary>How a rate compares with that of the period before.</summary>
    private static string Growth(Compared rate) => FigureText.Change(rate.Change) ?? (rate.Value > 0 ? "none before" : "unchanged");

    private static string Path(string list, int index) => string.Create(CultureInfo.InvariantCulture, $"{list}[{index}]");

    /// <summary>A figure, with its value and its place in the JSON.</summary>
    private void Figure(string path, double? value, Func<double?, string> show)
    {
        if (value is not { } number)
        {
            _html.Text(show(null));
            return;
        }

        _html.Element("data", show(number), ("value", FigureText.Machine(number)), ("data-figure", path));
    }

    private void Money(string path, decimal? value, string currency) => Figure(path, value, Amount(currency));

    private static Func<decimal?, string> Amount(string? currency) => amount => FigureText.Money(amount, currency ?? "");

    private static Func<decimal?, string> Price(string? currency) => price => FigureText.Price(price, currency ?? "");

    private void Figure(string path, decimal? value, Func<decimal?, string> show)
    {
        if (value is not { } amount)
        {
            _html.Text(show(null));
            return;
        }

        _html.Element("data", show(amount), ("value", FigureText.Machine(amount)), ("data-figure", path));
    }

    private void Time(DateTimeOffset instant) =>
        _html.Element("time", FigureText.Instant(instant), ("datetime", FigureText.Machine(instant)));

    private void Links(IEnumerable<string> apps)
    {
        string[] all = [.. apps];
        for (int i = 0; i < all.Length && i < NamesInSentence; i++)
        {
            _html.Text(i == 0 ? "" : ", ");
            Link(all[i]);
        }

        _html.Text(all.Length > NamesInSentence ? $" and {FigureText.Count(all.Length - NamesInSentence)} more" : "");
    }

    private void Link(string endpoint)
    {
        string? anchor = _anchors.GetValueOrDefault(EndpointChoice.AppOf(endpoint));
        _html.Open(anchor is null ? "span" : "a", ("href", anchor is null ? null : $"#{anchor}"));
        Name(endpoint);
        _html.Close();
    }

    /// <summary>The name of an app or an endpoint, in which a line breaks after a slash before it breaks within a word.</summary>
    private void Name(string endpoint)
    {
        string[] parts = Shown(endpoint).Split('/');
        for (int i = 0; i < parts.Length; i++)
        {
            if (i > 0)
            {
                _html.Text("/").Empty("wbr");
            }

            _html.Text(parts[i]);
        }
    }
}
