using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Fal.Observability.Client.Prometheus;

namespace Fal.Observability.Client.Benchmarks;

/// <summary>The samples of an exposition as JSON, and System.Text.Json over them: the yardstick that every .NET engineer knows.</summary>
internal static partial class JsonPeer
{
    public static byte[] Write(byte[] exposition) =>
        JsonSerializer.SerializeToUtf8Bytes(
            PrometheusTextParser
                .ParseSamples(exposition)
                .Select(sample => new JsonSample(sample.Name, sample.Labels.ToDictionary(), sample.Value, sample.TimestampMilliseconds))
                .ToArray(),
            Context.Default.JsonSampleArray
        );

    /// <summary>Every token, with its text or number looked at, nothing kept.</summary>
    public static long ReadTokens(byte[] json)
    {
        var reader = new Utf8JsonReader(json);
        double sum = 0;
        long length = 0;
        while (reader.Read())
        {
            if (reader.TokenType == JsonTokenType.Number)
            {
                sum += reader.GetDouble();
            }
            else
            {
                length += reader.ValueSpan.Length;
            }
        }

        return length + sum == double.NegativeInfinity ? -1 : length;
    }

    public static long Deserialize(byte[] json) => JsonSerializer.Deserialize(json, Context.Default.JsonSampleArray)!.Length;

    /// <summary>Measures both; the speed is that of the exposition's bytes, so that it compares with a parser of it.</summary>
    public static IEnumerable<string> Run(string file, double seconds)
    {
        byte[] exposition = File.ReadAllBytes(file);
        byte[] json = Write(exposition);
        foreach ((string name, Func<byte[], long> read) in ((string, Func<byte[], long>)[])
        [
            ("System.Text.Json, Utf8JsonReader over the samples", ReadTokens),
            ("System.Text.Json, source-generated, the samples as objects", Deserialize),
        ])
        {
            double time = ProcessorClock.Median(() => read(json), seconds, json.Length);
            yield return string.Create(CultureInfo.InvariantCulture,
                $$"""{"peer":"{{name}}","mb_per_s":{{exposition.Length / time / 1e6:F1}},"json_bytes":{{json.Length}},"json_mb_per_s":{{json.Length / time / 1e6:F1}}}""");
        }
    }

    /// <summary>A sample as a JSON API would have it.</summary>
    public sealed record JsonSample(string Name, Dictionary<string, string> Labels, double Value, long? Timestamp);

    [JsonSourceGenerationOptions(
        PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
    [JsonSerializable(typeof(JsonSample[]))]
    private sealed partial class Context : JsonSerializerContext;
}
