namespace Fal.Observability.Client.Testing;

/// <summary>
/// An incident to order with <see cref="FalSimulatorOptions.Incidents"/>. While it lasts, the app's requests fail more often and take
/// longer, fewer complete, its queue grows, and runners wait or die. Metrics and analytics tell the same of it.
/// </summary>
/// <param name="App">The app id, <c>owner/name</c>. Its routes are struck too.</param>
public sealed record SimulatedIncident(string App)
{
    /// <summary>When it starts; null, the default: when the simulator starts.</summary>
    public DateTimeOffset? Start { get; init; }

    /// <summary>
    /// How long it lasts, more than zero and at most 30 days. Default 30 minutes. Traffic is made minute by minute: each minute that
    /// the incident touches is part of it. The queue grows for six tenths of it and is worked off in the rest.
    /// </summary>
    public TimeSpan Duration { get; init; } = TimeSpan.FromMinutes(30);

    /// <summary>How bad it is, 1 to 3. Default 3: a third of the requests fail, and they take four times as long.</summary>
    public int Severity { get; init; } = 3;
}
