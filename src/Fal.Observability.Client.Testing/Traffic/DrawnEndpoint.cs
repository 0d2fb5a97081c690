namespace Fal.Observability.Client.Testing;

/// <summary>One endpoint id and the character of its traffic, drawn once from its key.</summary>
internal sealed class DrawnEndpoint : IAccountEndpoint
{
    private const int MinutesPerDay = 24 * 60;
    private const int BlockMinutes = 4 * 60;
    private const int RememberedBlocks = 2048;

    // Requests a minute: so many that the queue and the errors of an incident can be distinguished from noise.
    private const double LeastIncidentLoad = 30;

    // Load by hours after the daily peak, as a share of the peak.
    private static readonly double[] DayShape =
    [
        1.00, 0.98, 0.93, 0.86, 0.78, 0.70, 0.62, 0.54, 0.46, 0.38, 0.31, 0.26,
        0.22, 0.20, 0.20, 0.22, 0.26, 0.33, 0.42, 0.53, 0.65, 0.78, 0.89, 0.96,
    ];

    // What whole blocks of minutes add up to, the last 340 days of them that were asked for: a month is summed again for every page
    // of an answer. Each has one place, and a lost race computes it once more.
    private Block?[]? _blocks;

    private readonly ulong _key;
    private readonly AppTimeline _timeline;
    private readonly bool _keepsRunner;
    private readonly bool _officeHoursOnly;
    private readonly double _peakLoad;
    private readonly int _peakMinute;
    private readonly double _weekend;
    private readonly double _userErrorShare;
    private readonly double _errorShare;
    private double _coldBootShare;
    private readonly int _logExecution;
    private readonly int _logExecutionDeviation;
    private readonly int _logPrepare;
    private readonly int _logPrepareDeviation;
    private readonly int _logColdBoot;
    private readonly int _logColdBootDeviation;

    /// <param name="id">The id under which the traffic is recorded.</param>
    /// <param name="key">Decides everything random about the endpoint.</param>
    /// <param name="timeline">Shared by the endpoints of one app.</param>
    /// <param name="peakLoad">Requests a minute at the busiest time of a weekday.</param>
    /// <param name="keepsRunner">A runner stays up without traffic, and the endpoint is reported for it.</param>
    /// <param name="startsWarm">The app keeps a runner up, so a request starts one only when the load rises.</param>
    /// <param name="officeHoursOnly">No traffic at all outside the busy half of the day.</param>
    public DrawnEndpoint(
        string id, ulong key, AppTimeline timeline, double peakLoad, bool keepsRunner, bool startsWarm, bool officeHoursOnly)
    {
        Id = id;
        _key = key;
        _timeline = timeline;
        _peakLoad = peakLoad;
        _keepsRunner = keepsRunner;
        _officeHoursOnly = officeHoursOnly;

        var dice = new Dice(key, -1);
        _peakMinute = (int)dice.Between(8 * 60, 22 * 60);
        _weekend = dice.Between(0.35, 1.05);
        _userErrorShare = dice.Between(0.005, 0.06);
        _errorShare = dice.Between(0.0005, 0.006);
        _coldBootShare = startsWarm ? 0.005 : peakLoad switch { < 1 => 0.35, < 10 => 0.05, _ => 0.005 };
        _logExecution = Fixed(dice.Between(-1.9, 3.2));
        _logExecutionDeviation = Fixed(dice.Between(0.35, 0.8));
        _logPrepare = Fixed(dice.Between(-3.5, -0.5));
        _logPrepareDeviation = Fixed(dice.Between(0.5, 0.9));
        _logColdBoot = Fixed(dice.Between(1.6, 3.8));
        _logColdBootDeviation = Fixed(dice.Between(0.2, 0.4));

        double deviation = _logExecutionDeviation / DurationSpread.Scale;
        MeanSeconds = Math.Exp((_logExecution / DurationSpread.Scale) + (deviation * deviation / 2));
    }

    /// <summary>The endpoint id, <c>owner/name</c> or <c>owner/name/route</c>.</summary>
    public string Id { get; }

    /// <summary>The mean execution time of an undisturbed request.</summary>
    public double MeanSeconds { get; }

    /// <summary>More requests than are to be expected in any minute.</summary>
    public double MostLoad => Math.Max(LeastIncidentLoad, UsualMostLoad);

    /// <summary>The requests to expect in the busiest minute without an incident.</summary>
    public double UsualMostLoad => _peakLoad * Math.Max(1, _weekend);

