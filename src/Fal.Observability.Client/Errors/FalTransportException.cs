namespace Fal.Observability.Client;

/// <summary>
/// The client received no response: the name did not resolve, the connection was refused or dropped, or TLS failed. The
/// <see cref="Exception.InnerException"/> has the detail.
/// </summary>
public sealed class FalTransportException : FalObservabilityException
{
    /// <summary>Creates the exception with a general message.</summary>
    public FalTransportException()
    {
    }

    /// <summary>Creates the exception.</summary>
    /// <param name="message">What happened, and what to do about it.</param>
    public FalTransportException(string message)
        : base(message)
    {
    }

    /// <summary>Creates the exception with the failure that caused it.</summary>
    /// <param name="message">What happened, and what to do about it.</param>
    /// <param name="innerException">The cause.</param>
    public FalTransportException(string message, Exception? innerException)
        : base(message, innerException)
    {
    }
}
