namespace Fal.Observability.Client.Prometheus;

/// <summary>The samples of an exposition in their order, while they are collected and afterwards.</summary>
internal abstract class SampleStore
{
    public abstract int Count { get; }

    public abstract PrometheusSample this[int index] { get; }

    public abstract void Add(in PrometheusSample sample);

    /// <summary>No further sample comes.</summary>
    public abstract void End();
}
