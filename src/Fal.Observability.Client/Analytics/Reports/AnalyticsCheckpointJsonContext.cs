using System.Text.Json.Serialization;

namespace Fal.Observability.Client;

/// <summary>The JSON of a checkpoint, generated at build time: nothing is reflected over at run time.</summary>
[JsonSerializable(typeof(AnalyticsCheckpoint.Content))]
internal sealed partial class AnalyticsCheckpointJsonContext : JsonSerializerContext;
