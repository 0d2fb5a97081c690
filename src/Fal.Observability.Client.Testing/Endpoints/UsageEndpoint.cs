using System.Text.Json;

namespace Fal.Observability.Client.Testing;

/// <summary>The usage route: the machine time of the runners that the metrics show, at the prices of their machines.</summary>
internal sealed class UsageEndpoint(TrafficModel model, FalSimulatorOptions options)
{
    private const int MostApps = 50;

    // What the account pays for without an app, such as builds: half a minute in each hour.
    private const string SharedMachine = "S";
    private const int SharedSecondsPerHour = 30;

    /// <summary>Answers one call.</summary>
    /// <param name="query">The query string as it arrived.</param>
    /// <exception cref="RefusedCallException">The call is answered with an error.</exception>
    public Answer Answer(string query)
    {
        var parameters = new QueryParameters(query);
        List<string> apps = parameters.List("app");
        if (apps.Count > MostApps)
        {
            throw RefusedCallException.Invalid($"app names {apps.Count} apps: at most {MostApps} are allowed in one call.");
        }

        string search = parameters.Single("search") ?? "";
        bool timeSeries = false;
        bool summary = false;
        foreach (string value in parameters.List("expand"))
        {
            timeSeries |= value == "time_series";
            summary |= value == "summary";
            if (value is not ("time_series" or "summary"))
            {
                throw RefusedCallException.Invalid($"expand has the unknown value '{value}': it can be 'time_series' and 'summary'.");
            }
        }

        timeSeries |= !summary;
        RequestedTime time = parameters.Time(options.TimeProvider.GetUtcNow());
        if (timeSeries)
        {
            time.RefuseTooManyBuckets();
        }

        List<TimeBucket> buckets = timeSeries ? time.Buckets() : [];
        int number = parameters.Page();
        var page = new BucketPage(options, parameters.Limit(options.PageSize), number, buckets.Count, () =>
            [.. buckets.Select(bucket => RowsOf(bucket.First, bucket.End).Count)]);
        (DateTime start, DateTime end) = time.Bounds;
        return new Answer(200, Testing.Answer.Json, AnswerEnvelope.ToUtf8(
            page.HasMore ? parameters.Cursor(number + 1) : null,
            timeSeries ? page.Slices.Select(slice => (buckets[slice.Bucket].Label, RowsOn(slice))) : null,
            summary && page.HasSummary ? RowsOf(RequestedTime.FirstMinuteFrom(start), RequestedTime.FirstMinuteFrom(end)) : null,
            options.BucketOffset,
            Write));

        IReadOnlyList<Line> RowsOn(BucketSlice slice)
        {
            List<Line> rows = RowsOf(buckets[slice.Bucket].First, buckets[slice.Bucket].End);
            return slice.IsWhole ? rows : [.. rows.Skip(slice.Skip).Take(slice.Take)];
        }

        List<Line> RowsOf(int first, int endMinute) =>
            [.. Lines(first, Math.Min(endMinute, options.VisibleEnd()), name => (apps.Count == 0 || apps.Contains(name ?? ""))
                && (search.Length == 0 || name?.Contains(search, StringComparison.OrdinalIgnoreCase) == true))];
    }

    private IEnumerable<Line> Lines(int first, int end, Func<string?, bool> isAskedFor)
    {
        foreach (IAccountApp app in model.Apps.Where(app => isAskedFor(app.Settings.BilledName)))
        {
            AppSettings settings = app.Settings;
            foreach (BilledSeconds billed in app.BillOf(first, Math.Max(first, end)))
            {
                yield return new Line(
                    settings.BilledName, settings.BilledEnvironment, billed.MachineType, billed.Seconds,
                    settings.PriceOf(billed.MachineType, billed.IsSurge), settings.PercentDiscount, billed.IsSurge);
            }
        }

        long hours = CountOfHours(first, end);
        if (hours > 0 && model.IsDrawn && isAskedFor(null))
        {
            yield return new Line(
                null, null, SharedMachine, hours * SharedSecondsPerHour, AppSettings.ListPriceOf(SharedMachine), null, IsSurge: false);
        }
    }

    /// <summary>How many hours begin in a span of minutes.</summary>
    private static long CountOfHours(int first, int end) => end <= first ? 0 : ((end + 59) / 60) - ((first + 59) / 60);

    private static void Write(Utf8JsonWriter json, Line line)
    {
        decimal subtotal = line.Seconds * line.Price;
        decimal discount = subtotal * (line.PercentDiscount ?? 0) / 100;
        json.WriteStartObject();
        json.WriteString("app", line.App);
        json.WriteString("environment", line.Environment);
        json.WriteString("machine_type", AppSettings.MachineName(line.MachineType));
        json.WriteString("unit", "second");
        json.WriteNumber("quantity", line.Seconds);
        json.WriteNumber("unit_price", line.Price);
        if (line.PercentDiscount is { } percent)
        {
            json.WriteNumber("percent_discount", percent);
        }
        else
        {
            json.WriteNull("percent_discount");
        }

        json.WriteNumber("cost_subtotal", subtotal);
        json.WriteNumber("cost_discount", discount);
        json.WriteNumber("cost_total", subtotal - discount);
        json.WriteNumber("cost", subtotal - discount);
        json.WriteString("currency", "USD");
        json.WriteBoolean("is_surge", line.IsSurge);
        json.WriteEndObject();
    }

    /// <summary>One line of the bill.</summary>
    private sealed record Line(
        string? App, string? Environment, string MachineType, long Seconds, decimal Price, decimal? PercentDiscount, bool IsSurge);
}
