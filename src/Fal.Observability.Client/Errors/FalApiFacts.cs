using System.Net;

namespace Fal.Observability.Client;

/// <summary>What a response says about a failure: everything in its exception except the message.</summary>
internal sealed record FalApiFacts(HttpStatusCode StatusCode)
{
    public string? ErrorType { get; init; }

    public string? ServiceMessage { get; init; }

    public string? RequestId { get; init; }

    public Uri? DocsUrl { get; init; }

    public string? ContentType { get; init; }

    public string ResponseBody { get; init; } = "";

    public TimeSpan? RetryAfter { get; init; }

    /// <summary>Who refused the call, where the status is 403.</summary>
    public FalForbiddenReason Reason { get; init; }

    public int Attempts { get; init; }

    public TimeSpan Elapsed { get; init; }
}
