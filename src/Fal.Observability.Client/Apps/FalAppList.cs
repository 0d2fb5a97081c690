using System.Text.Json;
using System.Text.Json.Serialization;

namespace Fal.Observability.Client;

/// <summary>The apps of the account in the requested environments.</summary>
/// <remarks>A list is immutable and safe to share between threads. A test can create it with an object initializer.</remarks>
[JsonConverter(typeof(FalJsonConverter<FalAppList>))]
public sealed class FalAppList : IFalJson<FalAppList>, IFalAnswered
{
    private static readonly string[] Members = ["apps", "has_more", "next_cursor", "as_of"];

    private IReadOnlyList<FalAnswer> _answers = [];
    private readonly Lazy<Dictionary<string, FalApp>> _byEndpoint;

    /// <summary>A list, for an object initializer.</summary>
    public FalAppList()
    {
        _byEndpoint = new Lazy<Dictionary<string, FalApp>>(ByEndpoint);
    }

    /// <summary>
    /// The apps, ordered by environment as in the query, and then as in the service's answer. An app that is deployed in several
    /// environments appears once for each.
    /// </summary>
    /// <exception cref="ArgumentNullException">The list is null.</exception>
    public required IReadOnlyList<FalApp> Apps { get; init => field = OwnCopy.Of(value); }

    /// <summary>
    /// Whether the service has more apps than it sent. False as far as it is documented: the service lists all apps in one answer. If it is
    /// true, the client cannot request the rest, <see cref="Apps"/> is incomplete, and a warning is logged.
    /// </summary>
    public bool HasMore { get; init; }

    /// <summary>
    /// The requested environments. The list has no apps of other environments. <see cref="FalEnvironments.Main"/> if the query named none.
    /// Empty on a list that no client has fetched.
    /// </summary>
    public IReadOnlyList<string> Environments { get; init => field = OwnCopy.Of(value); } = [];

    /// <summary>
    /// The origin of the data: one entry per answered call, in the order of arrival. Empty on a list that no client has fetched.
    /// </summary>
    /// <exception cref="ArgumentNullException">The list is null.</exception>
    public IReadOnlyList<FalAnswer> Answers { get => _answers; init => _answers = OwnCopy.Of(value); }

    /// <summary>The app that an endpoint belongs to.</summary>
    /// <param name="endpointId">The id of an app or of one of its routes, such as <see cref="AnalyticsRow.EndpointId"/>.</param>
    /// <returns>
    /// The app that lists the endpoint in <see cref="FalApp.Endpoints"/>, else the app whose id is the first two parts of
    /// <paramref name="endpointId"/>; null if the list has no such app. If an app is listed for several environments, the first one.
    /// </returns>
    public FalApp? AppOf(string endpointId)
    {
        ArgumentNullException.ThrowIfNull(endpointId);
        return _byEndpoint.Value.GetValueOrDefault(endpointId) ?? _byEndpoint.Value.GetValueOrDefault(FalAppId.AppOf(endpointId));
    }

    /// <summary>
    /// A query for every app of the list, for <see cref="IFalAnalyticsClient.GetReportAsync"/>. An app is left out if no query can carry
    /// its id, for instance because the id contains a comma.
    /// </summary>
    /// <param name="expand">The metrics. Default: the numbers of requests, of successes, and of errors by their kind.</param>
    /// <returns>The query; <c>query with { Range = ... }</c> changes its other settings.</returns>
    /// <exception cref="InvalidOperationException">The list holds no app.</exception>
    /// <example>
    /// <code>
    /// FalAppList apps = await fal.Apps.ListAsync();
    /// AnalyticsReport report = await fal.Analytics.GetReportAsync(apps.ToQuery());
    /// </code>
    /// </example>
    public AnalyticsQuery ToQuery(AnalyticsExpand expand = AnalyticsExpand.Volume)
    {
        string[] ids = [.. Apps.Select(app => app.EndpointId).Where(id => WireToken.ProblemOf(id) is null)];
        return ids.Length == 0
            ? throw new InvalidOperationException(
                $"There is no app to query. The account has none in {EnvironmentNames}, or none that matches the search. " +
                "Name the environments in FalAppQuery.")
            : new AnalyticsQuery(ids) { Expand = expand };
    }

