using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;

namespace Fal.Observability.Client;

/// <summary>
/// One report or stream in progress. A call requests one group of endpoints over one window, which is a part of the range. The run
/// remembers the endpoints and metrics that the service does not deliver. All calls share one concurrency limit.
/// </summary>
internal sealed class AnalyticsRun : IDisposable
{
    private const int ProofCalls = 7;
    private const int MaxDegradeProbes = 30;
    private const double GoldenRatio = 0.6180339887498949;
    private static readonly TimeSpan OneHour = TimeSpan.FromHours(1);

    private readonly AnalyticsCaller _caller;
    private readonly FalObservabilityOptions _options;
    private readonly DateTimeOffset _now;
    private readonly ILogger _log;
    private readonly AnalyticsQuery _metrics;
    private readonly object _groupsLock = new();
    private readonly AnalyticsRowOrder _order;
    private readonly SemaphoreSlim _slots;
    private readonly FalCallTally _tally = new();
    private readonly ConcurrentDictionary<string, AnalyticsRefusedEndpoint> _refused = new(StringComparer.Ordinal);
    private volatile AnalyticsEndpointGroup[] _groups;
    private readonly DateTimeOffset? _end;
    private volatile bool _keyIsGood;
    private int _calls;
    private readonly ConcurrentQueue<FalAnswer> _answers = new();
    private int _bucketsBeyondEnd;
    private long _rowsBeyondEnd;

    /// <param name="caller">Makes the calls.</param>
    /// <param name="options">The options of the client.</param>
    /// <param name="now">The instant that decides which buckets are provisional, that is, may still change.</param>
    /// <param name="log">The log for refusals, skipped metrics and buckets beyond the range.</param>
    /// <param name="query">The query, validated, with a fixed range.</param>
    /// <param name="refused">Endpoints that the service refused (403 or 404) in the run that this one continues.</param>
    public AnalyticsRun(
        AnalyticsCaller caller,
        FalObservabilityOptions options,
        DateTimeOffset now,
        ILogger log,
        AnalyticsQuery query,
        IReadOnlyList<AnalyticsRefusedEndpoint>? refused = null)
    {
        _caller = caller;
        _options = options;
        _now = now;
        _log = log;
        Query = query;
        _end = AnalyticsCalendar.EndOf(query.Grid);
        // If this version knows a metric that was passed by name, the metric becomes a flag, so that it can be skipped like the others.
        _metrics = query with
        {
            Expand = query.EffectiveExpand,
            AdditionalExpand = [.. query.AdditionalExpand.Where(name => AnalyticsExpandExtensions.Parse(name) == AnalyticsExpand.None)],
        };
        _order = new AnalyticsRowOrder(query.EndpointIds);
        _slots = new SemaphoreSlim(options.MaxConcurrentCalls);
        foreach (AnalyticsRefusedEndpoint endpoint in refused ?? [])
        {
            _refused[endpoint.EndpointId] = endpoint;
        }

        AnalyticsExpand lacking = AnalyticsExpand.Volume & ~query.EffectiveExpand;
        if (lacking is not (AnalyticsExpand.None or AnalyticsExpand.Volume))
        {
            log.RatesAreNull(string.Join(", ", lacking.GetFlags().Select(flag => $"{nameof(AnalyticsExpand)}.{flag}")));
        }

        _groups = GroupsOf(query.EndpointIds.Where(id => !_refused.ContainsKey(id)), AnalyticsExpand.None);
    }

    public AnalyticsQuery Query { get; }

    public IReadOnlyList<FalAnswer> Answers => [.. _answers];

    public int Calls => Volatile.Read(ref _calls);

    public int Retries => _tally.Retries;

    /// <summary>The refused endpoints in the order of the query.</summary>
    public IReadOnlyList<AnalyticsRefusedEndpoint> RefusedEndpoints =>
        _refused.IsEmpty ? [] : [.. Query.EndpointIds.Select(id => _refused.GetValueOrDefault(id)).OfType<AnalyticsRefusedEndpoint>()];

    /// <summary>The endpoints for which metrics were skipped, in the order of the query.</summary>
    public IReadOnlyList<AnalyticsMissingMetrics> MissingMetrics
    {
        get
        {
            Dictionary<string, AnalyticsExpand> without = _groups.Select(group => group.Shape)
                .Where(shape => shape.Without != AnalyticsExpand.None)
                .SelectMany(shape => shape.EndpointIds.Select(id => (id, shape.Without)))
                .ToDictionary(pair => pair.id, pair => pair.Without & _metrics.Expand, StringComparer.Ordinal);
            return [.. Query.EndpointIds.Where(without.ContainsKey).Select(id => new AnalyticsMissingMetrics(id, without[id]))];
        }
    }

