namespace Fal.Observability.Client.Prometheus;

/// <summary>Collects metric families. What belongs to a family, and what a family may hold, differs with the format.</summary>
internal abstract class FamilyBuilder(PrometheusParserOptions options) : ExpositionBuilder(options)
{
    public static FamilyBuilder Create(PrometheusParserOptions options) =>
        options.Format == PrometheusFormat.OpenMetrics ? new OpenMetricsFamilyBuilder(options) : new TextFamilyBuilder(options);

    public abstract PrometheusExposition Build();
}
