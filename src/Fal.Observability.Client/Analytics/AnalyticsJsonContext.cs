using System.Text.Json.Serialization;

namespace Fal.Observability.Client;

/// <summary>The JSON of an analytics answer, generated at build time, so that nothing uses reflection at run time.</summary>
[JsonSourceGenerationOptions(MaxDepth = MaxDepth)]
[JsonSerializable(typeof(AnalyticsPage))]
[JsonSerializable(typeof(AnalyticsBucket))]
internal sealed partial class AnalyticsJsonContext : JsonSerializerContext
{
    /// <summary>
    /// How deep an unknown field may nest: the framework's 64 levels would refuse a whole page for one, and these are as many as its
    /// writer allows.
    /// </summary>
    private const int MaxDepth = 1000;
}
