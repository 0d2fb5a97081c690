using System.Text.Json.Serialization;

namespace Fal.Observability.Client;

/// <summary>An area of the service that has a client, a Refit interface and an HTTP client of its own.</summary>
/// <param name="Name">The name, as it stands in the name of the HTTP client.</param>
/// <param name="Json">The JSON of the area's answers. A function, because a program that never asks needs none of it.</param>
/// <param name="Guard">Creates the handler that rejects invalid calls before they are sent; null for none.</param>
internal sealed record FalArea(string Name, Func<JsonSerializerContext> Json, Func<DelegatingHandler>? Guard)
{
    /// <summary>The metrics are text: their calls never ask for the JSON.</summary>
    public static readonly FalArea Metrics = new("Metrics", () => AnalyticsJsonContext.Default, Guard: null);

    public static readonly FalArea Analytics = new("Analytics", () => AnalyticsJsonContext.Default, () => new AnalyticsQueryGuard());

    public static readonly FalArea Apps = new("Apps", () => FalAppsJsonContext.Default, () => new FalAppsPathGuard());

    public static readonly FalArea Usage = new("Usage", () => UsageJsonContext.Default, Guard: null);
}
