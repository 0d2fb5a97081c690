using System.Text.Json.Serialization;

namespace Fal.Observability.Client;

/// <summary>How many requests of one kind there were in the last minute.</summary>
/// <param name="Method">The HTTP method, such as <c>POST</c>; empty if the sample named none.</param>
/// <param name="Status">The HTTP status as text, such as <c>200</c>; empty for requests received, which have none yet.</param>
/// <param name="Count">The number of requests. NaN if the service sent NaN.</param>
[JsonNumberHandling(JsonNumberHandling.AllowNamedFloatingPointLiterals)]
public readonly record struct FalRequestCount(string Method, string Status, double Count)
{
    /// <summary>The method, the status and the count, for a log line.</summary>
    /// <returns>A short text.</returns>
    public override string ToString() => FormattableString.Invariant($"{Method} {Status}: {Count}");
}
