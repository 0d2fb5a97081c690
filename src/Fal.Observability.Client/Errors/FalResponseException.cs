using System.Net;

namespace Fal.Observability.Client;

/// <summary>The status was a success, but the body is not valid: HTML, empty, truncated, too large, or data of another form.</summary>
public sealed class FalResponseException : FalObservabilityException
{
    /// <summary>Creates the exception with a general message.</summary>
    public FalResponseException()
    {
    }

    /// <summary>Creates the exception.</summary>
    /// <param name="message">What happened, and what to do about it.</param>
    public FalResponseException(string message)
        : base(message)
    {
    }

    /// <summary>Creates the exception with the failure that caused it.</summary>
    /// <param name="message">What happened, and what to do about it.</param>
    /// <param name="innerException">The cause.</param>
    public FalResponseException(string message, Exception? innerException)
        : base(message, innerException)
    {
    }

    /// <summary>The HTTP status.</summary>
    public HttpStatusCode StatusCode { get; init; }

    /// <summary>The media type of the response, such as <c>text/html</c>; null when it had none.</summary>
    public string? ContentType { get; init; }

    /// <summary>The request id that fal's support asks for; null when the response had none.</summary>
    public string? RequestId { get; init; }

    /// <summary>
    /// The start of the body as text, at most 256 characters, with any occurrence of the key masked; empty when nothing of
    /// it was read.
    /// </summary>
    public string BodyStart { get; init; } = "";
}
