using System.Text.Json.Serialization;

namespace Fal.Observability.Client;

/// <summary>The JSON of an analytics answer, generated at build time: nothing is reflected over at run time.</summary>
[JsonSerializable(typeof(AnalyticsPage))]
internal sealed partial class AnalyticsJsonContext : JsonSerializerContext;
