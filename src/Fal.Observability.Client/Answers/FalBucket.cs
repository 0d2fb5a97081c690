using System.Globalization;
using System.Text.Json;

namespace Fal.Observability.Client;

/// <summary>One time bucket of an answer, with the rows that the service has for it.</summary>
/// <remarks>
/// Answers and their parts are classes and not records: two answers about the same time are seldom the same answer, and a record would
/// compare the lists in them by reference. Questions are records.
/// </remarks>
/// <typeparam name="TRow">The type of a row.</typeparam>
public abstract class FalBucket<TRow>
    where TRow : class, IFalJson<TRow>
{
    private readonly BucketStart _start;
    private readonly IReadOnlyList<TRow> _rows = [];

    private protected FalBucket()
    {
    }

    /// <summary>A bucket as it was read or merged. The list becomes part of the bucket.</summary>
    private protected FalBucket(BucketStart start, IReadOnlyList<TRow> rows)
    {
        _start = start;
        _rows = rows;
    }

    /// <summary>
    /// The instant at which the bucket starts, with the offset that the service sent: that of the query's zone at this instant. If the
    /// service sent none, the time is read in the query's zone, or in UTC if the query names none or the machine does not know it. When the
    /// clocks go back, a time without an offset is ambiguous. The neighbouring buckets then decide which time is meant. They cannot if
    /// buckets are in descending order and a page begins with such a time, or if a page ends within such a bucket.
    /// </summary>
    public required DateTimeOffset Start
    {
        get => _start.Instant;
        init => _start = new BucketStart(value, HasOffset: true);
    }

    /// <summary>The rows, in the order in which the service sent them. Empty for a bucket without traffic.</summary>
    /// <exception cref="ArgumentNullException">The list is null.</exception>
    public IReadOnlyList<TRow> Rows { get => _rows; init => _rows = OwnCopy.Of(value); }

    /// <summary>When the bucket starts, and whether its offset was given.</summary>
    internal BucketStart Origin => _start;

    /// <summary>The start and the number of rows, for a log line: <c>2026-01-15T12:00:00-05:00 (3 rows)</c>.</summary>
    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{Start:yyyy-MM-dd'T'HH:mm:sszzz} ({Rows.Count} rows)");

    private protected static (BucketStart Start, IReadOnlyList<TRow> Rows) Require(BucketStart? start, IReadOnlyList<TRow>? rows) => (
        start ?? throw new JsonException("A time bucket has no 'bucket', the time at which it starts."),
        rows ?? throw new JsonException("A time bucket has no 'results'. A bucket without traffic has an empty list there."));
}
