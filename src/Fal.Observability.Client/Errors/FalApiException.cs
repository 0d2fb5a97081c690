using System.Net;

namespace Fal.Observability.Client;

/// <summary>
/// The service, or something in front of it, answered with a status that is not a success. Statuses that need their own handling have their
/// own types: <see cref="FalAuthenticationException"/> (401), <see cref="FalForbiddenException"/> (403),
/// <see cref="FalRateLimitException"/> (429).
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

    internal FalApiException(string message, FalApiFacts facts)
        : base(message)
    {
        StatusCode = facts.StatusCode;
        ErrorType = facts.ErrorType;
        ServiceMessage = facts.ServiceMessage;
        RequestId = facts.RequestId;
        DocsUrl = facts.DocsUrl;
        ContentType = facts.ContentType;
        ResponseBody = facts.ResponseBody;
        RetryAfter = facts.RetryAfter;
        IsTransient = IsTransientStatus(facts.StatusCode);
        Attempts = facts.Attempts;
        Elapsed = facts.Elapsed;
    }

    /// <summary>The HTTP status. It distinguishes 401 and 403, which share an <see cref="ErrorType"/>.</summary>
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

    /// <summary>The request id that fal's support asks for; null when the response had none.</summary>
    public string? RequestId { get; init; }

    /// <summary>Where fal documents the error; null when the body named no web address.</summary>
    public Uri? DocsUrl { get; init; }

    /// <summary>The media type of the body, such as <c>application/json</c>; null when the response had none.</summary>
    public string? ContentType { get; init; }

    /// <summary>
    /// The body as text, cut after 4,096 characters, with any occurrence of the key masked. Empty when there was none.
    /// </summary>
    public string ResponseBody { get; init; } = "";

    /// <summary>
    /// How long the service asked to wait, from <c>Retry-After</c>, else <c>x-ratelimit-reset</c>, counted from the arrival of the
    /// response; null when it did not say. Never negative. A number above 1e9 seconds (31 years) is read as the Unix time, in seconds or
    /// milliseconds, at which the wait ends.
    /// </summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>
    /// Whether the same call may succeed later when it was answered with this status. This holds for 408, 429, and every 5xx except 501
    /// (not implemented) and 505 (HTTP version not supported), which are permanent. Edges in front of the service use their own statuses,
    /// such as 520 to 530.
    /// </summary>
    internal static bool IsTransientStatus(HttpStatusCode status) => (int)status
        is 408 or 429 or (>= 500 and <= 599 and not 501 and not 505);

    /// <summary>Creates the exception of the type for the status.</summary>
    internal static FalApiException Create(string message, FalApiFacts facts) => facts.StatusCode switch
    {
        HttpStatusCode.Unauthorized => new FalAuthenticationException(message, facts),
        HttpStatusCode.Forbidden => new FalForbiddenException(message, facts),
        HttpStatusCode.TooManyRequests => new FalRateLimitException(message, facts),
        _ => new FalApiException(message, facts),
    };

    /// <summary>The same failure with another message.</summary>
    internal FalApiException WithMessage(string message) => Create(message, new FalApiFacts(StatusCode)
    {
        ErrorType = ErrorType,
        ServiceMessage = ServiceMessage,
        RequestId = RequestId,
        DocsUrl = DocsUrl,
        ContentType = ContentType,
        ResponseBody = ResponseBody,
        RetryAfter = RetryAfter,
        Reason = (this as FalForbiddenException)?.Reason ?? default,
        Attempts = Attempts,
        Elapsed = Elapsed,
    });
}
