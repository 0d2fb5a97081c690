using System.Globalization;

namespace Fal.Observability.Client;

/// <summary>A query to the analytics endpoint: which endpoints, which metrics, which time range, and which buckets.</summary>
/// <remarks>
/// A query is immutable and safe to share between threads; <c>query with { ... }</c> makes a changed copy. Setting an invalid value throws,
/// before any request is made. <see cref="Validate"/> checks what no single property can. Two queries are equal if all their values are,
/// with lists compared element by element in order.
/// </remarks>
/// <example>
/// <code>
/// var query = new AnalyticsQuery("my-org/my-app")
/// {
///     Expand = AnalyticsExpand.RequestCount | AnalyticsExpand.P90Duration,
///     Range = AnalyticsTimeRange.Last(TimeSpan.FromDays(7)),
///     Timeframe = AnalyticsTimeframe.Hour,
///     TimeZone = "Europe/Berlin",
/// };
/// </code>
/// </example>
public sealed record AnalyticsQuery : FalPagedQuery
{
    /// <summary>The maximum number of endpoint ids that the service accepts in one call: 50.</summary>
    public const int MaxEndpointIdsPerCall = 50;

    // In .NET 8, Uri refuses addresses of 65,520 or more characters. The difference leaves room for the base address and the range.
    private const int MaxQueryCharacters = 64_000;

    /// <summary>Creates a query for one or several endpoints.</summary>
    /// <param name="endpointId">An endpoint id, <c>owner/name</c> or one of its routes, <c>owner/name/route</c>.</param>
    /// <param name="moreEndpointIds">Further endpoint ids.</param>
    /// <exception cref="ArgumentException">An id is blank or contains a comma, white space or a control character.</exception>
    public AnalyticsQuery(string endpointId, params string[] moreEndpointIds)
        : this([endpointId, .. moreEndpointIds ?? throw new ArgumentNullException(nameof(moreEndpointIds))])
    {
    }

    /// <summary>Creates a query for a list of endpoints.</summary>
    /// <param name="endpointIds">At least one endpoint id. The list is copied. A duplicate id counts once.</param>
    /// <exception cref="ArgumentException">
    /// There is no id, or one is blank or contains a comma, white space or a control character.
    /// </exception>
    public AnalyticsQuery(IEnumerable<string> endpointIds)
    {
        ArgumentNullException.ThrowIfNull(endpointIds);
        EndpointIds = [.. endpointIds];
    }

    /// <summary>
    /// The endpoints, each once, in the order given. An app's id (<c>owner/name</c>) covers its routes too, so the answer can contain rows
    /// under ids that are not in this list.
    /// </summary>
    /// <remarks>
    /// The list can be longer than <see cref="MaxEndpointIdsPerCall"/>: reports and streams split it into calls. A request for a single
    /// page throws if the list is longer.
    /// </remarks>
    /// <exception cref="ArgumentException">
    /// There is no id, or one is blank or contains a comma, white space or a control character.
    /// </exception>
    public IReadOnlyList<string> EndpointIds
    {
        get;
        init
        {
            ArgumentNullException.ThrowIfNull(value);
            if (value.Count == 0)
            {
                throw new ArgumentException(
                    "The query has no endpoint. Add at least one id, such as \"my-org/my-app\".", nameof(EndpointIds));
            }

            field = WireTokenList.Create(value, "endpoint id", nameof(EndpointIds));
        }
    }

    /// <summary>
    /// The shapes and metrics to request. Default: <see cref="AnalyticsExpand.RequestCount"/>. If no shape is named,
    /// <see cref="AnalyticsExpand.TimeSeries"/> is used.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value has a bit that is not a flag of this version.</exception>
    public AnalyticsExpand Expand
    {
        get;
        init
        {
            AnalyticsExpandExtensions.ThrowIfUnknown(value, nameof(value));
            field = value;
        }
    } = AnalyticsExpand.RequestCount;

    /// <summary>
    /// Metrics that this version does not know, by their names on the wire. Default: none. They are sent after those of
    /// <see cref="Expand"/>, and their values are in <see cref="AnalyticsRow.AdditionalMetrics"/>. A name that this version knows counts as
    /// its flag.
    /// </summary>
    /// <exception cref="ArgumentException">A name is blank or contains a comma, white space or a control character.</exception>
    public IReadOnlyList<string> AdditionalExpand
    {
        get;
        init
        {
            ArgumentNullException.ThrowIfNull(value);
            field = WireTokenList.Create(value, "additional expand value", nameof(AdditionalExpand));
        }
    } = WireTokenList.Empty;

