namespace Fal.Observability.Client.Testing;

/// <summary>An app's runners in one minute.</summary>
internal readonly record struct RunnerMinute
{
    /// <summary>Up and processing requests, on average over the minute.</summary>
    public double Busy { get; init; }

    /// <summary>Up, busy or not: what the metrics call running.</summary>
    public int Up { get; init; }

    /// <summary>Up without a request, on average over the minute.</summary>
    public double Idle => Up - Busy;

    /// <summary>When the most runners were busy: one that works for a part of the minute counts as one.</summary>
    public RunnerMinute AtItsBusiest => this with { Busy = Math.Ceiling(Busy) };

    public int Pending { get; init; }

    public int Dead { get; init; }

    /// <summary>Finishing what they have before they are gone: no longer up.</summary>
    public int Draining { get; init; }
}
