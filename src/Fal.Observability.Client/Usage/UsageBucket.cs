using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Fal.Observability.Client;

/// <summary>One time bucket of a usage answer, with a row for each line of the bill in it.</summary>
/// <remarks>A bucket is immutable and safe to share between threads. A test can create it with an object initializer.</remarks>
[JsonConverter(typeof(FalJsonConverter<UsageBucket>))]
public sealed class UsageBucket : FalBucket<UsageRow>, IFalJson<UsageBucket>
{
    private static readonly string[] Members = ["bucket", "results"];

    /// <summary>A bucket without rows, for an object initializer.</summary>
    public UsageBucket()
    {
    }

    /// <summary>A bucket as it was read or merged. The list becomes part of the bucket.</summary>
    [SetsRequiredMembers]
    internal UsageBucket(BucketStart start, IReadOnlyList<UsageRow> rows)
        : base(start, rows)
    {
    }

    static UsageBucket IFalJson<UsageBucket>.ReadJson(ref Utf8JsonReader reader)
    {
        BucketStart? start = null;
        List<UsageRow>? rows = null;
        var members = new AnswerMembers(ref reader, "A time bucket", Members);
        while (members.Next(ref reader) is { } name)
        {
            if (name == "bucket")
            {
                start = AnswerJson.ReadStart(ref reader);
            }
            else
            {
                rows = AnswerJson.ReadList<UsageRow>(ref reader, name);
            }
        }

        (BucketStart at, IReadOnlyList<UsageRow> whole) = Require(start, rows);
        return new UsageBucket(at, whole);
    }

    void IFalJson<UsageBucket>.WriteJson(Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        AnswerJson.WriteStart(writer, "bucket", Origin);
        AnswerJson.WriteList(writer, "results", Rows);
        writer.WriteEndObject();
    }

    /// <summary>Merges the parts of a bucket in the order in which they arrived.</summary>
    /// <param name="parts">The parts.</param>
    /// <param name="apiKey">The key, which an error must not show.</param>
    /// <exception cref="FalResponseException">Two parts have the same line, which may be a duplicate or an additional line.</exception>
    internal static UsageBucket Merge(IReadOnlyList<UsageBucket> parts, string? apiKey)
    {
        if (parts is [var whole])
        {
            return whole;
        }

        var earlier = new HashSet<UsageRow>(UsageRow.SameLine.Comparer);
        List<UsageRow> rows = [];
        foreach (UsageBucket part in parts)
        {
            if (part.Rows.FirstOrDefault(earlier.Contains) is { } again)
            {
                throw PageGuard.Unusable(
                    $"The service sent the bucket {part} in parts, and two of them have the line " +
                    $"'{FalApiKey.Scrub(again.ToString(), apiKey)}'. It may be a duplicate or an additional line, so the client can " +
                    $"neither add it nor skip it. Repeat the query. If the error persists, report it to fal with the query.");
            }

            earlier.UnionWith(part.Rows);
            rows.AddRange(part.Rows);
        }

        return new UsageBucket(parts[0].Origin, rows);
    }

    /// <summary>
    /// Adds the next page of a summary. The service may repeat earlier lines there while their numbers grow. If a line is in both, the one
    /// of the page is used. Equal lines of one page are different lines.
    /// </summary>
    internal static IReadOnlyList<UsageRow> MergeSummary(IReadOnlyList<UsageRow> summary, IReadOnlyList<UsageRow> page)
    {
        var later = new HashSet<UsageRow>(page, UsageRow.SameLine.Comparer);
        return [.. summary.Where(row => !later.Contains(row)), .. page];
    }
}
