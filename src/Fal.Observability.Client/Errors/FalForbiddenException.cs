using System.Net;

namespace Fal.Observability.Client;

/// <summary>
/// The call was refused with 403. <see cref="Reason"/> distinguishes a refusal by the service from one by the network edge in front of it.
/// Never retried.
/// </summary>
public sealed class FalForbiddenException : FalApiException
{
    /// <summary>Creates the exception with a general message.</summary>
    public FalForbiddenException()
    {
        StatusCode = HttpStatusCode.Forbidden;
    }

    /// <summary>Creates the exception.</summary>
    /// <param name="message">What happened, and what to do about it.</param>
    public FalForbiddenException(string message)
        : base(message)
    {
        StatusCode = HttpStatusCode.Forbidden;
    }

    /// <summary>Creates the exception with the failure that caused it.</summary>
    /// <param name="message">What happened, and what to do about it.</param>
    /// <param name="innerException">The cause.</param>
    public FalForbiddenException(string message, Exception? innerException)
        : base(message, innerException)
    {
        StatusCode = HttpStatusCode.Forbidden;
    }

    internal FalForbiddenException(string message, FalApiFacts facts)
        : base(message, facts) => Reason = facts.Reason;

    /// <summary>Who refused the call.</summary>
    /// <value><see cref="FalForbiddenReason.PermissionOrOwnership"/></value>
    public FalForbiddenReason Reason { get; init; }
}
