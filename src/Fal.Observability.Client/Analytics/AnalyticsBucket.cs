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
    /// <see cref="FalObservabilityOptions.ProvisionalAge"/> before it was asked for. The service's data lags, at times by more. Not part of
    /// the JSON.
    /// </summary>
    public bool IsProvisional { get; init; }

    /// <summary>
    /// Whether the bucket had not ended when it was asked for, so that its numbers cover a part of it. An open bucket is provisional too.
    /// Not part of the JSON.
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

    /// <summary>Buckets in the order of an answer, with those that came without an offset read in a zone.</summary>
    /// <remarks>
    /// Where the clocks go back, a local time comes twice and only its neighbours tell which of the two is meant: in an ascending
    /// answer the later one if the earlier would not lie after the bucket before.
    /// </remarks>
    /// <param name="buckets">The buckets of one page.</param>
    /// <param name="zone">The zone of the query.</param>
    /// <param name="preceding">The last bucket of the page before, already read, if there is one.</param>
    internal static IReadOnlyList<AnalyticsBucket> InZone(
        IReadOnlyList<AnalyticsBucket> buckets, TimeZoneInfo zone, AnalyticsBucket? preceding = null)
    {
        if (buckets.All(bucket => bucket.HasOffset))
        {
            return buckets;
        }

        bool ascending = IsAscending(buckets, zone, preceding);
        DateTimeOffset? before = preceding?.Start;
        var read = new AnalyticsBucket[buckets.Count];
        for (int i = 0; i < read.Length; i++)
        {
            read[i] = buckets[i].InZone(zone, before, ascending);
            before = read[i].Start;
        }

        return read;
    }

    /// <summary>This bucket, with its start read in a zone if it came without an offset.</summary>
    /// <param name="zone">The zone of the query.</param>
    /// <param name="before">The start of the bucket before this one, if there is one.</param>
    /// <param name="ascending">Whether the buckets ascend in time.</param>
    internal AnalyticsBucket InZone(TimeZoneInfo zone, DateTimeOffset? before = null, bool ascending = true)
    {
        if (HasOffset)
        {
            return this;
        }

        DateTime local = Start.DateTime;
        if (local.Year is 1 or 9999)
        {
            // No offset may lead beyond the calendar; such a time says nothing in any zone.
            return this;
        }

        if (!zone.IsAmbiguousTime(local))
        {
            return new AnalyticsBucket(new DateTimeOffset(local, zone.GetUtcOffset(local)), hasOffset: true, _rows);
        }

        TimeSpan[] offsets = zone.GetAmbiguousTimeOffsets(local);
        var earlier = new DateTimeOffset(local, offsets.Max());
        var later = new DateTimeOffset(local, offsets.Min());
        DateTimeOffset start = ascending
            ? before is null || earlier > before ? earlier : later
            : before is null || later < before ? later : earlier;
        return new AnalyticsBucket(start, hasOffset: true, _rows);
    }

    // By the most of the steps: where the clocks go back, single steps of local time point the wrong way.
    private static bool IsAscending(IReadOnlyList<AnalyticsBucket> buckets, TimeZoneInfo zone, AnalyticsBucket? preceding)
    {
        int balance = 0;
        DateTime? before = preceding?.Start.DateTime;
        foreach (AnalyticsBucket bucket in buckets)
        {
            DateTime local = bucket.Start.DateTime;
            balance += before is { } previous ? local.CompareTo(previous) : 0;
            before = local;
        }

        // A page that only repeats the local time before it: the two hours come in the order in which the first of them was read.
        if (balance == 0 && preceding is not null && zone.IsAmbiguousTime(preceding.Start.DateTime))
        {
            return preceding.Start.Offset == zone.GetAmbiguousTimeOffsets(preceding.Start.DateTime).Max();
        }

        return balance >= 0;
    }
}
