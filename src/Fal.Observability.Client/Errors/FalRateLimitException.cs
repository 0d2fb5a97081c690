using System.Net;

namespace Fal.Observability.Client;

/// <summary>
/// The service answered 429. Either no retry was left, or the wait that it asked for (<see cref="FalApiException.RetryAfter"/>) was longer
/// than <see cref="FalObservabilityOptions.MaxRetryDelay"/> or than the rest of <see cref="FalObservabilityOptions.TotalTimeout"/>.
/// </summary>
public sealed class FalRateLimitException : FalApiException
{
    /// <summary>Creates the exception with a general message.</summary>
    public FalRateLimitException()
    {
        (StatusCode, IsTransient) = (HttpStatusCode.TooManyRequests, true);
    }

    /// <summary>Creates the exception.</summary>
    /// <param name="message">What happened, and what to do about it.</param>
    public FalRateLimitException(string message)
        : base(message)
    {
        (StatusCode, IsTransient) = (HttpStatusCode.TooManyRequests, true);
    }

    /// <summary>Creates the exception with the failure that caused it.</summary>
    /// <param name="message">What happened, and what to do about it.</param>
    /// <param name="innerException">The cause.</param>
    public FalRateLimitException(string message, Exception? innerException)
        : base(message, innerException)
    {
        (StatusCode, IsTransient) = (HttpStatusCode.TooManyRequests, true);
    }

    internal FalRateLimitException(string message, FalApiFacts facts)
        : base(message, facts)
    {
    }
}
