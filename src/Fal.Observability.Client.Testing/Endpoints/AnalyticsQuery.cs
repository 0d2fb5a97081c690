using Microsoft.Extensions.Primitives;

namespace Fal.Observability.Client.Testing;

/// <summary>A validated query string of an analytics call.</summary>
internal sealed record AnalyticsQuery(AnalyticsRequest Request, int Limit, int Page, QueryParameters Parameters)
{
    /// <summary>The most endpoint ids that one call may name.</summary>
    public const int MostEndpointIds = 50;

    /// <summary>The cursor of a page.</summary>
    public string Cursor(int page) => Parameters.Cursor(page);

    /// <summary>Reads a query string.</summary>
    /// <param name="query">With or without the question mark.</param>
    /// <param name="pageSize">The limit where none is asked for, and the highest one.</param>
    /// <param name="mostEndpointIds">More ids are refused.</param>
    /// <param name="now">The clock that relative defaults start from.</param>
    /// <exception cref="RefusedCallException">A parameter is wrong.</exception>
    public static AnalyticsQuery Parse(string query, int pageSize, int mostEndpointIds, DateTimeOffset now)
    {
        var parameters = new QueryParameters(query);
        List<string> ids = parameters.List("endpoint_id");
        if (ids.Count == 0)
        {
            throw RefusedCallException.Invalid("endpoint_id is required: send 1 to 50 endpoint ids.");
        }

        if (ids.Count > mostEndpointIds)
        {
            throw RefusedCallException.Invalid(
                $"endpoint_id names {ids.Count} endpoints: at most {mostEndpointIds} are allowed in one call.");
        }

        (bool timeSeries, bool summary, List<string> metrics) = Expand(parameters);

        var request = new AnalyticsRequest
        {
            EndpointIds = ids,
            Metrics = metrics,
            TimeSeries = timeSeries,
            Summary = summary,
            Time = parameters.Time(now),
        };
        if (timeSeries)
        {
            request.Time.RefuseTooManyBuckets();
        }

        return new AnalyticsQuery(request, parameters.Limit(pageSize), parameters.Page(), parameters);
    }

    private static (bool TimeSeries, bool Summary, List<string> Metrics) Expand(QueryParameters parameters)
    {
        StringValues values = parameters.Values("expand");
        if (values.Count == 0)
        {
            return (true, false, ["request_count"]);
        }

        bool timeSeries = false;
        bool summary = false;
        var metrics = new List<string>();
        foreach (string? value in values)
        {
            if (value == "time_series")
            {
                timeSeries = true;
            }
            else if (value == "summary")
            {
                summary = true;
            }
            else if (!AnalyticsMetric.ByName.ContainsKey(value!))
            {
                throw RefusedCallException.Invalid(
                    $"expand has the unknown value '{value}': send known values, each in a parameter of its own.");
            }
            else if (!metrics.Contains(value!))
            {
                metrics.Add(value!);
            }
        }
        if (!timeSeries && !summary)
        {
            throw RefusedCallException.Invalid("expand names no structure: add 'time_series' or 'summary'.");
        }

        if (metrics.Count == 0)
        {
            throw RefusedCallException.Invalid("expand names no metric: add at least one, such as 'request_count'.");
        }

        return (timeSeries, summary, metrics);
    }
}
