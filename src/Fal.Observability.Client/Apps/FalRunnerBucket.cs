using System.Globalization;
using System.Text.Json.Serialization;

namespace Fal.Observability.Client;

/// <summary>How many runners an app had in one bucket of time, by their state.</summary>
/// <remarks>
/// A number is the highest of the bucket or the mean over it, as <see cref="FalRunnerHistory.Aggregation"/> says; null if the service
/// leaves it out. The highest numbers of two states can be of different moments. Immutable and safe to share between threads.
/// </remarks>
public sealed class FalRunnerBucket
{
    /// <summary>The instant at which the bucket starts, in UTC.</summary>
    [JsonPropertyName("timestamp")]
    [JsonConverter(typeof(FalInstantJsonConverter))]
    public required DateTimeOffset Start { get; init; }

    /// <summary>Runners that were processing requests.</summary>
    [JsonPropertyName("running")]
    [JsonConverter(typeof(FalRunnerNumberJsonConverter))]
    public double? Running { get; init; }

    /// <summary>Runners that were up and had no request: billed, and not used.</summary>
    [JsonPropertyName("idle")]
    [JsonConverter(typeof(FalRunnerNumberJsonConverter))]
    public double? Idle { get; init; }

    /// <summary>Runners that waited for a machine or were starting.</summary>
    [JsonPropertyName("pending")]
    [JsonConverter(typeof(FalRunnerNumberJsonConverter))]
    public double? Pending { get; init; }

    /// <summary>Runners that were finishing their requests before they shut down.</summary>
    [JsonPropertyName("draining")]
    [JsonConverter(typeof(FalRunnerNumberJsonConverter))]
    public double? Draining { get; init; }

    /// <summary>The numbers on one line for a log.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"{Start:yyyy-MM-dd'T'HH:mm:ss'Z'}: {Running} running, {Idle} idle, {Pending} pending, {Draining} draining");
}
