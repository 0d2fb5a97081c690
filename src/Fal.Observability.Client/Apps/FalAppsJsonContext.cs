using System.Text.Json.Serialization;

namespace Fal.Observability.Client;

/// <summary>The JSON of the answers about apps, generated at build time, so that nothing uses reflection at run time.</summary>
[JsonSourceGenerationOptions(MaxDepth = MaxDepth)]
[JsonSerializable(typeof(FalAppList))]
[JsonSerializable(typeof(FalRunnerHistory))]
internal sealed partial class FalAppsJsonContext : JsonSerializerContext
{
    /// <summary>How deep an unknown field may nest: as in an answer of analytics.</summary>
    private const int MaxDepth = 1000;
}
