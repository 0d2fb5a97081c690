namespace Fal.Observability.Client.Prometheus;

/// <summary>
/// Recognises an OpenMetrics sample with the same series and timestamp, to the nanosecond, as the sample directly before it. The
/// reference parser in Python keeps the first and omits the others.
/// </summary>
internal struct RepeatedSamples
{
    private string? _name;
    private LabelSet _labels;
    private Int128 _timestamp;

    /// <summary>Compares the current sample with the previous one, and remembers it.</summary>
    /// <returns>Whether it is a duplicate, which the result omits.</returns>
    public bool IsRepeated(scoped ref readonly PrometheusTextReader reader, in PrometheusSample sample)
    {
        if (!reader.HasTimestamp)
        {
            Forget();
            return false;
        }

        bool isRepeated = _name == sample.Name && _timestamp == reader.TimestampNanoseconds && _labels == sample.Labels;
        (_name, _labels, _timestamp) = (sample.Name, sample.Labels, reader.TimestampNanoseconds);
        return isRepeated;
    }

    /// <summary>Forgets the previous sample, because another line follows it.</summary>
    public void Forget() => _name = null;
}
