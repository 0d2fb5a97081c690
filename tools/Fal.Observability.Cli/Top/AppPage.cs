using Fal.Observability.Client;

namespace Fal.Observability.Cli.Top;

/// <summary>The page of one app: what it does now, its last hour, its runners and its limits.</summary>
/// <param name="model">What is known.</param>
/// <param name="ramp">The characters of bars.</param>
/// <param name="width">The columns of the screen.</param>
internal sealed class AppPage(TopModel model, string ramp, int width)
{
    private const int Minutes = 60;
    private const int LabelWidth = 12;
    private const int TableWidth = 60;
    private const int MinutesOfRow = 10;

    private readonly List<TopLine> _lines = [];

    private int MinutesInSight => Math.Min(Minutes, width - LabelWidth - 16);

    /// <summary>The lines of the page, however many they are.</summary>
    public List<TopLine> Draw(TopView view)
    {
        TopReading? reading = model.Shown(view);
        TopRow? row = reading is null ? null : Array.Find(reading.Rows, row => row.App.Name == view.Selected);
        if (reading is null || row is null)
        {
            Row("No data about this app.");
            return _lines;
        }

        string trouble = row.Trouble.Reason.Length > 0 ? row.Trouble.Reason : "no trouble";
        var name = new TopLine(width);
        _lines.Add(name.Add(row.App.ShownName, Ink.Title));
        if (name.Left < TopLine.WidthOf(trouble) + 2)
        {
            _lines.Add(name = new TopLine(width));
        }

        name.Add("  ").Add(trouble, TopColumns.InkOf(row.Trouble));
        Now(row, reading);
        Limits(row.App);
        AppDetails? details = model.Details?.Name == row.App.Name ? model.Details : null;
        LastHour(details);
        Runners(details);
        return _lines;
    }

    private void Now(TopRow row, TopReading reading)
    {
        if (row.Live is not { } live)
        {
            Add("now", "no metrics: the service sends none for an app without a runner");
            return;
        }

        int bars = Math.Clamp((width - 60) / 2, 8, Trend.Capacity);
        Add(
            "now",
            $"queue {Figures.Count(live.QueueSize)} {row.App.Queue.Draw(reading.Number, bars, ramp)}",
            $"busy {Figures.Count(live.ConcurrentRequests)} {row.App.Busy.Draw(reading.Number, bars, ramp)}",
            Part(live.RequestsReceived, received => $"in {Figures.Count(received)}/min"),
            Part(live.RequestsCompleted, completed => $"out {Figures.Count(completed)}/min"));
        Answers(row, live);
        foreach (IGrouping<string, FalRunnerCount> machine in live.Runners.GroupBy(
            runner => MachineName.Of(runner.MachineType), StringComparer.Ordinal))
        {
            Add("runners", $"{RunnerStates.TextOf(machine)} on {machine.Key}");
        }

        string gpus = live.RunnerGpuCount is { } count ? $" of {Figures.Of(count, "GPU")}" : "";
        Add(
            "use",
            Part(live.GpuUtilizationPercentPerGpu, gpu => $"gpu {Figures.Percent(gpu / 100)} %"),
            Part(live.VramUsagePercentPerGpu, vram => $"vram {Figures.Percent(vram / 100)} %{gpus}"),
            Part(live.CpuUsagePercentPerRunner, cpu => $"cpu {Figures.Percent(cpu / 100)} % per runner"),
            Part(live.MemoryUsageBytesPerRunner, memory => $"memory {Figures.Count(memory / 1048576)} MiB per runner"));
    }

    private void Answers(TopRow row, FalAppMetrics live)
    {
        if (!(live.RequestsCompleted > 0))
        {
            Add("answers", live.RequestsReceived > 0
                ? "No requests were completed in the last minute."
                : "No requests in the last minute.");
            return;
        }

        string statuses = string.Join(", ", live.RequestsCompletedByStatus.GroupBy(requests => requests.Status, StringComparer.Ordinal)
            .OrderBy(status => status.Key, StringComparer.Ordinal)
            .Select(status => $"{Figures.Count(status.Sum(requests => requests.Count))} x {ShownText.Of(status.Key)}"));
        Add(
            "answers",
            statuses,
            $"{Figures.Count(live.ErrorCount)} of {Figures.Count(live.RequestsCompleted)} failed ({Figures.Percent(live.ErrorRate)} %)",
            Part(row.P50, seconds => $"p50 {Figures.Seconds(seconds)} s"),
            Part(row.P90, seconds => $"p90 {Figures.Seconds(seconds)} s"),
            Part(row.P99, seconds => $"p99 {Figures.Seconds(seconds)} s"));
    }