    /// <summary>The progress after a number of complete windows.</summary>
    public AnalyticsProgress Progress(int windowsDone, int windows, long rows) => new(windowsDone, windows, rows, Calls, Retries)
    {
        RefusedEndpoints = RefusedEndpoints,
        MissingMetrics = MissingMetrics,
    };

    public void Dispose()
    {
        if (_bucketsBeyondEnd > 0)
        {
            _log.BucketsBeyondEnd(_bucketsBeyondEnd, _rowsBeyondEnd, Query.Range.ToString());
        }

        _slots.Dispose();
        foreach (AnalyticsEndpointGroup group in _groups)
        {
            group.Dispose();
        }
    }

    /// <summary>The buckets of one window over all endpoints, in ascending order, after all its pages are read.</summary>
    /// <param name="window">The range of the window.</param>
    /// <param name="first">Whether this is the first window of the range.</param>
    /// <param name="cancellationToken">Cancels the calls.</param>
    public async Task<List<AnalyticsBucket>> CollectWindowAsync(AnalyticsTimeRange window, bool first, CancellationToken cancellationToken)
    {
        List<AnalyticsBucket> buckets = [];
        await foreach (AnalyticsBucket bucket in ReadWindowAsync(window, first, streaming: false, cancellationToken).ConfigureAwait(false))
        {
            buckets.Add(bucket);
        }

        return buckets;
    }

    /// <summary>The buckets of one window over all endpoints, in ascending order.</summary>
    /// <param name="window">The range of the window.</param>
    /// <param name="first">Whether this is the first window of the range.</param>
    /// <param name="streaming">Whether to return buckets before later pages are read.</param>
    /// <param name="cancellationToken">Cancels the calls.</param>
    public async IAsyncEnumerable<AnalyticsBucket> ReadWindowAsync(
        AnalyticsTimeRange window, bool first, bool streaming, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        AnalyticsQuery query = _metrics with { Range = window, Expand = Shaped(AnalyticsExpand.TimeSeries) };
        DateTimeOffset? end = AnalyticsCalendar.EndOf(query.Grid);
        var readers = new List<AnalyticsBucketReader>();
        var parts = new List<AnalyticsBucket>();
        DateTimeOffset? handedOut = null;
        while (true)
        {
            // Reading may split a group. The new group then gets its own reader, which starts after the last bucket that was returned.
            while (readers.Count < _groups.Length || readers.Any(reader => reader.NeedsPage))
            {
                readers.AddRange(_groups.Skip(readers.Count).Select(group => new AnalyticsBucketReader(
                    PagesOf(group, query),
                    first ? null : window.Start,
                    end,
                    query.BoundToTimeframe == false,
                    streaming ? _options.MaxBufferedRows : null,
                    CountBeyondEnd,
                    handedOut)));
                AnalyticsBucketReader[] due = [.. readers.Where(reader => reader.NeedsPage)];
                await ForEachAsync(due, (reader, token) => reader.FillAsync(token), cancellationToken).ConfigureAwait(false);
            }

            if (readers.Min(reader => reader.Current?.Start) is not { } start)
            {
                yield break;
            }

            handedOut = start;
            cancellationToken.ThrowIfCancellationRequested();
            parts.Clear();
            foreach (AnalyticsBucketReader reader in readers)
            {
                if (reader.Current is { } part && part.Start == start)
                {
                    parts.Add(part);
                    reader.Advance();
                }
            }

            AnalyticsBucket bucket = _order.Join(parts);
            if (!Query.ClosedOnly || !bucket.IsProvisional)
            {
                yield return bucket;
            }
        }
    }

    /// <summary>The summary over the whole range: one query per group of endpoints.</summary>
    public async Task<IReadOnlyList<AnalyticsRow>> ReadSummaryAsync(CancellationToken cancellationToken)
    {
        AnalyticsQuery query = _metrics with { Expand = Shaped(AnalyticsExpand.Summary) };
        var rows = new ConcurrentDictionary<AnalyticsEndpointGroup, List<AnalyticsRow>>();
        while (rows.Count < _groups.Length)
        {
            await ForEachAsync(_groups.Skip(rows.Count).ToArray(), ReadAsync, cancellationToken).ConfigureAwait(false);
        }

        return _order.Join(_groups.SelectMany(group => rows[group]));

        async Task ReadAsync(AnalyticsEndpointGroup group, CancellationToken token)
        {
            AnalyticsPageReader pages = PagesOf(group, query);
            AnalyticsPage? page;
            do
            {
                (page, bool isFirst) = await pages.NextAsync(token).ConfigureAwait(false);
                if (isFirst)
                {
                    rows[group] = [];
                }

                rows[group].AddRange(page?.Summary ?? []);
            }
            while (page is not null);
        }
    }

