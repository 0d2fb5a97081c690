using System.Text.Json.Serialization;
using Fal.Observability.Client;

namespace Fal.Observability.Backfill;

/// <summary>The JSON that the backfill writes, generated at build time.</summary>
[JsonSerializable(typeof(AnalyticsBucket))]
internal sealed partial class BackfillJson : JsonSerializerContext;
