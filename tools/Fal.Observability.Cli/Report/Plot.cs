using System.Globalization;
using OxyPlot;
using OxyPlot.Annotations;
using OxyPlot.Axes;
using OxyPlot.Series;

namespace Fal.Observability.Cli.Report;

/// <summary>One line or area of a plot.</summary>
/// <param name="Name">What the legend calls it.</param>
/// <param name="Values">A value for each column; null: a gap.</param>
internal sealed record PlotSeries(string Name, IReadOnlyList<double?> Values);

/// <summary>A plot over time, with at most three series.</summary>
internal sealed record Plot
{
    // The view box. Its text has to be legible when a phone shows it at two thirds of its size.
    private const int Width = 480;
    private const int Height = 210;
    private const int FontSize = 14;
    private const double LineThickness = 1.75;

    private static readonly (OxyColor Line, OxyColor Area, LineStyle Style)[] Styles =
    [
        (PlotInk.First, PlotInk.FirstArea, LineStyle.Solid),
        (PlotInk.Second, PlotInk.SecondArea, LineStyle.Dash),
        (PlotInk.Third, PlotInk.SecondArea, LineStyle.Dot),
    ];

    public required string Title { get; init; }

    /// <summary>What the plot shows, for those who do not see it.</summary>
    public required string Description { get; init; }

    public required IReadOnlyList<DateTimeOffset> Starts { get; init; }

    public required DateTimeOffset End { get; init; }

    public required IReadOnlyList<PlotSeries> Series { get; init; }

    /// <summary>Whether the series are areas on top of each other.</summary>
    public bool IsStacked { get; init; }

    /// <summary>From where on the data may still change; null: nowhere.</summary>
    public DateTimeOffset? ProvisionalSince { get; init; }

    /// <summary>Writes the plot with its title and legend.</summary>
    public void Write(HtmlWriter html)
    {
        string words = ProvisionalSince is { } from
            ? $"{Description} The data since {FigureText.Instant(from)} UTC may still change."
            : Description;
        html.Open("figure");
        html.Open("figcaption").Element("span", Title, ("class", "title"));
        if (Series.Count > 1 || ProvisionalSince is not null)
        {
            html.Open("span", ("class", "legend"));
            for (int i = 0; Series.Count > 1 && i < Series.Count; i++)
            {
                string number = (i + 1).ToString(CultureInfo.InvariantCulture);
                Key(html, IsStacked ? $"key area-{number}" : $"key line-{number}", Series[i].Name);
            }

            if (ProvisionalSince is not null)
            {
                Key(html, "key provisional", $"may still change since {FigureText.Moment(ProvisionalSince.Value)}");
            }

            html.Close();
        }

        html.Close();
        html.Open(
            "svg",
            ("viewBox", string.Create(CultureInfo.InvariantCulture, $"0 0 {Width} {Height}")),
            ("role", "img"),
            ("aria-label", $"{Title}. {words}"));
        html.Element("title", Title).Element("desc", words);
        var model = (IPlotModel)Model();
        model.Update(true);
        model.Render(new PlotCanvas(html), new OxyRect(0, 0, Width, Height));
        html.Close().CloseLine();
    }

    private static void Key(HtmlWriter html, string style, string text) =>
        html.Open("span").Open("i", ("class", style)).Close().Text(text).Close();

    private PlotModel Model()
    {
        TimeSpan length = End - Starts[0];
        var model = new PlotModel
        {
            Culture = CultureInfo.InvariantCulture,
            DefaultFontSize = FontSize,
            TextColor = PlotInk.Text,
            PlotAreaBorderThickness = new OxyThickness(0),
            Padding = new OxyThickness(2, 8, 12, 0),
        };
        model.Axes.Add(new DateTimeAxis
        {
            Position = AxisPosition.Bottom,
            StringFormat = length > TimeSpan.FromDays(2.5) ? "d MMM" : "HH:mm",
            Minimum = At(Starts[0]),
            Maximum = At(End),
            IntervalLength = 80,
            TickStyle = TickStyle.Outside,
            MinorTickSize = 0,
            TicklineColor = PlotInk.Grid,
            AxislineStyle = LineStyle.Solid,
            AxislineColor = PlotInk.Grid,
        });
        double highest = Sums().DefaultIfEmpty().Max();
        model.Axes.Add(new LinearAxis
        {
            Position = AxisPosition.Left,
            Minimum = 0,
            Maximum = highest > 0 ? highest * 1.06 : 1,
            IntervalLength = 42,
            LabelFormatter = FigureText.Axis,
            TickStyle = TickStyle.None,
            MinorTickSize = 0,
            MajorGridlineStyle = LineStyle.Solid,
            MajorGridlineColor = PlotInk.Grid,
        });
        if (ProvisionalSince is { } since)
        {
            model.Annotations.Add(new RectangleAnnotation
            {
                MinimumX = At(since),
                MaximumX = At(End),
                MinimumY = 0,
                MaximumY = highest > 0 ? highest * 1.06 : 1,
                Fill = PlotInk.Provisional,
                Layer = AnnotationLayer.BelowSeries,
            });
            // The shade of a single hour of a month is less than a pixel wide. The line can be seen.
            model.Annotations.Add(new LineAnnotation
            {
                Type = LineAnnotationType.Vertical,
                X = At(since),
                Color = PlotInk.ProvisionalLine,
                LineStyle = LineStyle.Dash,
                StrokeThickness = LineThickness,
                Layer = AnnotationLayer.BelowSeries,
            });
        }

        double[] below = new double[Starts.Count];
        IEnumerable<Series> series = Series.Select<PlotSeries, Series>(
            (one, i) => IsStacked ? Area(one, Styles[i], below) : Line(one, Styles[i]));
        // From the top of the stack down, so that no area covers the line of the one below it.
        foreach (Series drawn in series.ToArray().Reverse())
        {
            model.Series.Add(drawn);
        }

        return model;
    }

    private LineSeries Line(PlotSeries series, (OxyColor Line, OxyColor Area, LineStyle Style) style)
    {
        var line = new LineSeries { Color = style.Line, LineStyle = style.Style, StrokeThickness = LineThickness };
        line.Points.AddRange(Starts.Select((start, i) => new DataPoint(At(start), series.Values[i] ?? double.NaN)));
        return line;
    }

    private AreaSeries Area(PlotSeries series, (OxyColor Line, OxyColor Area, LineStyle Style) style, double[] below)
    {
        var area = new AreaSeries
        {
            Color = style.Line,
            Color2 = OxyColors.Transparent,
            Fill = style.Area,
            StrokeThickness = LineThickness,
        };
        for (int i = 0; i < Starts.Count; i++)
        {
            bool isGap = series.Values[i] is null;
            double bottom = isGap ? double.NaN : below[i];
            below[i] += series.Values[i] ?? 0;
            double top = isGap ? double.NaN : below[i];
            // A step: the value holds for the whole column.
            foreach (DateTimeOffset edge in (DateTimeOffset[])[Starts[i], i + 1 < Starts.Count ? Starts[i + 1] : End])
            {
                area.Points.Add(new DataPoint(At(edge), top));
                area.Points2.Add(new DataPoint(At(edge), bottom));
            }
        }

        return area;
    }

    private IEnumerable<double> Sums() => IsStacked
        ? Enumerable.Range(0, Starts.Count).Select(i => Series.Sum(series => series.Values[i] ?? 0))
        : Series.SelectMany(series => series.Values).OfType<double>();

    private static double At(DateTimeOffset instant) => DateTimeAxis.ToDouble(instant.UtcDateTime);
}
