namespace Fal.Observability.Client.Prometheus;

/// <summary>Observes the lines of an exposition while it is parsed.</summary>
internal interface ILineObserver
{
    /// <summary>
    /// Called for each accepted line, which is the current line of the reader. Samples are added in the order of these calls.
    /// </summary>
    void OnLine(scoped ref readonly PrometheusTextReader reader);
}
