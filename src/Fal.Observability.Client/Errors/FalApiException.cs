using System.Net;

namespace Fal.Observability.Client;

/// <summary>
/// The service, or something in front of it, answered with a status that is not a success. The statuses that call for
/// handling of their own have types of their own: <see cref="FalAuthenticationException"/> (401),
/// <see cref="FalForbiddenException"/> (403), <see cref="FalRateLimitException"/> (429).
/// </summary>
public class FalApiException : FalObservabilityException
{
    /// <summary>Creates the exception with a general message.</summary>
    public FalApiException()
    {
    }

    /// <summary>Creates the exception.</summary>
    /// <param name="message">What happened, and what to do about it.</param>
    public FalApiException(string message)
        : base(message)
    {
    }

    /// <summary>Creates the exception with the failure that caused it.</summary>
    /// <param name="message">What happened, and what to do about it.</param>
    /// <param name="innerException">The cause.</param>
    public FalApiException(string message, Exception? innerException)
        : base(message, innerException)
    {
    }

    /// <summary>The HTTP status. 401 and 403 share an <see cref="ErrorType"/>, so this is what tells them apart.</summary>
    public HttpStatusCode StatusCode { get; init; }

    /// <summary>
    /// <c>error.type</c> of the body, one of <see cref="FalErrorTypes"/> or a value newer than this version; null when the
    /// body had none.
    /// </summary>
    public string? ErrorType { get; init; }

    /// <summary>
    /// The service's own words: <c>error.message</c>, else <c>detail</c>, else the start of the body; null when the body was
    /// empty.
    /// </summary>
    public string? ServiceMessage { get; init; }

    /// <summary>The id under which fal's support finds the request; null when the response named none.</summary>
    public string? RequestId { get; init; }

    /// <summary>Where fal documents the error; null when the body named no web address.</summary>
    public Uri? DocsUrl { get; init; }

    /// <summary>The media type of the body, such as <c>application/json</c>; null when the response named none.</summary>
    public string? ContentType { get; init; }

    /// <summary>
    /// The body as text, cut after 4,096 characters, with any occurrence of the key masked. Empty when there was none.
    /// </summary>
    public string ResponseBody { get; init; } = "";
}
