namespace Fal.Observability.Client;

/// <summary>
/// The base of every failure that a call to fal can end in. Catch this one where any failure means the same; catch a
/// derived type where it matters. A cancellation by the caller stays an <see cref="OperationCanceledException"/>, and an
/// argument that cannot be valid an <see cref="ArgumentException"/>.
/// </summary>
/// <remarks>No property and no text of it holds the key.</remarks>
public class FalObservabilityException : Exception
{
    /// <summary>Creates the exception with a general message.</summary>
    public FalObservabilityException()
        : base("A call to the fal observability API failed.")
    {
    }

    /// <summary>Creates the exception.</summary>
    /// <param name="message">What happened, and what to do about it.</param>
    public FalObservabilityException(string message)
        : base(message)
    {
    }

    /// <summary>Creates the exception with the failure that caused it.</summary>
    /// <param name="message">What happened, and what to do about it.</param>
    /// <param name="innerException">The cause.</param>
    public FalObservabilityException(string message, Exception? innerException)
        : base(message, innerException)
    {
    }

    /// <summary>
    /// Whether the same call may succeed later without any change: no response, a time-out, a truncated body, or one of the
    /// statuses 408, 429, 500, 502, 503 and 504.
    /// </summary>
    public bool IsTransient { get; init; }

    /// <summary>
    /// How many times the call was sent before it failed. 0 when it never was, as where a report or stream ends between two calls because
    /// there are too many pages, or because the service's cursor repeats.
    /// </summary>
    public int Attempts { get; internal set; }
}
