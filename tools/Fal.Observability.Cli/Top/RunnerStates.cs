using Fal.Observability.Client;

namespace Fal.Observability.Cli.Top;

/// <summary>Runners counted by their state: those that run, those that are dead, then the others, the most first.</summary>
internal static class RunnerStates
{
    /// <summary>Each state as it may be written to a terminal, and its runners.</summary>
    public static IReadOnlyList<(string Name, double Count)> Of(IEnumerable<FalRunnerCount> runners) =>
    [
        .. runners.GroupBy(runner => runner.State, StringComparer.Ordinal)
            .Select(state => (Name: state.Key, Count: state.Where(runner => double.IsFinite(runner.Count)).Sum(runner => runner.Count)))
            .OrderBy(state => state.Name switch { FalRunnerStates.Running => 0, FalRunnerStates.Dead => 1, _ => 2 })
            .ThenByDescending(state => state.Count)
            .ThenBy(state => state.Name, StringComparer.Ordinal)
            .Select(state => (ShownText.Of(state.Name.Length == 0 ? Figures.Unnamed : state.Name), state.Count)),
    ];

    /// <summary>The states in words, such as 3 running, 1 dead.</summary>
    public static string TextOf(IEnumerable<FalRunnerCount> runners) =>
        string.Join(", ", Of(runners).Select(state => $"{Figures.Count(state.Count)} {state.Name}"));
}
