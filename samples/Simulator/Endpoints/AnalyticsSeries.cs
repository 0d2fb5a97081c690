namespace Fal.Observability.Simulator;

/// <summary>
/// The calendar of one request, filled with traffic on demand. Immutable to its users; what the pages of one query
/// have in common is computed once.
/// </summary>
internal sealed class AnalyticsSeries
{
    private const long TicksOfEpoch = 621355968000000000;

    private readonly List<SimulatedEndpoint> _endpoints;
    private readonly List<AnalyticsMetric> _metrics;
    private readonly List<Bucket> _buckets = [];
    private readonly int _visibleEnd;
    private readonly Lazy<List<AnalyticsAnswerRow>> _summary;
    private readonly Lazy<int[]> _rowCounts;

    /// <param name="request">What is asked for.</param>
    /// <param name="endpoints">The endpoints that rows are about.</param>
    /// <param name="visibleEnd">Minutes (counted from the Unix epoch) from this one on are not known yet.</param>
    public AnalyticsSeries(AnalyticsRequest request, List<SimulatedEndpoint> endpoints, int visibleEnd)
    {
        _endpoints = endpoints;
        _visibleEnd = visibleEnd;
        _metrics = [.. request.Metrics.Select(name => AnalyticsMetric.ByName[name])];

        var calendar = new CalendarBuckets(request.TimeZone, request.ResolvedTimeframe);
        DateTime start = request.Start.UtcDateTime;
        DateTime end = request.End.UtcDateTime;
        if (request.BoundToTimeframe)
        {
            DateTime lastStart = calendar.StartOf(end);
            start = calendar.StartOf(start);
            end = lastStart == end ? end : calendar.After(lastStart);
        }
        if (request.TimeSeries && start < end)
        {
            DateTime next;
            for (DateTime bucket = calendar.StartOf(start); bucket < end; bucket = next)
            {
                next = calendar.After(bucket);
                _buckets.Add(new Bucket(
                    TimeZoneInfo.ConvertTime(new DateTimeOffset(bucket), request.TimeZone),
                    bucket < start ? start : bucket,
                    next > end ? end : next));
            }
        }
        _summary = new Lazy<List<AnalyticsAnswerRow>>(() => Rows(start, end));
        _rowCounts = new Lazy<int[]>(() => [.. _buckets.Select(bucket => Totals(bucket.From, bucket.To).Count())]);
    }

    /// <summary>How many buckets the range has, oldest first.</summary>
    public int Count => _buckets.Count;

    /// <summary>How many rows each bucket has.</summary>
    public IReadOnlyList<int> RowCounts => _rowCounts.Value;

    /// <summary>The rows of the whole range.</summary>
    public IReadOnlyList<AnalyticsAnswerRow> Summary => _summary.Value;

    /// <summary>One bucket with its rows.</summary>
    public AnalyticsAnswerBucket this[int index]
    {
        get
        {
            Bucket bucket = _buckets[index];
            return new AnalyticsAnswerBucket(bucket.Label, Rows(bucket.From, bucket.To));
        }
    }

    private List<AnalyticsAnswerRow> Rows(DateTime from, DateTime to) =>
        [.. Totals(from, to).Select(reported => new AnalyticsAnswerRow(reported.Id, reported.Totals, _metrics))];

    private IEnumerable<(string Id, TrafficTotals Totals)> Totals(DateTime from, DateTime to)
    {
        int first = FirstMinuteFrom(from);
        int end = Math.Min(FirstMinuteFrom(to), _visibleEnd);
        foreach (SimulatedEndpoint endpoint in _endpoints)
        {
            TrafficTotals totals = endpoint.Traffic(first, end);
            if (totals.Requests > 0 || totals.HadRunner)
            {
                yield return (endpoint.Id, totals);
            }
        }
    }

    /// <summary>The requests of a minute count as made at its start, so that neighbouring ranges share none and lose none.</summary>
    private static int FirstMinuteFrom(DateTime utc) =>
        (int)((utc.Ticks - TicksOfEpoch + TimeSpan.TicksPerMinute - 1) / TimeSpan.TicksPerMinute);

    private sealed record Bucket(DateTimeOffset Label, DateTime From, DateTime To);
}