    /// <summary>Makes one call when the concurrency limit allows it.</summary>
    public async Task<AnalyticsPage> SendAsync(AnalyticsQuery query, AnalyticsPage? previous, CancellationToken cancellationToken)
    {
        await _slots.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            FalCallTally.Current = _tally;
            Interlocked.Increment(ref _calls);
            AnalyticsPage page = await _caller.SendAsync(query, previous, _now, cancellationToken).ConfigureAwait(false);
            _keyIsGood = true;
            _answers.Enqueue(page.Answer);
            return page;
        }
        finally
        {
            _slots.Release();
        }
    }

    /// <summary>Whether a group can continue after a failure: without its refused endpoints, or with fewer metrics.</summary>
    public bool CanReshape(AnalyticsEndpointGroup.CallShape shape, FalApiException failure) =>
        (Query.RefusedEndpoints == RefusedEndpointPolicy.Skip && Query.EndpointIds.Count > 1 && IsRefusal(failure))
        || CanDegrade(shape, failure);

    /// <summary>
    /// After a failure, changes the endpoints and metrics that are requested by the calls of a group. Does nothing if another
    /// failure has already changed that since the failed call began.
    /// </summary>
    /// <param name="group">The group.</param>
    /// <param name="shape">The endpoints of the failed call, and the metrics that it omitted.</param>
    /// <param name="query">The query to which the shape was applied for the call.</param>
    /// <param name="failure">The failure.</param>
    /// <param name="cancellationToken">Cancels the calls that search for the cause.</param>
    public async Task ReshapeAsync(
        AnalyticsEndpointGroup group,
        AnalyticsEndpointGroup.CallShape shape,
        AnalyticsQuery query,
        FalApiException failure,
        CancellationToken cancellationToken)
    {
        await group.Gate.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (group.Shape != shape)
            {
                return;
            }

            if (CanDegrade(shape, failure))
            {
                await DegradeAsync(group, shape, query, failure, cancellationToken).ConfigureAwait(false);
            }
            else
            {
                await RemoveRefusedAsync(shape.EndpointIds, failure, cancellationToken).ConfigureAwait(false);
            }
        }
        finally
        {
            group.Gate.Release();
        }
    }

    private static AnalyticsEndpointGroup[] GroupsOf(IEnumerable<string> endpointIds, AnalyticsExpand without) =>
        [.. endpointIds.Chunk(AnalyticsQuery.MaxEndpointIdsPerCall).Select(ids => new AnalyticsEndpointGroup(ids, without))];

    /// <summary>
    /// Whether a failure is the service's own statement about an endpoint. A web page from the edge (the proxies in front of the service)
    /// says nothing about the endpoint.
    /// </summary>
    private static bool IsRefusal(FalApiException failure) =>
        failure.ContentType?.EndsWith("json", StringComparison.OrdinalIgnoreCase) == true
        && (
            failure is FalForbiddenException { Reason: FalForbiddenReason.PermissionOrOwnership }
            || failure.StatusCode == HttpStatusCode.NotFound
        );

    private bool CanDegrade(AnalyticsEndpointGroup.CallShape shape, FalApiException failure)
    {
        AnalyticsExpand asked = _metrics.Expand & AnalyticsExpand.AllMetrics & ~shape.Without;
        bool leavesSomething = (asked & ~AnalyticsCaller.FragileMetrics) != 0 || _metrics.AdditionalExpand.Count > 0;
        return Query.DegradeOnServerError && leavesSomething && AnalyticsCaller.IsKnownFailure(failure, asked);
    }

    /// <summary>
    /// Finds the endpoints on which the service fails, and puts them into new groups. The calls of these groups omit the metrics that make
    /// the service fail. If all endpoints fail, no group is added, and the calls of their group omit the metrics. The number of calls is
    /// limited. An endpoint for which no call is left counts as failing.
    /// </summary>
    private async Task DegradeAsync(
        AnalyticsEndpointGroup group,
        AnalyticsEndpointGroup.CallShape shape,
        AnalyticsQuery query,
        FalApiException failure,
        CancellationToken cancellationToken)
    {
        AnalyticsExpand without = shape.Without | AnalyticsCaller.FragileMetrics;
        AnalyticsQuery probe = shape.Apply(query) with { Limit = 1 };
        if (shape.EndpointIds.Count > 1)
        {
            // This call omits the metrics. If it fails too, the metrics are not the cause, and the exception of this call ends the search.
            await SendAsync(probe with { Expand = probe.Expand & ~without }, null, cancellationToken).ConfigureAwait(false);
        }

        var search = new AnalyticsRefusalSearch(
            ids => ProbeAsync(
                probe with { EndpointIds = ids }, e => AnalyticsCaller.IsKnownFailure(e, probe.EffectiveExpand), cancellationToken),
            MaxDegradeProbes);
        IReadOnlyList<string> open = await search.FindRefusedAsync(shape.EndpointIds, failure, shape.EndpointIds.Count)
            .ConfigureAwait(false);
        var failing = new HashSet<string>(open.Concat(search.Refused.Keys), StringComparer.Ordinal);
        if (failing.Count == 0)
        {
            return;
        }

        string[] healthy = [.. shape.EndpointIds.Where(id => !failing.Contains(id))];
        if (healthy.Length == 0)
        {
            group.Shape = new AnalyticsEndpointGroup.CallShape(shape.EndpointIds, without);
        }
        else
        {
            lock (_groupsLock)
            {
                _groups = [.. _groups, .. GroupsOf(shape.EndpointIds.Where(failing.Contains), without)];
            }

            group.Shape = new AnalyticsEndpointGroup.CallShape(healthy, shape.Without);
        }

        _log.MetricsLeftOut(failing.Count);
    }

    private async Task RemoveRefusedAsync(IReadOnlyList<string> endpointIds, FalApiException refusal, CancellationToken cancellationToken)
    {
        // A refusal does not depend on the metrics or the range, so the calls request little.
        AnalyticsQuery probe = Query with
        {
            Expand = AnalyticsExpand.TimeSeries | AnalyticsExpand.RequestCount,
            AdditionalExpand = [],
            Range = Shortest(Query.Range),
            Timeframe = null,
            Limit = 1,
        };
        var search = new AnalyticsRefusalSearch(ids => ProbeAsync(probe with { EndpointIds = ids }, IsRefusal, cancellationToken));
        string? accepted = null;
        if (!_keyIsGood)
        {
            accepted = await search.FindAcceptedAsync(Samples(Query.EndpointIds)).ConfigureAwait(false);
            // A key without the permission gets the same status for every call. Do not search further then.
            if (accepted is null && search.Refused.Values.Select(reason => reason.StatusCode).Distinct().Count() == 1)
            {
                throw NoneAccepted(refusal);
            }
        }

        string[] open = [.. endpointIds.Where(id => id != accepted && !search.Refused.ContainsKey(id))];
        bool explained = endpointIds.Any(search.Refused.ContainsKey);
        await search.FindRefusedAsync(open, explained ? null : refusal, endpointIds.Count).ConfigureAwait(false);

        if (search.Refused.Count == 0)
        {
            return;
        }

        foreach ((string id, FalApiException reason) in search.Refused)
        {
            _refused[id] = new AnalyticsRefusedEndpoint(id, reason.StatusCode, reason.ServiceMessage);
        }

        // The search for an accepted endpoint may have found refused endpoints of other groups.
        foreach (AnalyticsEndpointGroup group in _groups)
        {
            AnalyticsEndpointGroup.CallShape shape = group.Shape;
            if (shape.EndpointIds.Any(search.Refused.ContainsKey))
            {
                group.Shape = new AnalyticsEndpointGroup.CallShape(
                    [.. shape.EndpointIds.Where(id => !search.Refused.ContainsKey(id))],
                    shape.Without
                );
            }
        }

        _log.EndpointsSkipped(search.Refused.Count, string.Join(", ", search.Refused.Keys));
    }

    /// <summary>Makes a call whose answer is not used.</summary>
    /// <returns>Null if it is accepted, otherwise the failure. A failure that is not expected is thrown.</returns>
    private async Task<FalApiException?> ProbeAsync(
        AnalyticsQuery probe, Func<FalApiException, bool> isExpected, CancellationToken cancellationToken)
    {
        try
        {
            await SendAsync(probe, null, cancellationToken).ConfigureAwait(false);
            return null;
        }
        catch (FalApiException e) when (isExpected(e))
        {
            return e;
        }
    }

    /// <summary>
    /// Chooses a few endpoints that are far apart in the list, because refused endpoints are usually next to each other. The ids are
    /// divided into strata. A stratum contains those ids of one call that have the same owner. The choice takes one id from each stratum in
    /// turn, at irregular positions.
    /// </summary>
    private static List<string> Samples(IReadOnlyList<string> ids)
    {
        string[][] strata =
        [
            .. ids.Chunk(AnalyticsQuery.MaxEndpointIdsPerCall)
                .SelectMany(call => call.GroupBy(id => id.Split('/')[0], StringComparer.Ordinal))
                .Select(stratum => stratum.ToArray()),
        ];
        int count = Math.Min(ProofCalls, ids.Count);
        int used = Math.Min(count, strata.Length);
        var samples = new List<string>(count);
        for (int i = 0; samples.Count < count; i++)
        {
            // If there are more strata than endpoints to try, spread the choice from the first stratum to the last.
            string[] stratum = strata[used == 1 ? 0 : i % used * (strata.Length - 1) / (used - 1)];
            double place = ((i / used) + 1) * GoldenRatio % 1;
            string id = stratum[(int)(place * stratum.Length)];
            if (!samples.Contains(id, StringComparer.Ordinal))
            {
                samples.Add(id);
            }
        }

        return samples;
    }

    private static AnalyticsTimeRange Shortest(AnalyticsTimeRange range) =>
        range.FirstDay is { } day
            ? AnalyticsTimeRange.Days(day, day)
            : AnalyticsTimeRange.Between(
                range.Start!.Value,
                range.End!.Value - range.Start.Value > OneHour ? range.Start.Value + OneHour : range.End.Value
            );

    private FalApiException NoneAccepted(FalApiException refusal)
    {
        string advice = refusal.StatusCode == HttpStatusCode.NotFound
            ? "Probably few or none of the endpoints exist. Check that the ids have the form owner/name, and that the key belongs to " +
                "the right account."
            : "Either the key lacks a permission for this call, or the key's account owns almost none of the endpoints.";
        string words = refusal.ServiceMessage is { } said ? $" The service says: {said.TrimEnd('.')}." : "";
        string id = refusal.RequestId is { } requestId ? $" Request id: {requestId}." : "";
        return refusal.WithMessage(string.Create(CultureInfo.InvariantCulture,
            $"The service answered {(int)refusal.StatusCode}. The client then tried {Math.Min(ProofCalls, Query.EndpointIds.Count)} of the "
            + $"{Query.EndpointIds.Count} endpoints one at a time, and the service refused each of them. {advice}{words}{id}"));
    }

    /// <summary>
    /// Counts a bucket that is skipped because it starts at the end of the range or later. A bucket beyond its window but within the range
    /// is not counted, because the next window contains it. An empty bucket is not counted either: the service ends its answers with an
    /// empty bucket that starts in the future.
    /// </summary>
    private void CountBeyondEnd(AnalyticsBucket bucket)
    {
        if (bucket.Rows.Count > 0 && !(bucket.Start < _end))
        {
            Interlocked.Increment(ref _bucketsBeyondEnd);
            Interlocked.Add(ref _rowsBeyondEnd, bucket.Rows.Count);
        }
    }

    private AnalyticsExpand Shaped(AnalyticsExpand structure) => (_metrics.Expand & ~AnalyticsExpand.Structure) | structure;

    private AnalyticsPageReader PagesOf(AnalyticsEndpointGroup group, AnalyticsQuery query) => new(this, group, query, _options);

    /// <summary>
    /// Runs an action for several items concurrently. If refused endpoints are skipped, runs it for one item at a time until a call is
    /// accepted. A key without the permission is then detected with a few calls in total instead of a few per group of endpoints.
    /// </summary>
    private async Task ForEachAsync<T>(IEnumerable<T> items, Func<T, CancellationToken, Task> action, CancellationToken cancellationToken)
    {
        var queue = new Queue<T>(items);
        while (queue.Count > 0 && (queue.Count == 1 || (!_keyIsGood && Query.RefusedEndpoints == RefusedEndpointPolicy.Skip)))
        {
            await action(queue.Dequeue(), cancellationToken).ConfigureAwait(false);
        }

        if (queue.Count == 0)
        {
            return;
        }

        var parallel = new ParallelOptions { MaxDegreeOfParallelism = _options.MaxConcurrentCalls, CancellationToken = cancellationToken };
        await Parallel
            .ForEachAsync(queue, parallel, async (item, token) => await action(item, token).ConfigureAwait(false))
            .ConfigureAwait(false);
    }
}
