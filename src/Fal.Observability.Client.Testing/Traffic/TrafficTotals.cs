namespace Fal.Observability.Client.Testing;

/// <summary>What happened at one endpoint in a span of minutes. Every field adds up exactly over minutes.</summary>
internal struct TrafficTotals
{
    /// <summary>2xx responses.</summary>
    public long Successes;

    /// <summary>4xx responses.</summary>
    public long UserErrors;

    public long StartupErrors;
    public long ConnectionErrors;
    public long TimeoutErrors;
    public long RuntimeErrors;

    /// <summary>Requests that waited more than a second for a runner to start.</summary>
    public long ColdBoots;

    public long BillableMilliseconds;

    /// <summary>
    /// Time from submission until execution starts, of the requests that got that far: of those that are scripted all, and of those that
    /// are drawn all but the cold boots.
    /// </summary>
    public DurationSpread Prepare;

    /// <summary>Execution time of the requests that reached a runner.</summary>
    public DurationSpread Execution;

    public DurationSpread ColdBoot;

    /// <summary>A runner was up, busy or not: the endpoint is reported although nobody called it.</summary>
    public bool HadRunner;

    /// <summary>5xx responses: the four causes together.</summary>
    public readonly long Errors => StartupErrors + ConnectionErrors + TimeoutErrors + RuntimeErrors;

    public readonly long Requests => Successes + UserErrors + Errors;

    /// <summary>
    /// The wait in seconds that <paramref name="percent"/> of the requests do not exceed. A request that starts a runner waits at least
    /// for the start.
    /// </summary>
    public readonly double? WaitPercentile(int percent) =>
        Prepare.IsScripted ? Prepare.Percentile(percent) : DurationSpread.Percentile(percent, Prepare, ColdBoot);

    /// <summary>Adds requests that ended with a status.</summary>
    public void Count(int status, long count)
    {
        switch (status)
        {
            case < 300:
                Successes += count;
                break;
            case < 500:
                UserErrors += count;
                break;
            case 502:
                ConnectionErrors += count;
                break;
            case 503:
                StartupErrors += count;
                break;
            case 504:
                TimeoutErrors += count;
                break;
            default:
                RuntimeErrors += count;
                break;
        }
    }

    public void Add(in TrafficTotals other)
    {
        Successes += other.Successes;
        UserErrors += other.UserErrors;
        StartupErrors += other.StartupErrors;
        ConnectionErrors += other.ConnectionErrors;
        TimeoutErrors += other.TimeoutErrors;
        RuntimeErrors += other.RuntimeErrors;
        ColdBoots += other.ColdBoots;
        BillableMilliseconds += other.BillableMilliseconds;
        Prepare.Add(other.Prepare);
        Execution.Add(other.Execution);
        ColdBoot.Add(other.ColdBoot);
        HadRunner |= other.HadRunner;
    }
}
