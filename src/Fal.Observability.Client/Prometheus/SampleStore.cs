namespace Fal.Observability.Client.Prometheus;

/// <summary>The samples of an exposition in their order, while they are collected and afterwards.</summary>
internal abstract class SampleStore
{
    internal abstract int Count { get; }

    internal abstract PrometheusSample this[int index] { get; }

    internal abstract void Add(in PrometheusSample sample);

    /// <summary>No further sample comes.</summary>
    internal abstract void End();
}