    /// <summary>
    /// Whose traffic to read. Default: <see cref="AnalyticsSource.Serverless"/>, all traffic to endpoints that the account owns.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not one of the named ones.</exception>
    public AnalyticsSource Source
    {
        get;
        init
        {
            if (value is < AnalyticsSource.Serverless or > AnalyticsSource.Models)
            {
                throw new ArgumentOutOfRangeException(nameof(value), value, "The source must be Serverless or Models.");
            }

            field = value;
        }
    }

    /// <summary>
    /// What a report or stream does about endpoints that the service refuses. Default: <see cref="RefusedEndpointPolicy.Throw"/>. A request
    /// for a single page ignores it.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not one of the named ones.</exception>
    public RefusedEndpointPolicy RefusedEndpoints
    {
        get;
        init
        {
            if (value is < RefusedEndpointPolicy.Throw or > RefusedEndpointPolicy.Skip)
            {
                throw new ArgumentOutOfRangeException(nameof(value), value, "The policy for refused endpoints must be Throw or Skip.");
            }

            field = value;
        }
    }

    /// <summary>
    /// Whether a report or stream continues without the three cold-boot percentiles if the service answers 500 to a call that requests
    /// them, which it is known to do for some endpoints. <see cref="AnalyticsReport.MissingMetrics"/> names the endpoints that lack them.
    /// Default: false, the report or stream fails. A request for a single page ignores it.
    /// </summary>
    /// <remarks>
    /// The client finds the endpoints that make the service fail with at most 31 more calls per <see cref="MaxEndpointIdsPerCall"/>
    /// endpoints. This is enough to find any three of them. If there are more, some endpoints lack the metrics although the service has
    /// them. If the service fails without these metrics too, the first of those calls shows it, and that failure is thrown. Each failed
    /// call is first retried like any other, so that a transient failure is not blamed on an endpoint. This takes most of the time.
    /// </remarks>
    public bool DegradeOnServerError { get; init; }

    /// <summary>
    /// Whether a report or stream leaves out the buckets that are still open or provisional: see
    /// <see cref="AnalyticsBucket.IsProvisional"/>. Default: false, they are included and marked. A request for a single page ignores it,
    /// and it has no effect on a summary.
    /// </summary>
    public bool ClosedOnly { get; init; }

    /// <summary>
    /// The requested values. Names in <see cref="AdditionalExpand"/> that this version knows count as flags, and the default shape is
    /// filled in.
    /// </summary>
    internal AnalyticsExpand EffectiveExpand
    {
        get
        {
            AnalyticsExpand expand = Expand;
            foreach (string name in AdditionalExpand)
            {
                expand |= AnalyticsExpandExtensions.Parse(name);
            }

            return (expand & AnalyticsExpand.Structure) != 0 ? expand : expand | AnalyticsExpand.TimeSeries;
        }
    }

    /// <summary>
    /// Whether the longest values of one call together fit into a request URI, with the same limit on every .NET version.
    /// </summary>
    internal bool FitsOneCall
    {
        get
        {
            long ids = EndpointIds.Select(id => Parameter("endpoint_id", id)).OrderDescending().Take(MaxEndpointIdsPerCall).Sum();
            long rest =
                AdditionalExpand.Sum(name => Parameter("expand", name)) + Parameter("timezone", TimeZone) + Parameter("cursor", Cursor);
            return ids + rest <= MaxQueryCharacters;

            static long Parameter(string name, string? value) => value is null ? 0 : name.Length + 2 + Uri.EscapeDataString(value).Length;
        }
    }

    /// <summary>
    /// Checks what depends on several properties: that the query requests at least one metric, and that its values fit into a request URI.
    /// Every call does this first.
    /// </summary>
    /// <exception cref="ArgumentException">
    /// Neither <see cref="Expand"/> nor <see cref="AdditionalExpand"/> names a metric, or the values together are too long for a request
    /// URI.
    /// </exception>
    public void Validate()
    {
        bool hasUnknownName = AdditionalExpand.Any(name => AnalyticsExpandExtensions.Parse(name) == AnalyticsExpand.None);
        if ((EffectiveExpand & AnalyticsExpand.AllMetrics) == 0 && !hasUnknownName)
        {
            throw new ArgumentException(
                "The query requests no metric. Set Expand to at least one, such as AnalyticsExpand.RequestCount or " +
                "AnalyticsExpand.Standard.");
        }

        if (!FitsOneCall)
        {
            throw new ArgumentException(string.Create(
                CultureInfo.InvariantCulture,
                $"The query is too long for a request URI. The endpoint ids of one call, {nameof(AdditionalExpand)}, " +
                    $"{nameof(TimeZone)} and {nameof(Cursor)} together may have at most {MaxQueryCharacters} characters in encoded form. " +
                    $"Use fewer or shorter values."));
        }
    }

