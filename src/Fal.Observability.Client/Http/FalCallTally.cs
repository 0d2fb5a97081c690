namespace Fal.Observability.Client;

/// <summary>
/// Counts how often the calls of one operation were retried. It flows with the execution context, because the answer of a call does not say
/// how many attempts it took.
/// </summary>
internal sealed class FalCallTally
{
    private static readonly AsyncLocal<FalCallTally?> Ambient = new();

    private int _retries;

    /// <summary>
    /// The tally of the current execution context, or null. A value that an asynchronous method sets ends with the method.
    /// </summary>
    public static FalCallTally? Current
    {
        get => Ambient.Value;
        set => Ambient.Value = value;
    }

    public int Retries => Volatile.Read(ref _retries);

    /// <summary>Counts one call and its total number of attempts.</summary>
    public void Add(int attempts)
    {
        if (attempts > 1)
        {
            Interlocked.Add(ref _retries, attempts - 1);
        }
    }
}
