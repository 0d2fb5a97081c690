using System.Globalization;

namespace Fal.Observability.Client.Testing;

/// <summary>How many requests complete in each minute, by their HTTP status.</summary>
public sealed class RequestsByStatus
{
    private readonly SimulatedActivity _activity;

    internal RequestsByStatus(SimulatedActivity activity) => _activity = activity;

    /// <summary>
    /// How many requests complete in each minute with a status, 0 or more. Default 0. Analytics count 2xx as successes, 4xx as user errors,
    /// and 5xx as errors: 502 as connection errors, 503 as startup errors, 504 as timeouts, any other as runtime errors.
    /// </summary>
    /// <param name="status">200 to 299, or 400 to 599.</param>
    /// <exception cref="ArgumentOutOfRangeException">The status is another, or the number is negative.</exception>
    public int this[int status]
    {
        get => _activity.State.Completed.GetValueOrDefault(Valid(status));
        set
        {
            Valid(status);
            SimulatedActivity.AtLeastZero(value, string.Create(CultureInfo.InvariantCulture, $"RequestsPerMinute[{status}]"));
            _activity.Change(script => script with { Completed = script.Completed.SetItem(status, value) });
        }
    }

    /// <summary>No request completes any more.</summary>
    public void Clear() => _activity.Change(script => script with { Completed = script.Completed.Clear() });

    private static int Valid(int status) =>
        status is (>= 200 and < 300) or (>= 400 and < 600)
            ? status
            : throw new ArgumentOutOfRangeException(
                nameof(status),
                string.Create(CultureInfo.InvariantCulture, $"The status is {status}: a request completes with 200 to 299 or 400 to 599.")
            );
}
