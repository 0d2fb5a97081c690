using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace Fal.Observability.Client.Tests;

/// <summary>The types as a user of the package would have them in JSON: in a source-generated context of his own.</summary>
[JsonSerializable(typeof(AnalyticsPage))]
[JsonSerializable(typeof(AnalyticsBucket))]
[JsonSerializable(typeof(AnalyticsRow))]
internal sealed partial class Json : JsonSerializerContext
{
    public static AnalyticsRow ReadRow(string json) => JsonSerializer.Deserialize(json, Default.AnalyticsRow)!;

    public static AnalyticsBucket ReadBucket(string json) => JsonSerializer.Deserialize(json, Default.AnalyticsBucket)!;

    public static AnalyticsPage ReadPage(string json) => JsonSerializer.Deserialize(json, AnalyticsJsonContext.Default.AnalyticsPage)!;

    public static string Write(AnalyticsRow row) => JsonSerializer.Serialize(row, Default.AnalyticsRow);

    public static string Write(AnalyticsBucket bucket) => JsonSerializer.Serialize(bucket, Default.AnalyticsBucket);

    public static string Write(AnalyticsPage page) => JsonSerializer.Serialize(page, AnalyticsJsonContext.Default.AnalyticsPage);

    /// <summary>Reads a page from a stream that is looked at in pieces. The serializer grows its buffer only as a value needs it.</summary>
    public static async Task<AnalyticsPage> ReadPageInPiecesAsync(string json, int pieceLength)
    {
        var options = new JsonSerializerOptions { TypeInfoResolver = AnalyticsJsonContext.Default, DefaultBufferSize = pieceLength };
        using var stream = new MemoryStream(Encoding.UTF8.GetBytes(json));
        return (await JsonSerializer.DeserializeAsync(stream, (JsonTypeInfo<AnalyticsPage>)options.GetTypeInfo(typeof(AnalyticsPage))))!;
    }
}