    private void Limits(TopApp app)
    {
        if (app.Listed is not { } listed)
        {
            Add("limits", "not known: the app is not listed in this environment");
            return;
        }

        if (model.CostToday is not null)
        {
            Add("cost today", app.Cost.Count > 0
                ? Figures.Money(app.Cost)
                : "not known: no line of the bill has the name and environment of this app");
        }

        Add(
            "limits",
            (listed.MinConcurrency, listed.MaxConcurrency) switch
            {
                ({ } fewest, { } most) => $"{Figures.Count(fewest)} to {Figures.Of(most, "runner")}",
                ({ } fewest, null) => $"at least {Figures.Of(fewest, "runner")}",
                (null, { } most) => $"at most {Figures.Of(most, "runner")}",
                _ => "",
            },
            Part("keep", listed.KeepAlive),
            Part("request", listed.RequestTimeout),
            Part("startup", listed.StartupTimeout),
            listed.MachineType is { } machine ? $"machine {MachineName.Of(machine)}" : "",
            listed.Environment is { } environment ? $"environment {ShownText.Of(environment)}" : "",
            $"regions {(listed.ValidRegions.Count == 0 ? "any" : ShownText.Of(string.Join(", ", listed.ValidRegions)))}");

        static string Part(string what, TimeSpan? span) => span is { } length ? $"{what} {Figures.Span(length)}" : "";
    }

    /// <summary>A part of a line; empty, and so left out, if the service did not send the value.</summary>
    private static string Part(double? value, Func<double, string> text) =>
        value is { } sent && !double.IsNaN(sent) ? text(sent) : "";

    private void LastHour(AppDetails? details)
    {
        if (details?.Requests is not { } report)
        {
            Add("last hour", details is not null ? details.RequestsProblem ?? Figures.None
                : model.Problem is null ? "reading ..."
                : $"not read yet, still trying ({model.ProblemKind}, see above)");
            return;
        }

        DateTimeOffset first = details.End - AppDetails.Length;
        var minutes = new AnalyticsTotals?[Minutes];
        var p90 = new double[Minutes];
        Array.Fill(p90, double.NaN);
        foreach (AnalyticsBucket bucket in report.TimeSeries)
        {
            if (Place(bucket.Start, first) is { } place)
            {
                minutes[place] = AnalyticsTotals.Of(bucket.Rows);
                p90[place] = bucket.Rows.Max(row => row.P90Duration)?.TotalSeconds ?? double.NaN;
            }
        }

        AnalyticsTotals all = AnalyticsTotals.Of(report.TimeSeries);
        string share = all.ErrorRate is { } rate ? $" ({Figures.Percent(rate)} %)" : "";
        Add(
            "last hour",
            Part(all.RequestCount, count => Figures.Of(count, "request")),
            Part(all.ErrorCount, count => Figures.Of(count, "error") + share),
            Part(all.UserErrorCount, count => Figures.Of(count, "user error")),
            Part(all.ColdBootCount, count => Figures.Of(count, "cold boot")));
        if (all.ErrorCount > 0)
        {
            Add("", $"errors: {Figures.Count(all.StartupErrorCount)} startup, {Figures.Count(all.ConnectionErrorCount)} connection, " +
                $"{Figures.Count(all.TimeoutErrorCount)} timeout, {Figures.Count(all.RuntimeErrorCount)} runtime");
        }

        TitleOfBars();
        Bars("requests", i => minutes[i]?.RequestCount ?? double.NaN, Figures.Count, "/min");
        Bars("errors", i => minutes[i]?.ErrorCount ?? double.NaN, Figures.Count, "/min");
        Bars("p90", i => p90[i], Figures.Seconds, " s");
        bool hasPercentiles = width >= TableWidth;
        Row($"from UTC  requests  errors   err%{(hasPercentiles ? "  max p50  max p90  max p99" : "")}", Ink.Faint);
        for (int from = 0; from < Minutes; from += MinutesOfRow)
        {
            AnalyticsBucket[] buckets = [.. report.TimeSeries.Where(
                bucket => Place(bucket.Start, first) is { } place && place / MinutesOfRow == from / MinutesOfRow)];
            Sums(Figures.Clock(first.AddMinutes(from))[..5], buckets);
        }

        Sums("sum", report.TimeSeries);

        void Sums(string label, IReadOnlyList<AnalyticsBucket> buckets)
        {
            AnalyticsTotals sum = AnalyticsTotals.Of(buckets);
            string Highest(Func<AnalyticsRow, TimeSpan?> duration) =>
                Figures.Seconds(buckets.SelectMany(bucket => bucket.Rows).Max(duration)?.TotalSeconds);
            string percentiles = hasPercentiles
                ? $"  {Highest(row => row.P50Duration),7}  {Highest(row => row.P90Duration),7}  {Highest(row => row.P99Duration),7}"
                : "";
            Row($"  {label,6}  {Figures.Count(sum.RequestCount),8}  {Figures.Count(sum.ErrorCount),6}   " +
                $"{Figures.Percent(sum.ErrorRate),4}{percentiles}");
        }
    }

