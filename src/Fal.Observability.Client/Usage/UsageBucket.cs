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

    /// <summary>One bucket out of its parts, in the order in which they came.</summary>
    internal static UsageBucket Merge(IReadOnlyList<UsageBucket> parts) =>
        parts is [var whole] ? whole : new(parts[0].Origin, Merge([.. parts.Select(part => part.Rows)]));

    /// <summary>
    /// The rows of several pages: a line that is on more than one is the same line once more, and the last counts. Equal lines of one page
    /// are different ones.
    /// </summary>
    internal static IReadOnlyList<UsageRow> Merge(IReadOnlyList<IReadOnlyList<UsageRow>> parts)
    {
        // From the last page to the first, so that each row is looked at once, however many pages there are.
        var later = new HashSet<UsageRow>(UsageRow.SameLine.Comparer);
        var kept = new List<UsageRow>[parts.Count];
        for (int i = parts.Count - 1; i >= 0; i--)
        {
            kept[i] = [.. parts[i].Where(row => !later.Contains(row))];
            later.UnionWith(parts[i]);
        }

        return [.. kept.SelectMany(rows => rows)];
    }
}
