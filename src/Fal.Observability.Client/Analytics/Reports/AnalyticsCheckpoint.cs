using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Fal.Observability.Client;

/// <summary>
/// The progress of a backfill. It is small, and meant to be stored as JSON after each window, so that another process can continue where
/// this one ended.
/// </summary>
/// <remarks>
/// It holds the end of the range (fixed at the first call if the range is relative), the instant at which the next window begins, the
/// endpoints that were refused so far, and a fingerprint of the query. It holds no data and no key. Immutable.
/// </remarks>
public sealed class AnalyticsCheckpoint
{
    private const int CurrentVersion = 1;

    private readonly Content _content;

    internal AnalyticsCheckpoint(
        AnalyticsQuery query,
        DateTimeOffset? next,
        DateTimeOffset? end,
        IReadOnlyList<AnalyticsRefusedEndpoint> refused
    )
        : this(new Content(CurrentVersion, FingerprintOf(query), next, end, refused)) { }

    private AnalyticsCheckpoint(Content content) => _content = content;

    /// <summary>Whether the range is complete, so that resuming returns nothing more.</summary>
    public bool IsComplete => _content.Next is null;

    /// <summary>The instant, in UTC, at which the next window begins; null if the range is complete.</summary>
    public DateTimeOffset? ContinuesAt => _content.Next;

    /// <summary>The exclusive end of the range, in UTC; null if the range is complete.</summary>
    internal DateTimeOffset? End => _content.End;

    internal IReadOnlyList<AnalyticsRefusedEndpoint> RefusedEndpoints => _content.Refused ?? [];

    /// <summary>
    /// Creates a checkpoint by hand, to test a program that resumes from one, or to start a backfill in the middle of its range.
    /// </summary>
    /// <param name="query">The query of the backfill, as it is passed to <see cref="IFalAnalyticsClient.StreamWindowsAsync"/>.</param>
    /// <param name="continuesAt">The instant at which the next window begins: the start of a bucket.</param>
    /// <param name="end">The exclusive end of the range; later than <paramref name="continuesAt"/>.</param>
    /// <exception cref="ArgumentException"><paramref name="end"/> is not later than <paramref name="continuesAt"/>.</exception>
    public static AnalyticsCheckpoint Create(AnalyticsQuery query, DateTimeOffset continuesAt, DateTimeOffset end)
    {
        ArgumentNullException.ThrowIfNull(query);
        return continuesAt < end
            ? new AnalyticsCheckpoint(query, continuesAt.ToUniversalTime(), end.ToUniversalTime(), [])
            : throw new ArgumentException(
                "The end is not after the instant to continue from. Use CreateComplete for a range that is complete.", nameof(end));
    }

    /// <summary>Creates the checkpoint of a complete range by hand, for a test.</summary>
    /// <param name="query">The query of the backfill.</param>
    public static AnalyticsCheckpoint CreateComplete(AnalyticsQuery query)
    {
        ArgumentNullException.ThrowIfNull(query);
        return new AnalyticsCheckpoint(query, null, null, []);
    }

    /// <summary>Reads a checkpoint that <see cref="ToJson"/> wrote.</summary>
    /// <param name="json">The JSON.</param>
    /// <exception cref="FormatException">The text is not a checkpoint, or it was written by a newer version of this package.</exception>
    public static AnalyticsCheckpoint FromJson(string json)
    {
        ArgumentNullException.ThrowIfNull(json);
        Content? content;
        try
        {
            content = JsonSerializer.Deserialize(
                FalJsonText.Readable(Encoding.UTF8.GetBytes(json)), AnalyticsCheckpointJsonContext.Default.Content);
        }
        catch (JsonException e)
        {
            throw new FormatException(
                $"The text is not a checkpoint: {e.Message} Without a checkpoint, the backfill has to start over.", e);
        }

        return content switch
        {
            { Version: > CurrentVersion } => throw new FormatException(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"The checkpoint has version {content.Version}, but this version of the package reads version {CurrentVersion}. Use " +
                        $"the version of the package that wrote it, or a newer one."
                )
            ),
            { Version: CurrentVersion, Query.Length: > 0 } when content.Next is null || content.Next < content.End =>
                new AnalyticsCheckpoint(content),
            _ => throw new FormatException(
                "The JSON is not a checkpoint: it names no query, or its end is not after the instant to continue from."
            ),
        };
    }

    /// <summary>The checkpoint as one line of JSON, for <see cref="FromJson"/>.</summary>
    public string ToJson() => JsonSerializer.Serialize(_content, AnalyticsCheckpointJsonContext.Default.Content);

    /// <summary>Where the backfill continues, for a log line.</summary>
    public override string ToString() => _content.Next is { } next
        ? string.Create(CultureInfo.InvariantCulture, $"continues at {next.UtcDateTime:yyyy-MM-dd'T'HH:mm:ss'Z'}")
        : "complete";

    /// <summary>Whether the checkpoint belongs to this query.</summary>
    internal bool IsOf(AnalyticsQuery query) => _content.Query == FingerprintOf(query);

    private static string FingerprintOf(AnalyticsQuery query) =>
        Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(query.Identity)).AsSpan(0, 16));

    /// <summary>The stored content.</summary>
    internal sealed record Content(
        [property: JsonPropertyName("version")] int Version,
        [property: JsonPropertyName("query")] string? Query,
        [property: JsonPropertyName("next")] DateTimeOffset? Next,
        [property: JsonPropertyName("end")] DateTimeOffset? End,
        [property: JsonPropertyName("refused")] IReadOnlyList<AnalyticsRefusedEndpoint>? Refused);
}
