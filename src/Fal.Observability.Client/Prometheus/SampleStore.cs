namespace Fal.Observability.Client.Prometheus;

/// <summary>The samples of an exposition in the order of the input, both during and after collection.</summary>
internal abstract class SampleStore
{
    internal abstract int Count { get; }

    internal abstract PrometheusSample this[int index] { get; }

    internal abstract void Add(in PrometheusSample sample);

    /// <summary>Ends the collection: no more samples are added.</summary>
    internal abstract void End();
}
