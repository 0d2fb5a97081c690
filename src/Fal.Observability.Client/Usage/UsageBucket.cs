using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.Json.Serialization;

namespace Fal.Observability.Client;

/// <summary>One stretch of time of a usage answer, with a row for each line of the bill in it.</summary>
/// <remarks>A bucket is immutable and safe to share between threads. It can be made in a test with an object initializer.</remarks>
[JsonConverter(typeof(UsageBucketJsonConverter))]
public sealed class UsageBucket
{
    private readonly IReadOnlyList<UsageRow> _rows;

    /// <summary>A bucket without rows, for an object initializer.</summary>
    public UsageBucket()
    {
        HasOffset = true;
        _rows = [];
    }

    /// <summary>A bucket as it was read or merged. The list becomes part of the bucket.</summary>
    [SetsRequiredMembers]
    internal UsageBucket(DateTimeOffset start, bool hasOffset, IReadOnlyList<UsageRow> rows)
    {
        Start = start;
        HasOffset = hasOffset;
        _rows = rows;
    }

    /// <summary>
    /// The instant at which the bucket starts, with the offset of the query's zone. Where the service sends no offset, the time is read in
    /// the query's zone, or in UTC if the query names none or the machine does not know it.
    /// </summary>
    public required DateTimeOffset Start { get; init; }

    /// <summary>The rows, in the order in which the service sent them. Empty for a bucket without usage.</summary>
    /// <exception cref="ArgumentNullException">The list is null.</exception>
    public IReadOnlyList<UsageRow> Rows
    {
        get => _rows;
        init
        {
            ArgumentNullException.ThrowIfNull(value);
            _rows = [.. value];
        }
    }

    /// <summary>Whether the offset of <see cref="Start"/> was given. Without one it reads as UTC until a zone is known.</summary>
    internal bool HasOffset { get; }

    /// <summary>The start and the number of rows, for a log line: <c>2026-01-15T12:00:00-05:00 (3 rows)</c>.</summary>
    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{Start:yyyy-MM-dd'T'HH:mm:sszzz} ({Rows.Count} rows)");

    /// <summary>One bucket out of two parts of it: a line that is in both is the same line once more, and the later counts.</summary>
    internal UsageBucket MergeWith(UsageBucket later) => new(Start, HasOffset, Merge(Rows, later.Rows));

    /// <summary>The rows of two pages: a line that is on both is the same line once more, and the later counts.</summary>
    internal static IReadOnlyList<UsageRow> Merge(IReadOnlyList<UsageRow> first, IReadOnlyList<UsageRow> later) =>
        first.Count == 0 ? later : [.. first.Where(row => !later.Any(row.IsSameLineAs)), .. later];
}
