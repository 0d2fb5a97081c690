namespace Fal.Observability.Client.Prometheus;

/// <summary>Collects metric families. The format decides which lines belong to a family and which samples it may have.</summary>
internal abstract class FamilyBuilder(PrometheusParserOptions options) : ExpositionBuilder(options)
{
    internal static FamilyBuilder Create(PrometheusParserOptions options) =>
        options.Format == PrometheusFormat.OpenMetrics ? new OpenMetricsFamilyBuilder(options) : new TextFamilyBuilder(options);

    internal abstract PrometheusExposition Build();
}
