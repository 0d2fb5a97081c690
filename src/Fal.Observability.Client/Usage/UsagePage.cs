using System.Text.Json;
using System.Text.Json.Serialization;

namespace Fal.Observability.Client;

/// <summary>One page of a usage answer.</summary>
/// <remarks>A page is immutable and safe to share between threads. A test can create it with an object initializer.</remarks>
[JsonConverter(typeof(FalJsonConverter<UsagePage>))]
public sealed class UsagePage : FalPage<UsageBucket, UsageRow>, IFalJson<UsagePage>
{
    static UsagePage IFalJson<UsagePage>.ReadJson(ref Utf8JsonReader reader) => Read<UsagePage>(ref reader);

    void IFalJson<UsagePage>.WriteJson(Utf8JsonWriter writer) => Write(writer);

    /// <inheritdoc cref="FalPage{TBucket, TRow}.BucketsIn"/>
    internal IReadOnlyList<UsageBucket> BucketsIn(AnalyticsTimeGrid grid, DateTimeOffset? preceding) =>
        BucketsIn(grid, preceding, (bucket, start) => new UsageBucket(start, bucket.Rows));
}
