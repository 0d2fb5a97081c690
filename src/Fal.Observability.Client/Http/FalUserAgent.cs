namespace Fal.Observability.Client;

/// <summary>How the client names itself: the edge in front of the API challenges callers that do not.</summary>
internal static class FalUserAgent
{
    public static readonly string Product =
        $"Fal.Observability.Client/{typeof(FalUserAgent).Assembly.GetName().Version?.ToString(3) ?? "0"}";
}
