using System.ComponentModel;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Fal.Observability.Client;

/// <summary>
/// Reads and writes an <see cref="AnalyticsPage"/> as the service's JSON. It hangs on the type, so that pages can be part of other types
/// and of other source-generated contexts; nobody needs to name it.
/// </summary>
/// <remarks>
/// Fields that this version does not know are passed over. What would lose rows without a word is an error: a page without any list of
/// rows, a list that is there twice, or something other than a bucket or a row in a list.
/// </remarks>
[EditorBrowsable(EditorBrowsableState.Never)]
public sealed class AnalyticsPageJsonConverter : JsonConverter<AnalyticsPage>
{
    private static ReadOnlySpan<byte> CursorName => "next_cursor"u8;

    private static ReadOnlySpan<byte> MoreName => "has_more"u8;

    private static ReadOnlySpan<byte> TimeSeriesName => "time_series"u8;

    private static ReadOnlySpan<byte> SummaryName => "summary"u8;

    /// <inheritdoc/>
    /// <exception cref="JsonException">
    /// The JSON is not an object, has neither a time series nor a summary, has one of its fields twice, has a cursor that is not text, or
    /// holds a bucket or a row that cannot be read.
    /// </exception>
    public override AnalyticsPage Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            throw new JsonException($"A page of analytics must be an object, and is a JSON value of the kind {reader.TokenType}.");
        }

        string? cursor = null;
        bool? saysMore = null;
        List<AnalyticsBucket>? timeSeries = null;
        List<AnalyticsRow>? summary = null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals(CursorName))
            {
                ThrowIfTwice(cursor is not null, "next_cursor");
                reader.Read();
                cursor = ReadCursor(ref reader);
            }
            else if (reader.ValueTextEquals(MoreName))
            {
                ThrowIfTwice(saysMore is not null, "has_more");
                reader.Read();
                saysMore = ReadMore(ref reader);
            }
            else if (reader.ValueTextEquals(TimeSeriesName))
            {
                ThrowIfTwice(timeSeries is not null, "time_series");
                reader.Read();
                timeSeries = reader.TokenType == JsonTokenType.Null ? null : ReadTimeSeries(ref reader);
            }
            else if (reader.ValueTextEquals(SummaryName))
            {
                ThrowIfTwice(summary is not null, "summary");
                reader.Read();
                summary = reader.TokenType == JsonTokenType.Null ? null : AnalyticsRowJsonConverter.ReadRows(ref reader, "summary");
            }
            else
            {
                reader.Read();
                reader.TrySkip();
            }
        }

        if (timeSeries is null && summary is null)
        {
            throw new JsonException(
                "The page has neither a time series (time_series) nor a summary (summary). It would pass for a time without traffic, for which the service sends an empty list.");
        }

        return new AnalyticsPage
        {
            NextCursor = cursor,
            HasMore = saysMore == true,
            TimeSeries = timeSeries ?? [],
            Summary = summary ?? [],
            LacksTimeSeries = timeSeries is null,
            LacksSummary = summary is null,
        };
    }

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, AnalyticsPage value, JsonSerializerOptions options)
    {
        ArgumentNullException.ThrowIfNull(writer);
        ArgumentNullException.ThrowIfNull(value);
        writer.WriteStartObject();
        writer.WriteString(CursorName, value.NextCursor);
        writer.WriteBoolean(MoreName, value.HasMore);
        if (!value.LacksTimeSeries)
        {
            writer.WriteStartArray(TimeSeriesName);
            foreach (AnalyticsBucket bucket in value.TimeSeries)
            {
                AnalyticsBucketJsonConverter.WriteBucket(writer, bucket);
            }

            writer.WriteEndArray();
        }

        if (!value.LacksSummary)
        {
            writer.WriteStartArray(SummaryName);
            foreach (AnalyticsRow row in value.Summary)
            {
                AnalyticsRowJsonConverter.WriteRow(writer, row);
            }

            writer.WriteEndArray();
        }

        writer.WriteEndObject();
    }

    private static string? ReadCursor(ref Utf8JsonReader reader)
    {
        if (reader.TokenType is not (JsonTokenType.String or JsonTokenType.Null))
        {
            throw new JsonException($"The cursor of a page (next_cursor) must be a string, and is a JSON value of the kind {reader.TokenType}.");
        }

        string? cursor = reader.GetString();
        return cursor?.Contains(FalJsonText.Replacement, StringComparison.Ordinal) == true
            ? throw new JsonException($"The cursor of a page (next_cursor), \"{cursor}\", is not valid text and cannot be sent back as it came.")
            : cursor;
    }

    /// <summary>Whether the flag promises more, in any of the usual spellings of yes. What is none of them promises nothing.</summary>
    private static bool ReadMore(ref Utf8JsonReader reader)
    {
        bool more = reader.TokenType switch
        {
            JsonTokenType.True => true,
            JsonTokenType.Number => reader.TryGetDouble(out double number) && number != 0,
            JsonTokenType.String => reader.ValueTextEquals("1"u8) || string.Equals(reader.GetString(), "true", StringComparison.OrdinalIgnoreCase),
            _ => false,
        };
        reader.TrySkip();
        return more;
    }

    private static List<AnalyticsBucket> ReadTimeSeries(ref Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.StartArray)
        {
            throw new JsonException($"'time_series' must be a list of time buckets, and is a JSON value of the kind {reader.TokenType}.");
        }

        List<AnalyticsBucket> buckets = [];
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            try
            {
                buckets.Add(AnalyticsBucketJsonConverter.ReadBucket(ref reader));
            }
            catch (JsonException e)
            {
                throw AnalyticsRowJsonConverter.At(string.Create(CultureInfo.InvariantCulture, $"time_series[{buckets.Count}]"), e);
            }
        }

        return buckets;
    }

    private static void ThrowIfTwice(bool isThere, string name)
    {
        if (isThere)
        {
            throw new JsonException($"The page holds '{name}' twice, and nothing says which of the two counts.");
        }
    }
}
