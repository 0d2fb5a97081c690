using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Fal.Observability.Client;

/// <summary>How many runners an app had in one bucket of time, by their state.</summary>
/// <remarks>
/// A number is the maximum or the mean of the bucket, as <see cref="FalRunnerHistory.Aggregation"/> says; null if the service omits it. The
/// maxima of two states can occur at different moments. Immutable and safe to share between threads.
/// </remarks>
[JsonConverter(typeof(FalJsonConverter<FalRunnerBucket>))]
public sealed class FalRunnerBucket : IFalJson<FalRunnerBucket>
{
    /// <summary>The instant at which the bucket starts, in UTC.</summary>
    public required DateTimeOffset Start { get; init; }

    /// <summary>Runners that were processing requests.</summary>
    public double? Running { get; init; }

    /// <summary>Runners that were up and had no request: billed but unused.</summary>
    public double? Idle { get; init; }

    /// <summary>Runners that waited for a machine or were starting.</summary>
    public double? Pending { get; init; }

    /// <summary>Runners that were finishing their requests before they shut down.</summary>
    public double? Draining { get; init; }

    static FalRunnerBucket IFalJson<FalRunnerBucket>.ReadJson(ref Utf8JsonReader reader)
    {
        var bucket = new AnswerObject(ref reader, "A runner bucket");
        return new FalRunnerBucket
        {
            Start = bucket.RequiredInstant("timestamp"),
            Running = Count("running"),
            Idle = Count("idle"),
            Pending = Count("pending"),
            Draining = Count("draining"),
        };

        // An impossible number of runners is an error, because it would look like a measurement.
        double? Count(string name) => bucket.Amount<double>(
            name, value => value.TryGetDouble(out double number) && number >= 0 && double.IsFinite(number) ? number : null);
    }

    void IFalJson<FalRunnerBucket>.WriteJson(Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        writer.WriteString("timestamp"u8, Start);
        AnswerJson.Write(writer, "running", Running);
        AnswerJson.Write(writer, "idle", Idle);
        AnswerJson.Write(writer, "pending", Pending);
        AnswerJson.Write(writer, "draining", Draining);
        writer.WriteEndObject();
    }

    /// <summary>The numbers on one line for a log.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"{Start:yyyy-MM-dd'T'HH:mm:ss'Z'}: {Running} running, {Idle} idle, {Pending} pending, {Draining} draining");
}
