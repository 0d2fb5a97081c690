#pragma warning disable
namespace Fal.Observability.Client;
public interface IFalMetricsClient{}
public class FalMetricsSnapshot { public object SkippedLines; }
public class FalMetricsClient : IFalMetricsClient { public FalMetricsClient(params object[] x){} }
