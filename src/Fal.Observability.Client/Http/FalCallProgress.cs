namespace Fal.Observability.Client;

/// <summary>How far one call has come, over all of its attempts. It travels in the options of the request.</summary>
internal sealed class FalCallProgress(TimeProvider time)
{
    private readonly long _started = time.GetTimestamp();

    /// <summary>How many times the call has been sent.</summary>
    public int Attempts { get; set; }

    /// <summary>How long ago the call began.</summary>
    public TimeSpan Elapsed => time.GetElapsedTime(_started);
}
