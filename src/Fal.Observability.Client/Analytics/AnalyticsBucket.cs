using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.Json.Serialization;

namespace Fal.Observability.Client;

/// <summary>One stretch of time of an analytics answer, with a row for each endpoint that has data in it.</summary>
/// <remarks>
/// A bucket is immutable and safe to share between threads. Its length is the timeframe of the query; the service does not
/// repeat it. Fields of a bucket that this version does not know are passed over.
/// </remarks>
[JsonConverter(typeof(AnalyticsBucketJsonConverter))]
public sealed class AnalyticsBucket
{
    private readonly IReadOnlyList<AnalyticsRow> _rows;

    /// <summary>A bucket without rows, for an object initializer.</summary>
    public AnalyticsBucket()
    {
        HasOffset = true;
        _rows = [];
    }

    /// <summary>A bucket as it was read or merged. The list becomes part of the bucket.</summary>
    [SetsRequiredMembers]
    internal AnalyticsBucket(DateTimeOffset start, bool hasOffset, IReadOnlyList<AnalyticsRow> rows)
    {
        Start = start;
        HasOffset = hasOffset;
        _rows = rows;
    }

    /// <summary>
    /// The instant at which the bucket starts, with the offset that the service sent: that of the query's zone at this instant. Where
    /// the service sent none, the time is read in the query's zone, or in UTC if the query names none or the machine does not know it.
    /// Where the clocks go back, a time without an offset comes twice: its neighbours tell which is meant, unless pages descend and one
    /// begins there, or a page ends within such a bucket.
    /// </summary>
    public required DateTimeOffset Start { get; init; }

    /// <summary>The rows, in the order in which the service sent them. Empty for a bucket without traffic.</summary>
    public IReadOnlyList<AnalyticsRow> Rows
    {
        get => _rows;
        init
        {
            ArgumentNullException.ThrowIfNull(value);
            _rows = [.. value];
        }
    }

    /// <summary>
    /// Whether the numbers may still change: the bucket is open, or has ended less than
    /// <see cref="FalObservabilityOptions.ProvisionalAge"/> before it was asked for. The service's data lags, at times by more. Part
    /// of the JSON, as <c>isProvisional</c>, where it is true; the service has no such field.
    /// </summary>
    public bool IsProvisional { get; init; }

    /// <summary>
    /// Whether the bucket had not ended when it was asked for, so that its numbers cover a part of it. An open bucket is provisional too.
    /// Part of the JSON, as <c>isOpen</c>, where it is true; the service has no such field.
    /// </summary>
    public bool IsOpen { get; init; }

    /// <summary>Whether the offset of <see cref="Start"/> was given. Without one it reads as UTC until a zone is known.</summary>
    internal bool HasOffset { get; }

    /// <summary>The start and the number of rows, for a log line: <c>2026-01-15T12:00:00-05:00 (3 rows)</c>.</summary>
    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{Start:yyyy-MM-dd'T'HH:mm:sszzz} ({Rows.Count} rows)");

    /// <summary>This bucket with other rows, and as provisional and open as any of the parts that they came from.</summary>
    internal AnalyticsBucket With(IReadOnlyList<AnalyticsRow> rows, IReadOnlyList<AnalyticsBucket> parts) => new(Start, HasOffset, rows)
    {
        IsProvisional = parts.Any(part => part.IsProvisional),
        IsOpen = parts.Any(part => part.IsOpen),
    };
}
