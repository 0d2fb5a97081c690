namespace Fal.Observability.Client.Testing;

/// <summary>What goes wrong, and when. Thread-safe: may be changed while calls are under way.</summary>
public sealed class SimulatorFaults
{
    private readonly object _lock = new();
    private readonly List<Schedule> _schedules = [];
    private readonly Dictionary<string, int> _refusals = new(StringComparer.Ordinal);
    private readonly HashSet<string> _coldBootFailures = new(StringComparer.Ordinal);

    /// <summary>
    /// The next calls go wrong, or those that come after a number of proper ones; orders of this kind queue up behind one another.
    /// </summary>
    /// <param name="calls">How many calls, at least 1.</param>
    /// <param name="fault">What happens to them.</param>
    /// <param name="on">Only calls to this route count; null: to any.</param>
    /// <param name="after">How many calls to the route are answered properly before, 0 or more. Default 0.</param>
    /// <exception cref="ArgumentOutOfRangeException">
    /// <paramref name="calls"/> is below 1, <paramref name="after"/> is below 0, or the kind of fault or the route is unknown.
    /// </exception>
    public void Next(int calls, Fault fault, SimulatorRoute? on = null, int after = 0)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(calls, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(after);
        Add(fault, on, period: 1, calls, after);
    }

    /// <summary>From now on, every k-th call fails. Where several are due at once, the one ordered first happens.</summary>
    /// <param name="period">Which calls: 1 is every one, 3 every third.</param>
    /// <param name="fault">What happens to them.</param>
    /// <param name="on">Only calls to this route count; null: to any.</param>
    /// <exception cref="ArgumentOutOfRangeException">
    /// <paramref name="period"/> is below 1, or the kind of fault or the route is unknown.
    /// </exception>
    public void Every(int period, Fault fault, SimulatorRoute? on = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(period, 1);
        Add(fault, on, period, remaining: null, skip: 0);
    }

    private void Add(Fault fault, SimulatorRoute? on, int period, int? remaining, int skip)
    {
        ArgumentNullException.ThrowIfNull(fault);
        if (!Enum.IsDefined(fault.Kind))
        {
            throw new ArgumentOutOfRangeException(nameof(fault), fault.Kind, $"The kind must be a member of {nameof(FaultKind)}.");
        }

        if (on is { } route && !Enum.IsDefined(route))
        {
            throw new ArgumentOutOfRangeException(nameof(on), route, $"The route must be a member of {nameof(SimulatorRoute)}.");
        }

        lock (_lock)
        {
            _schedules.Add(new Schedule(fault, on, period, remaining, skip));
        }
    }

    /// <summary>An analytics call that names this endpoint is refused as a whole, and so is a call for its runner history.</summary>
    /// <param name="endpointId">The id as calls name it.</param>
    /// <param name="status">403 (not owned) or 404 (not there).</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="status"/> is another.</exception>
    public void RefuseEndpoint(string endpointId, int status = 403)
    {
        ArgumentException.ThrowIfNullOrEmpty(endpointId);
        if (status is not (403 or 404))
        {
            throw new ArgumentOutOfRangeException(nameof(status), status, "An endpoint is refused with 403 or 404.");
        }

        lock (_lock)
        {
            _refusals[endpointId] = status;
        }
    }

    /// <summary>An analytics call that names this endpoint is answered 500 if it asks for a cold-boot percentile.</summary>
    /// <param name="endpointId">The id as calls name it.</param>
    public void FailColdBootPercentiles(string endpointId)
    {
        ArgumentException.ThrowIfNullOrEmpty(endpointId);
        lock (_lock)
        {
            _coldBootFailures.Add(endpointId);
        }
    }

    /// <summary>Nothing goes wrong any more.</summary>
    public void Clear()
    {
        lock (_lock)
        {
            _schedules.Clear();
            _refusals.Clear();
            _coldBootFailures.Clear();
        }
    }

    /// <summary>Counts a call and says what happens to it; null: nothing.</summary>
    internal Fault? Take(SimulatorRoute route)
    {
        lock (_lock)
        {
            Schedule? due = null;
            foreach (Schedule schedule in _schedules)
            {
                if (schedule.On is { } on && on != route)
                {
                    continue;
                }
                // A queued order waits for its turn. One that begins later, and a periodic one, counts every call.
                if (schedule.Skip > 0)
                {
                    schedule.Skip--;
                    continue;
                }

                if (schedule.Remaining is null)
                {
                    schedule.Seen++;
                }

                if (due is null && (schedule.Remaining is not null || schedule.Seen % schedule.Period == 0))
                {
                    due = schedule;
                }
            }
            if (due is { Remaining: not null } && --due.Remaining == 0)
            {
                _schedules.Remove(due);
            }

            return due?.Fault;
        }
    }

    internal RefusedCallException? RefusalOf(string endpointId)
    {
        lock (_lock)
        {
            return _refusals.GetValueOrDefault(endpointId) switch
            {
                403 => RefusedCallException.NotOwned(),
                404 => RefusedCallException.NotThere(),
                _ => null,
            };
        }
    }

    internal bool FailsOnColdBootPercentiles(string endpointId)
    {
        lock (_lock)
        {
            return _coldBootFailures.Contains(endpointId);
        }
    }

    private sealed class Schedule(Fault fault, SimulatorRoute? on, int period, int? remaining, int skip)
    {
        public Fault Fault => fault;

        public SimulatorRoute? On => on;

        public int Period => period;

        /// <summary>How many calls are still to go wrong; null: no end.</summary>
        public int? Remaining { get; set; } = remaining;

        /// <summary>How many calls are still to be answered properly first.</summary>
        public int Skip { get; set; } = skip;

        public int Seen { get; set; }
    }
}
