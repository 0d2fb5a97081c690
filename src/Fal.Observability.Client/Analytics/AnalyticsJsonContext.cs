using System.Text.Json.Serialization;

namespace Fal.Observability.Client;

/// <summary>The JSON of an analytics answer, generated at build time, so that nothing uses reflection at run time.</summary>
[JsonSourceGenerationOptions(MaxDepth = MaxDepth)]
[JsonSerializable(typeof(AnalyticsPage))]
[JsonSerializable(typeof(AnalyticsBucket))]
internal sealed partial class AnalyticsJsonContext : JsonSerializerContext
{
    /// <summary>
    /// How deep an unknown field may nest. With the framework's default of 64 levels, one deep field would make a whole page fail. This
    /// limit is the one that the framework's writer has.
    /// </summary>
    private const int MaxDepth = 1000;
}
