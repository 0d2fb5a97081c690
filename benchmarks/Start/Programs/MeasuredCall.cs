using System.Diagnostics;
using System.Globalization;

namespace Fal.Observability.Client.Benchmarks.Programs;

/// <summary>What each measured program does with its call: one call, or many calls that it measures.</summary>
internal static class MeasuredCall
{
    private const int Rounds = 20;
    private const int CallsPerRound = 200;

    /// <summary>Makes one call and prints how much it read. With the argument <c>stay</c>, the program then waits to be killed.</summary>
    public static async Task RunAsync<T>(string[] args, Func<Task<T>> call, Func<T, int> count)
    {
        if (args is [_, "calls"])
        {
            await MeasureAsync(call);
            return;
        }

        Console.WriteLine(count(await call()));
        if (args is [_, "stay"])
        {
            await Task.Delay(Timeout.Infinite);
        }
    }

    /// <summary>Prints the median of the rounds: microseconds and allocated bytes of a call. The first rounds are not measured.</summary>
    private static async Task MeasureAsync(Func<Task> call)
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
