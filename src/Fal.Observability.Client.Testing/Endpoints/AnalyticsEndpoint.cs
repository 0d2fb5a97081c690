namespace Fal.Observability.Client.Testing;

/// <summary>The two analytics routes: from a query string to one page of an answer.</summary>
internal sealed class AnalyticsEndpoint(TrafficModel model, FalSimulatorOptions options)
{
    private const int RememberedSeries = 32;

    private readonly object _lock = new();
    private readonly List<(SeriesKey Key, AnalyticsSeries Series)> _recent = [];

    /// <summary>Answers one call.</summary>
    /// <param name="query">The query string as it arrived.</param>
    /// <param name="route">Whose endpoints are known: the account's, or those that it calls.</param>
    /// <exception cref="RefusedCallException">The call is answered with an error.</exception>
    public Answer Answer(string query, SimulatorRoute route)
    {
        AnalyticsQuery parsed =
            AnalyticsQuery.Parse(query, options.PageSize, AnalyticsQuery.MostEndpointIds, options.TimeProvider.GetUtcNow());
        AnalyticsRequest request = parsed.Request;
        if (request.EndpointIds.Select(options.Faults.RefusalOf).FirstOrDefault(refusal => refusal is not null) is { } refused)
        {
            throw refused;
        }

        AnalyticsSeries series = SeriesOf(parsed, route);
        if (request.Metrics.Any(name => AnalyticsMetric.ByName[name].IsColdBootPercentile)
            && request.EndpointIds.Any(options.Faults.FailsOnColdBootPercentiles))
        {
            throw new RefusedCallException(500, "server_error", "An unexpected error occurred");
        }
        return new Answer(200, Testing.Answer.Json, Page(parsed, series).ToUtf8(options.MissingMetrics, options.BucketOffset));
    }

    /// <summary>The whole answer to a request on a route, in one piece and in ascending order.</summary>
    public AnalyticsAnswer WholeAnswer(AnalyticsRequest request, SimulatorRoute route)
    {
        var series = new AnalyticsSeries(request, Resolve(request.EndpointIds, route), options.VisibleEnd());
        return new AnalyticsAnswer(
            request.TimeSeries ? [.. Enumerable.Range(0, series.Count).Select(index => series[index])] : null,
            request.Summary ? series.Summary : null,
            NextCursor: null);
    }

    private AnalyticsAnswer Page(AnalyticsQuery query, AnalyticsSeries series)
    {
        // Without a time series there are no buckets, and so no second page.
        var page = new BucketPage(options, query.Limit, query.Page, series.Count, () => series.RowCounts);
        return new AnalyticsAnswer(
            query.Request.TimeSeries ? [.. page.Slices.Select(BucketOn)] : null,
            query.Request.Summary && page.HasSummary ? series.Summary : null,
            page.HasMore ? query.Cursor(query.Page + 1) : null);

        AnalyticsAnswerBucket BucketOn(BucketSlice slice)
        {
            AnalyticsAnswerBucket bucket = series[slice.Bucket];
            return slice.IsWhole ? bucket : bucket with { Rows = [.. bucket.Rows.Skip(slice.Skip).Take(slice.Take)] };
        }
    }

    /// <summary>The series of a query, kept for its next pages.</summary>
    private AnalyticsSeries SeriesOf(AnalyticsQuery query, SimulatorRoute route)
    {
        // Read before the endpoints: a change in between costs the entry, and never keeps what is no longer so.
        long version = model.Scripted.Version;
        List<IAccountEndpoint> endpoints = Resolve(query.Request.EndpointIds, route);
        var key = new SeriesKey(
            query.Parameters.Fingerprint(), route, query.Request.Time.Start, query.Request.Time.End, options.VisibleEnd(), version);
        lock (_lock)
        {
            int known = _recent.FindIndex(entry => entry.Key == key);
            if (known >= 0)
            {
                return _recent[known].Series;
            }

            if (_recent.Count == RememberedSeries)
            {
                _recent.RemoveAt(0);
            }

            var series = new AnalyticsSeries(query.Request, endpoints, key.VisibleEnd);
            _recent.Add((key, series));
            return series;
        }
    }

    private List<IAccountEndpoint> Resolve(IReadOnlyList<string> ids, SimulatorRoute route)
    {
        var endpoints = new List<IAccountEndpoint>();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (string id in ids)
        {
            IReadOnlyList<IAccountEndpoint>? found;
            if (route == SimulatorRoute.ModelsAnalytics)
            {
                if (!model.TryGetCalled(id, out found))
                {
                    throw RefusedCallException.NotThere();
                }
            }
            else if (!model.TryGetOwned(id, out found))
            {
                throw RefusedCallException.NotOwned();
            }
            endpoints.AddRange(found.Where(endpoint => seen.Add(endpoint.Id)));
        }
        return endpoints;
    }

    private sealed record SeriesKey(
        ulong Fingerprint, SimulatorRoute Route, DateTimeOffset Start, DateTimeOffset End, int VisibleEnd, long Version);
}
