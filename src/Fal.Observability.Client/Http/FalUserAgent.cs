namespace Fal.Observability.Client;

/// <summary>The client's user agent. The edge in front of the API challenges callers without one.</summary>
internal static class FalUserAgent
{
    public static readonly string Product =
        $"Fal.Observability.Client/{typeof(FalUserAgent).Assembly.GetName().Version?.ToString(3) ?? "0"}";
}
