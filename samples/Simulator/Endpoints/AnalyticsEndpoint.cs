namespace Fal.Observability.Simulator;

/// <summary>The two analytics routes: from a query string to one page of an answer.</summary>
internal sealed class AnalyticsEndpoint(TrafficModel model, SimulatorOptions options)
{
    private const long TicksOfEpoch = 621355968000000000;

    /// <summary>Answers one call.</summary>
    /// <param name="query">The query string as it arrived.</param>
    /// <param name="route">Whose endpoints are known: the account's, or those that it calls.</param>
    /// <exception cref="RefusedCallException">The call is answered with an error.</exception>
    public Answer Answer(string query, SimulatorRoute route)
    {
        DateTimeOffset now = options.TimeProvider.GetUtcNow();
        AnalyticsQuery parsed = AnalyticsQuery.Parse(query, options.PageSize, AnalyticsQuery.MostEndpointIds, now);
        AnalyticsRequest request = parsed.Request;
        List<SimulatedEndpoint> endpoints = Resolve(request.EndpointIds, route);

        foreach (string id in request.EndpointIds)
        {
            if (options.Faults.RefusalOf(id) is { } refusal)
                throw refusal;
            if (options.Faults.FailsOnColdBootPercentiles(id) && request.Metrics.Any(name => AnalyticsMetric.ByName[name].IsColdBootPercentile))
                throw new RefusedCallException(500, "server_error", "An unexpected error occurred");
        }

        AnalyticsAnswer page = Page(parsed, endpoints, now);
        return new Answer(200, Simulator.Answer.Json, page.ToUtf8(options.MissingMetrics, options.BucketOffset));
    }

    /// <summary>The whole answer to a request on a route, in one piece and in ascending order.</summary>
    public AnalyticsAnswer WholeAnswer(AnalyticsRequest request, SimulatorRoute route)
    {
        var series = new Series(request, Resolve(request.EndpointIds, route), VisibleEnd(options.TimeProvider.GetUtcNow()));
        return new AnalyticsAnswer(
            request.TimeSeries ? [.. series.Buckets().Select(series.Fill)] : null,
            request.Summary ? series.Summary() : null,
            NextCursor: null);
    }

    private AnalyticsAnswer Page(AnalyticsQuery query, List<SimulatedEndpoint> endpoints, DateTimeOffset now)
    {
        var series = new Series(query.Request, endpoints, VisibleEnd(now));
        List<AnalyticsAnswerBucket>? buckets = null;
        bool more = false;
        if (query.Request.TimeSeries)
        {
            List<Bucket> all = [.. series.Buckets()];
            if (options.BucketOrder == BucketOrder.Descending)
                all.Reverse();
            (buckets, more) = options.LimitCounts == LimitCounts.Buckets
                ? PageOfBuckets(query, series, all)
                : PageOfRows(query, series, all);
        }
        if (query.Page > 1 && buckets is not { Count: > 0 })
            throw RefusedCallException.Invalid("cursor is past the last page.");

        bool withSummary = query.Request.Summary && (query.Page == 1 || options.SummaryOn == SummaryOn.EveryPage);
        return new AnalyticsAnswer(buckets, withSummary ? series.Summary() : null, more ? query.Cursor(query.Page + 1) : null);
    }

    private static (List<AnalyticsAnswerBucket>, bool More) PageOfBuckets(AnalyticsQuery query, Series series, List<Bucket> all)
    {
        long first = (query.Page - 1L) * query.Limit;
        return ([.. all.Skip((int)Math.Min(first, int.MaxValue)).Take(query.Limit).Select(series.Fill)], all.Count > first + query.Limit);
    }

    /// <summary>A bucket may end on one page and go on with the next. A quiet one counts as a row, or a page could be endless.</summary>
    private static (List<AnalyticsAnswerBucket>, bool More) PageOfRows(AnalyticsQuery query, Series series, List<Bucket> all)
    {
        long first = (query.Page - 1L) * query.Limit;
        long end = first + query.Limit;
        long position = 0;
        var page = new List<AnalyticsAnswerBucket>();
        foreach (Bucket bucket in all)
        {
            AnalyticsAnswerBucket whole = series.Fill(bucket);
            int rows = Math.Max(1, whole.Rows.Count);
            if (position + rows > first)
            {
                int skip = (int)Math.Max(0, first - position);
                int take = (int)Math.Min(rows, end - position) - skip;
                page.Add(whole with { Rows = [.. whole.Rows.Skip(skip).Take(take)] });
            }
            position += rows;
            if (position > end)
                return (page, true);
            if (position == end)
                return (page, !ReferenceEquals(bucket, all[^1]));
        }
        return (page, false);
    }

