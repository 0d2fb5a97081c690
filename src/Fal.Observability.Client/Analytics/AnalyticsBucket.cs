using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Fal.Observability.Client;

/// <summary>One time bucket of an analytics answer, with a row for each endpoint that has data in it.</summary>
/// <remarks>
/// A bucket is immutable and safe to share between threads. Its length is the timeframe of the query; the service does not repeat it.
/// Fields of a bucket that this version does not know are ignored.
/// </remarks>
[JsonConverter(typeof(FalJsonConverter<AnalyticsBucket>))]
public sealed class AnalyticsBucket : FalBucket<AnalyticsRow>, IFalJson<AnalyticsBucket>
{
    // In a spelling that the service never uses.
    private const string IsProvisionalName = "isProvisional";
    private const string IsOpenName = "isOpen";

    private static readonly string[] Members = ["bucket", "results", IsProvisionalName, IsOpenName];

    /// <summary>A bucket without rows, for an object initializer.</summary>
    public AnalyticsBucket()
    {
    }

    /// <summary>A bucket as it was read or merged. The list becomes part of the bucket.</summary>
    [SetsRequiredMembers]
    internal AnalyticsBucket(BucketStart start, IReadOnlyList<AnalyticsRow> rows)
        : base(start, rows)
    {
    }

    /// <summary>
    /// Whether the numbers may still change: the bucket is open, or ended less than <see cref="FalObservabilityOptions.ProvisionalAge"/>
    /// before the request. The service's data sometimes lags by more than that. If true, it is written to the JSON as <c>isProvisional</c>;
    /// the service has no such field.
    /// </summary>
    public bool IsProvisional { get; init; }

    /// <summary>
    /// Whether the bucket had not ended at the time of the request, so that its numbers cover only a part of it. An open bucket is
    /// provisional too. If true, it is written to the JSON as <c>isOpen</c>; the service has no such field.
    /// </summary>
    public bool IsOpen { get; init; }

    static AnalyticsBucket IFalJson<AnalyticsBucket>.ReadJson(ref Utf8JsonReader reader)
    {
        BucketStart? start = null;
        List<AnalyticsRow>? rows = null;
        bool isProvisional = false;
        bool isOpen = false;
        var members = new AnswerMembers(ref reader, "A time bucket", Members);
        while (members.Next(ref reader) is { } name)
        {
            switch (name)
            {
                case "bucket":
                    start = AnswerJson.ReadStart(ref reader);
                    break;
                case "results":
                    rows = AnswerJson.ReadList<AnalyticsRow>(ref reader, name);
                    break;
                case IsProvisionalName:
                    isProvisional = ReadMark(ref reader);
                    break;
                default:
                    isOpen = ReadMark(ref reader);
                    break;
            }
        }

        (BucketStart at, IReadOnlyList<AnalyticsRow> whole) = Require(start, rows);
        return new AnalyticsBucket(at, whole) { IsProvisional = isProvisional, IsOpen = isOpen };
    }

    void IFalJson<AnalyticsBucket>.WriteJson(Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        AnswerJson.WriteStart(writer, "bucket", Origin);
        AnswerJson.WriteList(writer, "results", Rows);
        if (IsProvisional)
        {
            writer.WriteBoolean(IsProvisionalName, true);
        }

        if (IsOpen)
        {
            writer.WriteBoolean(IsOpenName, true);
        }

        writer.WriteEndObject();
    }

    /// <summary>This bucket with other rows, and as provisional and open as any of the parts that they came from.</summary>
    internal AnalyticsBucket With(IReadOnlyList<AnalyticsRow> rows, IReadOnlyList<AnalyticsBucket> parts) => new(Origin, rows)
    {
        IsProvisional = parts.Any(part => part.IsProvisional),
        IsOpen = parts.Any(part => part.IsOpen),
    };

    private static bool ReadMark(ref Utf8JsonReader reader)
    {
        bool value = reader.TokenType == JsonTokenType.True;
        reader.TrySkip();
        return value;
    }
}
