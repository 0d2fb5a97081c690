namespace Fal.Observability.Client;

/// <summary>
/// One of the client's own time limits was exceeded: <see cref="FalObservabilityOptions.AttemptTimeout"/>,
/// <see cref="FalObservabilityOptions.TotalTimeout"/> or <see cref="FalObservabilityOptions.ReadIdleTimeout"/>. The message says which.
/// </summary>
public sealed class FalTimeoutException : FalObservabilityException
{
    /// <summary>Creates the exception with a general message.</summary>
    public FalTimeoutException()
    {
    }

    /// <summary>Creates the exception.</summary>
    /// <param name="message">What happened, and what to do about it.</param>
    public FalTimeoutException(string message)
        : base(message)
    {
    }

    /// <summary>Creates the exception with the failure that caused it.</summary>
    /// <param name="message">What happened, and what to do about it.</param>
    /// <param name="innerException">The cause.</param>
    public FalTimeoutException(string message, Exception? innerException)
        : base(message, innerException)
    {
    }

    /// <summary>The limit that was exceeded.</summary>
    public TimeSpan Timeout { get; init; }

    /// <summary>The name of the setting that holds the limit, such as <c>TotalTimeout</c>; empty when not known.</summary>
    public string Setting { get; init; } = "";
}
