namespace Fal.Observability.Client;

/// <summary>When a time bucket starts.</summary>
/// <param name="Instant">The instant. Without an offset it reads as UTC until a zone is known.</param>
/// <param name="HasOffset">Whether the offset was given.</param>
internal readonly record struct BucketStart(DateTimeOffset Instant, bool HasOffset);
