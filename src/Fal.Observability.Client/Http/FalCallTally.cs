namespace Fal.Observability.Client;

/// <summary>
/// Counts how often the calls of one operation were sent again. It travels with the flow of the code, since the answer of a call
/// does not say how many attempts it took.
/// </summary>
internal sealed class FalCallTally
{
    private static readonly AsyncLocal<FalCallTally?> Ambient = new();

    private int _retries;

    /// <summary>The tally that the code which runs now counts into, or null. What is set in an asynchronous method ends with it.</summary>
    public static FalCallTally? Current
    {
        get => Ambient.Value;
        set => Ambient.Value = value;
    }

    public int Retries => Volatile.Read(ref _retries);

    /// <summary>Counts one call that was sent so many times in all.</summary>
    public void Add(int attempts)
    {
        if (attempts > 1)
        {
            Interlocked.Add(ref _retries, attempts - 1);
        }
    }
}
