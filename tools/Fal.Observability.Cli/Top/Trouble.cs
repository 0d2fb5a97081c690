using System.Globalization;
using Fal.Observability.Client;

namespace Fal.Observability.Cli.Top;

/// <summary>
/// How badly an app serves its callers now, and why. The score is the sum of two parts of 0 to 100 each: the share of server errors in
/// percent, and how long a new request waits in the queue, where a minute or more counts 100. Fewer than
/// <see cref="FewestRequests"/> requests count in neither part.
/// </summary>
/// <param name="Score">0 to 200.</param>
/// <param name="Reason">The causes in words; empty: none.</param>
internal readonly record struct Trouble(double Score, string Reason)
{
    /// <summary>From this score on an app is marked as one to look at.</summary>
    public const double Warning = 5;

    /// <summary>From this score on an app is marked as failing its callers.</summary>
    public const double Severe = 25;

    /// <summary>
    /// So many requests must have failed, or must wait in a queue that moves, before they count. One failed request of eight is no outage.
    /// </summary>
    public const double FewestRequests = 3;

    // A queue that is served within this time counts nothing.
    private const double UnnoticedSeconds = 5;

    public static Trouble Of(FalAppMetrics? app)
    {
        if (app is null)
        {
            return new Trouble(0, "");
        }

        double completed = Finite(app.RequestsCompleted);
        double errors = Finite(app.ErrorCount);
        double queue = Finite(app.QueueSize);
        double errorPart = errors < FewestRequests ? 0 : 100 * errors / Math.Max(completed, errors);
        // The queue shrinks by what was completed in the last minute. If that is nothing, even a single request waits for a minute or more.
        double wait = queue <= 0 ? 0
            : completed <= 0 ? double.PositiveInfinity
            : queue < FewestRequests ? 0
            : 60 * queue / completed;
        double waitPart = wait < UnnoticedSeconds ? 0 : Math.Min(100, 100 * wait / 60);
        var reasons = new List<string>(2);
        if (errorPart >= 1)
        {
            reasons.Add(string.Create(CultureInfo.InvariantCulture, $"{errorPart:0} % errors"));
        }
        else if (errors is > 0 and < FewestRequests)
        {
            // They do not count, and a high share of errors without a mark would be a riddle.
            reasons.Add($"{Figures.Count(errors)} failed");
        }

        if (waitPart > 0)
        {
            reasons.Add(!double.IsInfinity(wait) ? $"queue {Figures.Span(TimeSpan.FromSeconds(wait))}"
                : app.RunnersInState(FalRunnerStates.Running) is > 0 ? "queue not moving"
                : $"queue, no runner{Others(app)}");
        }

        return new Trouble(errorPart + waitPart, string.Join(", ", reasons));
    }

    /// <summary>What the runners do where none runs.</summary>
    private static string Others(FalAppMetrics app) =>
        RunnerStates.TextOf(app.Runners.Where(runner => runner.Count > 0)) is { Length: > 0 } states ? $" ({states})" : "";

    private static double Finite(double? value) => value is { } number && double.IsFinite(number) ? number : 0;
}