    /// <summary>The runner that stays up is enough for the app.</summary>
    public void StartsNoRunner() => _coldBootShare = 0;

    /// <summary>Requests to expect in a minute (counted from the Unix epoch). An incident that was ordered never lacks traffic.</summary>
    public double LoadAt(int minute, Incident incident)
    {
        if (incident.IsPlanned)
        {
            return Math.Max(LeastIncidentLoad, UsualLoadAt(minute));
        }

        return _timeline.IsIdleAt(minute) ? 0 : UsualLoadAt(minute);
    }

    private double UsualLoadAt(int minute)
    {
        int sincePeak = (minute - _peakMinute) % MinutesPerDay;
        if (sincePeak < 0)
        {
            sincePeak += MinutesPerDay;
        }

        int hour = sincePeak / 60;
        double share = DayShape[hour] + ((DayShape[(hour + 1) % 24] - DayShape[hour]) * (sincePeak % 60 / 60.0));
        if (_officeHoursOnly && share < 0.5)
        {
            return 0;
        }

        // 1970-01-01 was a Thursday: day 2 and day 3 were a weekend.
        int weekday = minute / MinutesPerDay % 7;
        return _peakLoad * share * (weekday is 2 or 3 ? _weekend : 1);
    }

    /// <summary>Adds the traffic of the minutes from <paramref name="first"/> up to, not including, <paramref name="end"/>.</summary>
    public TrafficTotals Traffic(int first, int end)
    {
        var totals = new TrafficTotals { HadRunner = _keepsRunner && first < end };
        int minute = first;
        while (minute < end)
        {
            if (minute % BlockMinutes == 0 && end - minute >= BlockMinutes)
            {
                totals.Add(BlockAt(minute / BlockMinutes).Totals);
                minute += BlockMinutes;
            }
            else
            {
                AddMinute(minute++, ref totals);
            }
        }

        return totals;
    }

    private Block BlockAt(int number)
    {
        _blocks ??= new Block?[RememberedBlocks];
        ref Block? slot = ref _blocks[number % RememberedBlocks];
        if (slot is { } known && known.Number == number)
        {
            return known;
        }

        var totals = default(TrafficTotals);
        for (int minute = number * BlockMinutes; minute < (number + 1) * BlockMinutes; minute++)
        {
            AddMinute(minute, ref totals);
        }

        return slot = new Block(number, totals);
    }

    private void AddMinute(int minute, ref TrafficTotals totals)
    {
        var dice = new Dice(_key, minute);
        Incident incident = _timeline.IncidentAt(minute);

        // In an incident runners are busy with slow requests, so fewer complete.
        int requests = dice.Round(LoadAt(minute, incident) * dice.Between(0.7, 1.3) * (1 - (0.15 * incident.Severity)));
        if (requests == 0)
        {
            return;
        }

        int errors = Math.Min(requests, dice.Round(requests * (_errorShare + (0.11 * incident.Severity))));
        int userErrors = Math.Min(requests - errors, dice.Round(requests * _userErrorShare));
        int successes = requests - errors - userErrors;

        int startup = Math.Min(errors, dice.Round(errors * 0.2));
        int connection = Math.Min(errors - startup, dice.Round(errors * 0.2));
        int timeout = Math.Min(errors - startup - connection, dice.Round(errors * (incident.Severity > 0 ? 0.5 : 0.2)));
        int runtime = errors - startup - connection - timeout;

        int prepared = requests - startup;
        int executed = prepared - connection;
        int cold = Math.Min(executed, dice.Round(executed * _coldBootShare));
        int drift = Fixed(dice.Between(-0.1, 0.1));

        totals.Successes += successes;
        totals.UserErrors += userErrors;
        totals.StartupErrors += startup;
        totals.ConnectionErrors += connection;
        totals.TimeoutErrors += timeout;
        totals.RuntimeErrors += runtime;
        totals.ColdBoots += cold;
        totals.BillableMilliseconds += (long)(successes * MeanSeconds * incident.Slowdown * 1000);
        totals.ColdBoot.Add(cold, _logColdBoot + drift, _logColdBootDeviation);
        totals.Prepare.Add(prepared - cold, Math.Max(_logPrepare, incident.LogWait) + drift, _logPrepareDeviation);
        totals.Execution.Add(executed, _logExecution + drift + incident.LogSlowdown, _logExecutionDeviation);
    }

    private static int Fixed(double logarithm) => (int)(logarithm * DurationSpread.Scale);

    private sealed record Block(int Number, TrafficTotals Totals);
}
