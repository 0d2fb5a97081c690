namespace Fal.Observability.Client.Benchmarks;

/// <summary>
/// Measures the processor time of this process, garbage collection included: on a machine that is shared with other work,
/// the time on the wall says more about that work.
/// </summary>
internal static class ProcessorClock
{
    /// <summary>The processor time that an action takes, in seconds.</summary>
    public static double Measure(Action action)
    {
        TimeSpan start = Environment.CpuUsage.TotalTime;
        action();
        return (Environment.CpuUsage.TotalTime - start).TotalSeconds;
    }

    /// <summary>The median time of an action that reads so many bytes, after a warm-up in which its code is compiled.</summary>
    public static double Median(Action action, double seconds, int bytes)
    {
        // Small inputs are read several times a round, or the clock would be what is measured.
        int repeats = Math.Max(1, 4_000_000 / Math.Max(1, bytes));
        var times = new List<double>();
        Repeat(Math.Max(0.5, seconds / 3));
        times.Clear();
        Repeat(seconds);
        return Median(times) / repeats;

        void Repeat(double limit)
        {
            for (double spent = 0; spent < limit; spent += times[^1])
            {
                times.Add(Measure(() =>
                {
                    for (int i = 0; i < repeats; i++)
                    {
                        action();
                    }
                }));
            }
        }
    }

    public static double Median(List<double> values)
    {
        values.Sort();
        return values[values.Count / 2];
    }
}
