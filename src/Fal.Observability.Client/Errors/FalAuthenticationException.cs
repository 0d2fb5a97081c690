using System.Net;

namespace Fal.Observability.Client;

/// <summary>The service answered 401: the key is wrong, revoked or malformed. Never retried.</summary>
public sealed class FalAuthenticationException : FalApiException
{
    /// <summary>Creates the exception with a general message.</summary>
    public FalAuthenticationException()
    {
        StatusCode = HttpStatusCode.Unauthorized;
    }

    /// <summary>Creates the exception.</summary>
    /// <param name="message">What happened, and what to do about it.</param>
    public FalAuthenticationException(string message)
        : base(message)
    {
        StatusCode = HttpStatusCode.Unauthorized;
    }

    /// <summary>Creates the exception with the failure that caused it.</summary>
    /// <param name="message">What happened, and what to do about it.</param>
    /// <param name="innerException">The cause.</param>
    public FalAuthenticationException(string message, Exception? innerException)
        : base(message, innerException)
    {
        StatusCode = HttpStatusCode.Unauthorized;
    }

    internal FalAuthenticationException(string message, FalApiFacts facts)
        : base(message, facts)
    {
    }
}
