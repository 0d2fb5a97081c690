namespace Fal.Observability.Client.Prometheus;

/// <summary>The samples of an exposition in the order of the input, both during and after collection.</summary>
internal abstract class SampleStore
{
    public abstract int Count { get; }

    public abstract PrometheusSample this[int index] { get; }

    public abstract void Add(in PrometheusSample sample);

    /// <summary>Ends the collection: no more samples are added.</summary>
    public abstract void End();
}