    private void Runners(AppDetails? details)
    {
        if (details?.Runners is not { } history)
        {
            // While nothing has been read, the line of the requests says so for both.
            if (details is not null)
            {
                Add("  runners", details.RunnersProblem ?? Figures.None);
            }

            return;
        }

        DateTimeOffset first = details.End - AppDetails.Length;
        var minutes = new FalRunnerBucket?[Minutes];
        foreach (FalRunnerBucket bucket in history.Buckets)
        {
            if (Place(bucket.Start, first) is { } place)
            {
                minutes[place] = bucket;
            }
        }

        TitleOfBars();
        Bars("running", i => minutes[i]?.Running ?? double.NaN, Figures.Count, "");
        Bars("idle", i => minutes[i]?.Idle ?? double.NaN, Figures.Count, "");
        Bars("pending", i => minutes[i]?.Pending ?? double.NaN, Figures.Count, "");
        Bars("draining", i => minutes[i]?.Draining ?? double.NaN, Figures.Count, "");
    }

    private static int? Place(DateTimeOffset start, DateTimeOffset first) =>
        (int)Math.Floor((start - first).TotalMinutes) is >= 0 and < Minutes and var place ? place : null;

    /// <summary>The bars show fewer minutes than the table on a narrow screen.</summary>
    private void TitleOfBars() => Row(Figures.Text(MinutesInSight, "'last '0' min'"), "one bar for each minute");

    /// <summary>The last minutes, as many as have room, and the highest value of them.</summary>
    private void Bars(string label, Func<int, double> valueAt, Func<double?, string> text, string unit)
    {
        int shown = MinutesInSight;
        double At(int i) => valueAt(Minutes - shown + i);
        double highest = Enumerable.Range(0, shown).Select(At).Where(double.IsFinite).DefaultIfEmpty(double.NaN).Max();
        Row($"  {label}", $"{Trend.Draw(shown, ramp, At)} {(double.IsNaN(highest) ? "no data" : $"max {text(highest)}{unit}")}");
    }

    /// <summary>Adds the parts that are not empty, as many on a line as have room. Without any there is no line.</summary>
    private void Add(string label, params ReadOnlySpan<string> parts)
    {
        string line = "";
        foreach (string part in parts)
        {
            if (part.Length == 0)
            {
                continue;
            }

            if (line.Length > 0 && TopLine.WidthOf(line) + 2 + TopLine.WidthOf(part) > width - LabelWidth)
            {
                Flush();
            }

            line = line.Length == 0 ? part : $"{line}  {part}";
        }

        Flush();

        void Flush()
        {
            if (line.Length == 0)
            {
                return;
            }

            foreach (string fitting in TopLine.Wrap(line, width - LabelWidth))
            {
                Row(label, fitting);
                label = "";
            }

            line = "";
        }
    }

    private void Row(string label, string text) =>
        _lines.Add(new TopLine(width).AddCell(label, LabelWidth, isRight: false, Ink.Faint).Add(text));

    /// <summary>Adds a line of the table, below the values of the labels if there is room.</summary>
    private void Row(string text, Ink ink = Ink.Plain) =>
        _lines.Add(new TopLine(width).Add(width >= LabelWidth + TableWidth ? new string(' ', LabelWidth) : "").Add(text, ink));
}
