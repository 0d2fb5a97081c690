using System.Globalization;

namespace Fal.Observability.Cli.Report;

/// <summary>The plots of the page.</summary>
internal sealed partial class ReportPage
{
    private void Course()
    {
        _html.Element("p", $"All apps together. {ColumnWords(_account.Columns)}", ("class", "soft"));
        _html.Open("div", ("class", "plots"));
        CountPlots(_account.Columns, "all apps");
        RunnerPlot(_account.Columns, "all apps");
        foreach (IGrouping<string, DayFigures> currency in
            (_account.Bill?.Days ?? []).GroupBy(day => day.Currency, StringComparer.Ordinal))
        {
            DayFigures[] days = [.. currency];
            DateTimeOffset[] starts =
                [.. days.Select(day => new DateTimeOffset(day.Day, TimeOnly.MinValue, TimeSpan.Zero))];
            DayFigures highest = days.MaxBy(day => day.Cost)!;
            new Plot
            {
                Title = $"Cost per day, {Shown(currency.Key)}",
                Description = string.Create(
                    CultureInfo.InvariantCulture,
                    $"The bill of the account by day: {FigureText.Money(days.Sum(day => day.Cost), currency.Key)} in total, " +
                        $"and {FigureText.Money(highest.Cost, currency.Key)} on the most expensive day, {highest.Day:d MMM yyyy}."),
                Starts = starts,
                End = starts[^1].AddDays(1),
                Series = [new PlotSeries("cost", [.. days.Select(day => (double?)day.Cost)])],
                IsStacked = true,
                ProvisionalSince = _account.Bill!.ProvisionalSince < starts[^1].AddDays(1) ? _account.Bill.ProvisionalSince : null,
            }.Write(_html);
        }

        _html.CloseLine();
    }

    private void CountPlots(ColumnsFigures columns, string whose)
    {
        IReadOnlyList<ColumnFigures> items = columns.Items;
        ColumnFigures busiest = items.MaxBy(column => column.RequestCount)!;
        TimePlot(
            $"Requests per {Length(columns)}",
            $"{Whose(whose)}: {FigureText.Count(items.Sum(column => column.RequestCount))} in total. The busiest {Length(columns)} began " +
                $"{FigureText.Instant(busiest.Start)} UTC, with {FigureText.Count(busiest.RequestCount)} requests.",
            columns,
            isStacked: true,
            new PlotSeries("requests", [.. items.Select(column => column.RequestCount)]));
        ColumnFigures? worst = items.MaxBy(column => column.ErrorRate);
        TimePlot(
            "Share of errors, %",
            $"{Whose(whose)}: server errors (5xx) and errors of the callers (4xx) among all requests. " + (worst?.ErrorRate is { } most
                ? $"The highest share of server errors is {FigureText.Share(most)}, in the {Length(columns)} that began " +
                    $"{FigureText.Instant(worst.Start)} UTC."
                : "There were no requests."),
            columns,
            isStacked: false,
            new PlotSeries("callers' (4xx)", [.. items.Select(column => column.UserErrorRate * 100)]),
            new PlotSeries("server (5xx)", [.. items.Select(column => column.ErrorRate * 100)]));
    }

    private void LatencyPlot(
        AppFigures app,
        string what,
        Func<ColumnFigures, double?> p50,
        Func<ColumnFigures, double?> p90,
        Func<ColumnFigures, double?> p99)
    {
        IReadOnlyList<ColumnFigures> items = app.Columns.Items;
        ColumnFigures? worst = items.MaxBy(p99);
        Func<ColumnFigures, double?>[] percentiles = [p50, p90, p99];
        var unit = FigureText.UnitOf(items.Max(column => percentiles.Max(of => of(column))) ?? 0);
        TimePlot(
            $"{what}, {unit.Name}",
            $"{Whose(app.App)}: percentiles 50, 90 and 99, for each {Length(app.Columns)} the highest of any {_bucket} and endpoint. " +
                (worst is not null && p99(worst) is { } most
                    ? $"The highest p99 is {FigureText.Duration(most)}, in the {Length(app.Columns)} that began " +
                        $"{FigureText.Instant(worst.Start)} UTC."
                    : "There is no value."),
            app.Columns,
            isStacked: false,
            new PlotSeries("p50", InUnit(p50)),
            new PlotSeries("p90", InUnit(p90)),
            new PlotSeries("p99", InUnit(p99)));

        double?[] InUnit(Func<ColumnFigures, double?> of) => [.. items.Select(column => of(column) / unit.Seconds)];
    }

    private void RunnerPlot(ColumnsFigures columns, string whose)
    {
        IReadOnlyList<ColumnFigures> items = columns.Items;
        if (!items.Any(column => column.RunningRunners is not null))
        {
            return;
        }

        TimePlot(
            "Runners, mean",
            $"{Whose(whose)}: runners with requests and idle runners, on top of each other. The highest mean of any {Length(columns)} is " +
                $"{FigureText.Number(items.Max(column => column.RunningRunners))} with requests and " +
                $"{FigureText.Number(items.Max(column => column.IdleRunners))} idle.",
            columns,
            isStacked: true,
            new PlotSeries("running", [.. items.Select(column => column.RunningRunners)]),
            new PlotSeries("idle", [.. items.Select(column => column.IdleRunners)]));
    }

    private void TimePlot(string title, string description, ColumnsFigures columns, bool isStacked, params PlotSeries[] series) => new Plot
    {
        Title = title,
        Description = description,
        Starts = [.. columns.Items.Select(column => column.Start)],
        End = columns.Items[^1].Start < _account.Period.End ? _account.Period.End : columns.Items[^1].Start.AddMinutes(1),
        Series = series,
        IsStacked = isStacked,
        ProvisionalSince = columns.Items.Any(column => column.IsProvisional) ? _account.Period.ProvisionalSince : null,
    }.Write(_html);

    private static string Whose(string app) => $"Of {Shown(app)}";

    private string ColumnWords(ColumnsFigures columns) => columns.BucketsPerColumn == 1
        ? $"Plots have a point for each {_bucket}."
        : $"Plots have a point for each {Length(columns)}; for percentiles, the point is the highest value of these {_bucket}s.";

    private string Length(ColumnsFigures columns) => (columns.BucketsPerColumn, _bucket) switch
    {
        (1, _) => _bucket,
        ( > 24, "hour") when columns.BucketsPerColumn % 24 == 0 => $"{FigureText.Count(columns.BucketsPerColumn / 24)} days",
        (24, "hour") => "day",
        var (count, bucket) => $"{FigureText.Count(count)} {bucket}s",
    };
}
