using System.Text.Json.Serialization;

namespace Fal.Observability.Client;

/// <summary>The JSON of a checkpoint, generated at build time, so that nothing uses reflection at run time.</summary>
[JsonSerializable(typeof(AnalyticsCheckpoint.Content))]
internal sealed partial class AnalyticsCheckpointJsonContext : JsonSerializerContext;