    /// <summary>Checks the query for calls that follow their own pages, with any number of endpoints.</summary>
    /// <exception cref="ArgumentException">The query requests no metric, or has a cursor.</exception>
    internal void ValidateForAllPages()
    {
        Validate();
        if (Cursor is not null)
        {
            throw new ArgumentException(
                "The query has a Cursor, which points to a page of a single call. Reports and streams read all pages themselves. "
                    + "Leave Cursor null, or continue with GetNextPageAsync."
            );
        }
    }

    /// <summary>Checks the query for a call of its own, which the service limits in the number of endpoints.</summary>
    /// <exception cref="ArgumentException">
    /// The query requests no metric, or names more than <see cref="MaxEndpointIdsPerCall"/> endpoints.
    /// </exception>
    internal void ValidateForOneCall()
    {
        Validate();
        if (EndpointIds.Count > MaxEndpointIdsPerCall)
        {
            throw new ArgumentException(string.Create(
                CultureInfo.InvariantCulture,
                $"The query names {EndpointIds.Count} endpoints, but the service accepts at most {MaxEndpointIdsPerCall} per call. " +
                    $"Split the list, or use GetReportAsync or StreamTimeSeriesAsync, which split it for you."));
        }
    }

    /// <summary>The same query with a range whose ends are fixed, so that every page of the answer is about the same time.</summary>
    /// <param name="now">The current instant, usually <c>timeProvider.GetUtcNow()</c>.</param>
    /// <returns>The query itself if its range is already fixed.</returns>
    /// <exception cref="ArgumentException">The range has an open end and starts at <paramref name="now"/> or later.</exception>
    public AnalyticsQuery Resolve(DateTimeOffset now) => Range.IsFixed ? this : this with { Range = Range.Resolve(now) };

    /// <summary>The query on one line for a log: endpoints (the first three), values, range, and what else is set.</summary>
    public override string ToString() => string.Join(" | ", Parts.Select(part => part.Words).OfType<string>());

    /// <summary>
    /// Everything that determines the content of a report or stream, as a string to compare. The split into pages does not determine it.
    /// </summary>
    internal string Identity => string.Join('\n', Parts.Select(part => part.Identity));

    /// <summary>
    /// The values, each as words for a log (null if they would say nothing) and as a part of <see cref="Identity"/>. A checkpoint stores
    /// the identity of its query. After a change here, a checkpoint that was saved before matches no query.
    /// </summary>
    private IEnumerable<(string? Words, string Identity)> Parts
    {
        get
        {
            string[] metrics = [.. EffectiveExpand.GetFlags().Select(flag => flag.GetWireName())];
            return
            [
                (string.Join(", ", EndpointIds.Take(3)) + (EndpointIds.Count > 3
                    ? string.Create(CultureInfo.InvariantCulture, $" and {EndpointIds.Count - 3} more")
                    : ""),
                    string.Concat(EndpointIds.Select(id => id + "\n"))),
                (string.Join(", ", metrics.Union(AdditionalExpand, StringComparer.Ordinal)),
                    string.Join(',', (EffectiveExpand & ~AnalyticsExpand.Structure).GetFlags().Select(flag => flag.GetWireName()))),
                (null, string.Join(',', AdditionalExpand.Where(name => AnalyticsExpandExtensions.Parse(name) == AnalyticsExpand.None))),
                (string.Join(" | ", TimeParts), Grid.Identity),
                (Source == AnalyticsSource.Models ? "own calls to models" : null, $"{Source}"),
                (RefusedEndpoints == RefusedEndpointPolicy.Skip ? "skips refused endpoints" : null, $"{RefusedEndpoints}"),
                (DegradeOnServerError ? "degrades on server error" : null, $"{DegradeOnServerError}"),
                (ClosedOnly ? "closed buckets only" : null, $"{ClosedOnly}"),
            ];
        }
    }
}
