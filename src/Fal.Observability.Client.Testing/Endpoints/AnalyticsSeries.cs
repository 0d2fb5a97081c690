namespace Fal.Observability.Client.Testing;

/// <summary>
/// The calendar of one request, filled with traffic on demand. Immutable to its users; what the pages of one query
/// have in common is computed once.
/// </summary>
internal sealed class AnalyticsSeries
{
    private readonly List<IAccountEndpoint> _endpoints;
    private readonly List<AnalyticsMetric> _metrics;
    private readonly List<TimeBucket> _buckets;
    private readonly int _visibleEnd;
    private readonly Lazy<List<AnalyticsAnswerRow>> _summary;
    private readonly Lazy<int[]> _rowCounts;

    /// <param name="request">What is asked for.</param>
    /// <param name="endpoints">The endpoints that rows are about.</param>
    /// <param name="visibleEnd">The first minute (counted from the Unix epoch) that is not known yet.</param>
    public AnalyticsSeries(AnalyticsRequest request, List<IAccountEndpoint> endpoints, int visibleEnd)
    {
        _endpoints = endpoints;
        _visibleEnd = visibleEnd;
        _metrics = [.. request.Metrics.Select(name => AnalyticsMetric.ByName[name])];

        _buckets = request.TimeSeries ? request.Time.Buckets() : [];
        (DateTime start, DateTime end) = request.Time.Bounds;
        _summary = new Lazy<List<AnalyticsAnswerRow>>(() => Rows(RequestedTime.FirstMinuteFrom(start), RequestedTime.FirstMinuteFrom(end)));
        _rowCounts = new Lazy<int[]>(() => [.. _buckets.Select(bucket => Totals(bucket.First, bucket.End).Count())]);
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
            TimeBucket bucket = _buckets[index];
            return new AnalyticsAnswerBucket(bucket.Label, Rows(bucket.First, bucket.End));
        }
    }

    private List<AnalyticsAnswerRow> Rows(int first, int end) =>
        [.. Totals(first, end).Select(reported => new AnalyticsAnswerRow(reported.Id, reported.Totals, _metrics))];

    private IEnumerable<(string Id, TrafficTotals Totals)> Totals(int first, int end)
    {
        end = Math.Min(end, _visibleEnd);
        foreach (IAccountEndpoint endpoint in _endpoints)
        {
            TrafficTotals totals = endpoint.Traffic(first, end);
            if (totals.Requests > 0 || totals.HadRunner)
            {
                yield return (endpoint.Id, totals);
            }
        }
    }
}