    /// <summary>Adds up the rows of buckets for each app, the rows of its routes included.</summary>
    /// <param name="buckets">Buckets, without duplicates.</param>
    /// <returns>
    /// The totals by <see cref="FalApp.EndpointId"/>, in ordinal order of the ids. Rows of an app that is not in the list are counted under
    /// its id, <c>owner/name</c>.
    /// </returns>
    /// <exception cref="ArgumentException">A bucket or a row is null.</exception>
    public IReadOnlyDictionary<string, AnalyticsTotals> ByApp(IEnumerable<AnalyticsBucket> buckets)
    {
        ArgumentNullException.ThrowIfNull(buckets);
        return ByApp(AnalyticsTotals.WithoutNull(buckets, nameof(buckets)).SelectMany(bucket => bucket.Rows));
    }

    /// <summary>Adds up rows for each app, the rows of its routes included.</summary>
    /// <param name="rows">Rows of buckets or of a summary, without duplicates.</param>
    /// <returns>
    /// The totals by <see cref="FalApp.EndpointId"/>, in ordinal order of the ids. Rows of an app that is not in the list are counted under
    /// its id, <c>owner/name</c>.
    /// </returns>
    /// <exception cref="ArgumentException">A row is null.</exception>
    public IReadOnlyDictionary<string, AnalyticsTotals> ByApp(IEnumerable<AnalyticsRow> rows)
    {
        ArgumentNullException.ThrowIfNull(rows);
        return new SortedDictionary<string, AnalyticsTotals>(
            rows.GroupBy(row => IdOf(row?.EndpointId ?? throw new ArgumentException("One of the rows is null.", nameof(rows))),
                    StringComparer.Ordinal)
                .ToDictionary(same => same.Key, AnalyticsTotals.Of),
            StringComparer.Ordinal);
    }

    FalAnswer IFalAnswered.Answer
    {
        get => _answers is [.., var last] ? last : new FalAnswer();
        set => _answers = [value];
    }

    static FalAppList IFalJson<FalAppList>.ReadJson(ref Utf8JsonReader reader)
    {
        List<FalApp>? apps = null;
        DateTimeOffset? asOf = null;
        bool hasMore = false;
        var members = new AnswerMembers(ref reader, "The list of apps", Members);
        while (members.Next(ref reader) is { } name)
        {
            switch (name)
            {
                case "apps":
                    apps = AnswerJson.ReadList<FalApp>(ref reader, name);
                    break;
                case "has_more":
                    hasMore |= AnswerJson.ReadFlagIfAny(ref reader);
                    break;
                case "next_cursor":
                    hasMore |= reader.TokenType == JsonTokenType.Number || AnswerJson.ReadTextIfAny(ref reader) is { Length: > 0 };
                    break;
                default:
                    asOf = AnswerJson.ReadInstantIfAny(ref reader);
                    break;
            }
        }

        return new FalAppList
        {
            Apps = apps ?? throw new JsonException("The answer has no 'apps'. An account without apps has an empty list."),
            HasMore = hasMore,
            Answers = asOf is null ? [] : [new FalAnswer { AsOf = asOf }],
        };
    }

    void IFalJson<FalAppList>.WriteJson(Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        AnswerJson.WriteList(writer, "apps", Apps);
        if (HasMore)
        {
            writer.WriteBoolean("has_more"u8, true);
        }

        if (Answers.Min(answer => answer.AsOf) is { } asOf)
        {
            writer.WriteString("as_of"u8, asOf);
        }

        writer.WriteEndObject();
    }

    /// <summary>The environments and the number of apps, for a log line: <c>12 apps in main, staging</c>.</summary>
    public override string ToString() => string.Create(System.Globalization.CultureInfo.InvariantCulture,
        $"{Apps.Count} apps in {EnvironmentNames}");

    private string EnvironmentNames => Environments.Count == 0 ? "the list" : string.Join(", ", Environments);

    private string IdOf(string endpointId) => AppOf(endpointId)?.EndpointId ?? FalAppId.AppOf(endpointId);

    private Dictionary<string, FalApp> ByEndpoint()
    {
        var apps = new Dictionary<string, FalApp>(StringComparer.Ordinal);

        // An app's own id takes precedence over a route that another app claims.
        foreach (FalApp app in Apps)
        {
            apps.TryAdd(app.EndpointId, app);
        }

        foreach (FalApp app in Apps)
        {
            foreach (string endpoint in app.Endpoints ?? [])
            {
                apps.TryAdd(endpoint, app);
            }
        }

        return apps;
    }
}