    private List<SimulatedEndpoint> Resolve(IReadOnlyList<string> ids, SimulatorRoute route)
    {
        var endpoints = new List<SimulatedEndpoint>();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (string id in ids)
        {
            IReadOnlyList<SimulatedEndpoint>? found;
            if (route == SimulatorRoute.ModelsAnalytics)
            {
                if (!model.TryGetCalled(id, out found))
                    throw new RefusedCallException(404, "not_found", "Resource not found: no such model endpoint.");
            }
            else if (!model.TryGetOwned(id, out found))
            {
                // Which one is not said: the contract promises no more than the status.
                throw new RefusedCallException(403, "authorization_error", "Access denied: every requested endpoint must be owned by the account of the key.");
            }
            endpoints.AddRange(found.Where(endpoint => seen.Add(endpoint.Id)));
        }
        return endpoints;
    }

    /// <summary>Minutes from this one on are not in the warehouse yet.</summary>
    private int VisibleEnd(DateTimeOffset now) => (int)((now - options.AnalyticsLag).ToUnixTimeSeconds() / 60);

    private sealed record Bucket(DateTimeOffset Label, DateTime From, DateTime To);

    /// <summary>The calendar of one request, filled with traffic on demand.</summary>
    private sealed class Series
    {
        private readonly AnalyticsRequest _request;
        private readonly List<SimulatedEndpoint> _endpoints;
        private readonly int _visibleEnd;
        private readonly List<AnalyticsMetric> _metrics;
        private readonly CalendarBuckets _calendar;
        private readonly DateTime _start;
        private readonly DateTime _end;

        public Series(AnalyticsRequest request, List<SimulatedEndpoint> endpoints, int visibleEnd)
        {
            _request = request;
            _endpoints = endpoints;
            _visibleEnd = visibleEnd;
            _metrics = [.. request.Metrics.Select(name => AnalyticsMetric.ByName[name])];
            _calendar = new CalendarBuckets(request.TimeZone, request.ResolvedTimeframe);
            _start = request.Start.UtcDateTime;
            _end = request.End.UtcDateTime;
            if (request.BoundToTimeframe)
            {
                DateTime lastStart = _calendar.StartOf(_end);
                _start = _calendar.StartOf(_start);
                _end = lastStart == _end ? _end : _calendar.After(lastStart);
            }
        }

        public IEnumerable<Bucket> Buckets()
        {
            if (_start >= _end)
                yield break;
            DateTime next;
            for (DateTime bucket = _calendar.StartOf(_start); bucket < _end; bucket = next)
            {
                next = _calendar.After(bucket);
                yield return new Bucket(
                    TimeZoneInfo.ConvertTime(new DateTimeOffset(bucket), _request.TimeZone),
                    bucket < _start ? _start : bucket,
                    next > _end ? _end : next);
            }
        }

        public AnalyticsAnswerBucket Fill(Bucket bucket) => new(bucket.Label, Rows(bucket.From, bucket.To));

        public List<AnalyticsAnswerRow> Summary() => Rows(_start, _end);

        private List<AnalyticsAnswerRow> Rows(DateTime from, DateTime to)
        {
            int first = FirstMinuteFrom(from);
            int end = Math.Min(FirstMinuteFrom(to), _visibleEnd);
            var rows = new List<AnalyticsAnswerRow>(_endpoints.Count);
            foreach (SimulatedEndpoint endpoint in _endpoints)
            {
                TrafficTotals totals = endpoint.Traffic(first, end);
                if (totals.Requests > 0 || totals.HadRunner)
                    rows.Add(new AnalyticsAnswerRow(endpoint.Id, totals, _metrics));
            }
            return rows;
        }

        /// <summary>The requests of a minute count as made at its start, so that neighbouring ranges share none and lose none.</summary>
        private static int FirstMinuteFrom(DateTime utc) =>
            (int)((utc.Ticks - TicksOfEpoch + TimeSpan.TicksPerMinute - 1) / TimeSpan.TicksPerMinute);
    }
}
