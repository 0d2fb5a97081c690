using System.Text.Json.Serialization;

namespace Fal.Observability.Client;

/// <summary>The JSON of a usage answer, generated at build time, so that nothing uses reflection at run time.</summary>
[JsonSourceGenerationOptions(MaxDepth = MaxDepth)]
[JsonSerializable(typeof(UsagePage))]
internal sealed partial class UsageJsonContext : JsonSerializerContext
{
    /// <summary>How deep an unknown field may nest: as in an answer of analytics.</summary>
    private const int MaxDepth = 1000;
}
