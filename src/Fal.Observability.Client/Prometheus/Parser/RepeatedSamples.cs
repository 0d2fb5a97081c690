namespace Fal.Observability.Client.Prometheus;

/// <summary>
/// Recognises a sample of OpenMetrics that repeats series and timestamp of the sample right before it, to the nanosecond. The
/// reference parser in Python takes the first and leaves the others out.
/// </summary>
internal struct RepeatedSamples
{
    private string? _name;
    private LabelSet _labels;
    private Int128 _timestamp;

    /// <summary>Takes the sample that the reader shows.</summary>
    /// <returns>Whether it is a repetition, which is no sample of the exposition.</returns>
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

    /// <summary>Another line stands between: what comes next repeats nothing.</summary>
    public void Forget() => _name = null;
}
