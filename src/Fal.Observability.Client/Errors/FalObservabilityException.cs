using System.Globalization;

namespace Fal.Observability.Client;

/// <summary>
/// The base of every failure of a call to fal. Catch it to handle all failures alike, or catch a derived type. A cancellation by the caller
/// is an <see cref="OperationCanceledException"/>, and an invalid argument is an <see cref="ArgumentException"/>.
/// </summary>
/// <remarks>No property and no text of it holds the key.</remarks>
public class FalObservabilityException : Exception
{
    /// <summary>Creates the exception with a general message.</summary>
    public FalObservabilityException()
        : base("A call to fal's observability API failed.")
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
    /// What happened, and what to do about it. After more than one attempt, it ends with their number and duration, such as <c>It failed
    /// after 4 attempts in 6.2 s.</c>
    /// </summary>
    public override string Message => Attempts > 1 ? base.Message + AttemptsInWords() : base.Message;

    /// <summary>
    /// Whether the same call may succeed later without any change: no response, a time-out, a truncated body, or one of the
    /// statuses 408, 429 and 500 to 599, except 501 and 505.
    /// </summary>
    public bool IsTransient { get; init; }

    /// <summary>
    /// Whether a program that polls should continue: the failure is transient, or the body was not valid
    /// (<see cref="FalResponseException"/>), because a proxy usually stops sending its own page after a while. False if somebody has to
    /// change something first.
    /// </summary>
    /// <remarks>
    /// The watches and the metrics publisher use it. A retry within one call uses <see cref="IsTransient"/>, because the same wrong body
    /// would come again at once.
    /// </remarks>
    public bool IsRecoverable => IsTransient || this is FalResponseException;

    /// <summary>
    /// How many times the call was sent before it failed. 0 if it was never sent. For example, a report or stream can end between two calls
    /// because there are too many pages, or because the service's cursor repeats.
    /// </summary>
    public int Attempts { get; internal set; }

    /// <summary>
    /// How long the call took until it failed, with its retries and the waits between them. Zero when <see cref="Attempts"/> is 0.
    /// </summary>
    public TimeSpan Elapsed { get; internal set; }

    /// <summary>The message without the attempts, for an exception that reuses it and would otherwise name them twice.</summary>
    internal string MessageWithoutAttempts => base.Message;

    private string AttemptsInWords()
    {
        string text = base.Message;
        string stop = text.Length == 0 || text[^1] is '.' or '!' or '?' ? "" : ".";
        return string.Create(CultureInfo.InvariantCulture, $"{stop} It failed after {Attempts} attempts in {Elapsed.TotalSeconds:0.0} s.");
    }
}
