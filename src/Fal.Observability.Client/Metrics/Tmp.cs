#pragma warning disable
namespace Fal.Observability.Client;
public interface IFalMetricsClient{}
public interface IFalAnalyticsApi{}
public class FalObservabilityClient{}
public class FalMetricsSnapshot { public object SkippedLines; }
