using Fal.Observability.Client;
using Fal.Observability.Client.Prometheus;

namespace Fal.Observability.PrometheusBridge;

/// <summary>Analytics as samples at their own time: one series for each metric of each endpoint, its timestamp the start of the bucket.</summary>
internal static class AnalyticsSamples
{
    /// <summary>The samples of one bucket. The names are those of the publisher's analytics.</summary>
    /// <param name="bucket">The bucket.</param>
    /// <param name="account">The value of the label <c>account</c>.</param>
    /// <param name="timeframe">The length of the bucket: minutes and hours of one endpoint are different series.</param>
    public static IEnumerable<PrometheusSample> Of(AnalyticsBucket bucket, string account, AnalyticsTimeframe timeframe)
    {
        long timestamp = bucket.Start.ToUnixTimeMilliseconds();
        foreach (AnalyticsRow row in bucket.Rows)
        {
            LabelSet labels = [new("account", account), new("endpoint_id", row.EndpointId), new("timeframe", NameOf(timeframe))];
            foreach (AnalyticsExpand metric in row.Metrics.GetFlags())
            {
                yield return new PrometheusSample(NameOf(metric), labels, row.GetValue(metric)!.Value, timestamp);
            }
        }
    }

    /// <summary>The name of a metric's series, here and where the publisher shows the latest bucket.</summary>
    public static string NameOf(AnalyticsExpand metric) => $"fal_analytics_{metric.GetWireName()}{(metric.IsDuration() ? "_seconds" : "")}";

    private static string NameOf(AnalyticsTimeframe timeframe) => timeframe switch
    {
        AnalyticsTimeframe.Minute => "minute",
        AnalyticsTimeframe.Hour => "hour",
        _ => "day",
    };
}
