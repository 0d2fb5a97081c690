using Fal.Observability.Client;
using Fal.Observability.Client.Prometheus;

namespace Fal.Observability.Bridge;

/// <summary>Analytics as samples at their own time: one series for each metric of each endpoint, its timestamp the start of the bucket.</summary>
internal static class AnalyticsSamples
{
    /// <summary>
    /// The samples of one bucket, each series once. The names are those of the publisher's analytics. A row without an endpoint id belongs to
    /// no series.
    /// </summary>
    /// <param name="bucket">The bucket.</param>
    /// <param name="account">The value of the label <c>account</c>.</param>
    /// <param name="timeframe">The length of the bucket: minutes and hours of one endpoint are different series.</param>
    /// <param name="leftOut">Is told what has no place among the samples.</param>
    public static IEnumerable<PrometheusSample> Of(AnalyticsBucket bucket, string account, AnalyticsTimeframe timeframe, LeftOut leftOut)
    {
        var series = new DistinctSeries();
        long timestamp = bucket.Start.ToUnixTimeMilliseconds();
        foreach (AnalyticsRow row in bucket.Rows)
        {
            if (row.EndpointId.Length == 0)
            {
                leftOut.Row(account, NameOf(timeframe));
                continue;
            }

            LabelSet labels =
                [new("account", account), new("endpoint_id", ClassicLabels.WellFormed(row.EndpointId)), new("timeframe", NameOf(timeframe))];
            foreach (AnalyticsExpand metric in row.Metrics.GetFlags())
            {
                var sample = new PrometheusSample(NameOf(metric), labels, row.GetValue(metric)!.Value, timestamp);
                if (series.TakenBy(sample, sample.Name, labels) is { } first)
                {
                    leftOut.Series(account, sample, sample.Name, first, isSame: first == SentSeries.Of(sample, family: null));
                }
                else
                {
                    yield return sample;
                }
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
