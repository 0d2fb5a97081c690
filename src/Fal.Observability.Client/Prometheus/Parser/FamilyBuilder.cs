namespace Fal.Observability.Client.Prometheus;

/// <summary>Collects metric families. The format decides which lines belong to a family and which samples it may have.</summary>
internal abstract class FamilyBuilder(PrometheusParserOptions options) : ExpositionBuilder(options)
{
    public static FamilyBuilder Create(PrometheusParserOptions options) =>
        options.Format == PrometheusFormat.OpenMetrics ? new OpenMetricsFamilyBuilder(options) : new TextFamilyBuilder(options);

    public abstract PrometheusExposition Build();
}
