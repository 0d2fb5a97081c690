using System.Text.Json;
using Fal.Observability.Client;
using Fal.Observability.Client.Prometheus;

namespace Fal.Observability.PrometheusBridge;

/// <summary>Analytics as samples at their own time: one series for each metric of each endpoint, its timestamp the start of the bucket.</summary>
internal static class AnalyticsSamples
{
    /// <summary>The samples of buckets, in the buckets' order. The names are those of the publisher's analytics.</summary>
    public static IEnumerable<PrometheusSample> Of(IEnumerable<AnalyticsBucket> buckets, string account)
    {
        foreach (AnalyticsBucket bucket in buckets)
        {
            long timestamp = bucket.Start.ToUnixTimeMilliseconds();
            foreach (AnalyticsRow row in bucket.Rows)
            {
                LabelSet labels = [new("account", account), new("endpoint_id", row.EndpointId)];
                foreach (AnalyticsExpand metric in row.Metrics.GetFlags())
                {
                    string unit = metric.IsDuration() ? "_seconds" : "";
                    yield return new PrometheusSample($"fal_analytics_{metric.GetWireName()}{unit}", labels, row.GetValue(metric)!.Value, timestamp);
                }

                // A metric that is newer than this program goes along, if it is a number and its name can be one in Prometheus.
                foreach ((string name, JsonElement value) in row.AdditionalMetrics)
                {
                    if (value.ValueKind == JsonValueKind.Number && name.All(c => char.IsAsciiLetterOrDigit(c) || c == '_'))
                    {
                        yield return new PrometheusSample($"fal_analytics_{name}", labels, value.GetDouble(), timestamp);
                    }
                }
            }
        }
    }
}
