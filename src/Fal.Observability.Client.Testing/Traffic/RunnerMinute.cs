namespace Fal.Observability.Client.Testing;

/// <summary>An app's runners in one minute.</summary>
internal readonly record struct RunnerMinute
{
    /// <summary>Up and processing requests.</summary>
    public int Busy { get; init; }

    /// <summary>Up, busy or not: what the metrics call running.</summary>
    public int Up { get; init; }

    /// <summary>Up without a request.</summary>
    public int Idle => Up - Busy;

    public int Pending { get; init; }

    public int Dead { get; init; }

    /// <summary>Finishing what they have before they are gone: no longer up.</summary>
    public int Draining { get; init; }
}
