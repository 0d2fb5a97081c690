namespace Fal.Observability.Client.Benchmarks;

/// <summary>
/// Measures the processor time of this process, garbage collection included: on a machine that is shared with other work,
/// the time on the wall says more about that work.
/// </summary>
internal static class ProcessorClock
{
    /// <summary>The processor time that an action takes, in seconds.</summary>
    internal static double Measure(Action action)
    {
        TimeSpan start = Environment.CpuUsage.TotalTime;
        action();
        return (Environment.CpuUsage.TotalTime - start).TotalSeconds;
    }
}
