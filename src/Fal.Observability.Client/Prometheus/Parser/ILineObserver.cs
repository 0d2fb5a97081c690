namespace Fal.Observability.Client.Prometheus;

/// <summary>Is told of the lines of an exposition while it is parsed.</summary>
internal interface ILineObserver
{
    /// <summary>The reader shows a line that was accepted: a sample, whose samples are added in this order, or another line.</summary>
    void OnLine(scoped ref readonly PrometheusTextReader reader);
}
