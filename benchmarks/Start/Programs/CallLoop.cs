using System.Diagnostics;
using System.Globalization;

namespace Fal.Observability.Client.Benchmarks.Programs;

/// <summary>Many calls in turn, after as many that are not measured.</summary>
internal static class CallLoop
{
    private const int Rounds = 20;
    private const int CallsPerRound = 200;

    /// <summary>Prints the median of the rounds: microseconds and allocated bytes of a call.</summary>
    public static async Task RunAsync(Func<Task> call)
    {
        var times = new List<double>();
        long before = 0;
        for (int round = -Rounds; round < Rounds; round++)
        {
            if (round == 0)
            {
                times.Clear();
                before = GC.GetTotalAllocatedBytes();
            }

            long start = Stopwatch.GetTimestamp();
            for (int i = 0; i < CallsPerRound; i++)
            {
                await call();
            }

            times.Add(Stopwatch.GetElapsedTime(start).TotalMicroseconds / CallsPerRound);
        }

        times.Sort();
        double bytes = (GC.GetTotalAllocatedBytes() - before) / (double)(Rounds * CallsPerRound);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{times[Rounds / 2]:0.0} {bytes:0}"));
    }
}
