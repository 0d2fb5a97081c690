using Fal.Observability.Client;
using Fal.Observability.Client.Prometheus;

namespace Fal.Observability.Tools;

/// <summary>
/// Analytics as samples at their own time: one series for each metric of each endpoint, its timestamp the start of the bucket.
/// </summary>
internal static class AnalyticsSamples
{
    private static readonly IReadOnlyList<AnalyticsExpand> All = AnalyticsExpand.AllMetrics.GetFlags();

    /// <summary>
    /// The samples of one bucket, each series once. The names are those of the publisher's analytics. A row without a readable
    /// endpoint id belongs to no series, and a value that is not a finite number to no sample.
    /// </summary>
    /// <param name="bucket">The bucket.</param>
    /// <param name="account">The value of the label <c>account</c>.</param>
    /// <param name="timeframe">The length of the bucket: minutes and hours of one endpoint are different series.</param>
    /// <param name="leftOut">Receives what has no place among the samples.</param>
    public static IEnumerable<PrometheusSample> Of(AnalyticsBucket bucket, string account, AnalyticsTimeframe timeframe, ILeftOut leftOut)
    {
        var series = new DistinctSeries();
        long timestamp = bucket.Start.ToUnixTimeMilliseconds();
        foreach (AnalyticsRow row in bucket.Rows)
        {
            if (!row.IsIdentified)
            {
                leftOut.Row(account, timeframe.GetWireName());
                continue;
            }

            // Two ids that UTF-8 cannot carry may become the same one.
            LabelSet sent = LabelsOf(row.EndpointId);
            string id = ClassicLabels.WellFormed(row.EndpointId);
            LabelSet labels = id == row.EndpointId ? sent : LabelsOf(id);
            foreach (AnalyticsExpand metric in All)
            {
                if (row.GetNumber(metric) is { } value)
                {
                    var sample = new PrometheusSample(NameOf(metric), sent, value, timestamp);
                    if (series.TakenBy(sample, sample.Name, labels) is { } first)
                    {
                        leftOut.Series(account, sample, sample.Name, first, isSame: first == SentSeries.Of(sample, family: null));
                    }
                    else
                    {
                        yield return new PrometheusSample(sample.Name, labels, value, timestamp);
                    }
                }
                else if (row.AdditionalMetrics.ContainsKey(metric.GetWireName()))
                {
                    leftOut.Value(account, row.EndpointId, metric.GetWireName());
                }
            }
        }

        LabelSet LabelsOf(string endpointId) =>
            [new("account", account), new("endpoint_id", endpointId), new("timeframe", timeframe.GetWireName())];
    }

    /// <summary>The name of a metric's series, here and where the publisher shows the latest bucket.</summary>
    public static string NameOf(AnalyticsExpand metric) => $"fal_analytics_{metric.GetWireName()}{(metric.IsDuration() ? "_seconds" : "")}";
}
