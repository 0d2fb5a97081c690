using System.Text.Json.Serialization;

namespace Fal.Observability.Client;

/// <summary>The JSON of an analytics answer and of a checkpoint, generated at build time: nothing is reflected over at run time.</summary>
[JsonSerializable(typeof(AnalyticsPage))]
[JsonSerializable(typeof(AnalyticsBucket))]
[JsonSerializable(typeof(AnalyticsCheckpoint.Content), TypeInfoPropertyName = "AnalyticsCheckpointContent")]
internal sealed partial class AnalyticsJsonContext : JsonSerializerContext;
