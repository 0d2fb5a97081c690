namespace Fal.Observability.Client.Prometheus;

/// <summary>
/// Checks the OpenMetrics rules for one histogram at one timestamp. Most of them can be decided only after its last sample.
/// </summary>
internal sealed class OpenMetricsHistogramRules
{
    private bool _isOpen;
    private LabelSet _group;
    private Int128? _timestamp;
    private double? _bound;
    private double _bucketValue;
    private bool _hasNegativeBound;
    private double? _count;
    private bool _hasSum;
    private bool _hasGaugeSum;
    private bool _hasNegativeGaugeSum;

    /// <summary>Adds the next sample of the family.</summary>
    /// <returns>The fault of this sample, or of the histogram that ended before it; null if there is none.</returns>
    public string? Add(in PrometheusSample sample, ReadOnlySpan<char> suffix, LabelSet group, Int128? timestamp, double bound)
    {
        string? fault = null;
        if (_isOpen && (group != _group || timestamp != _timestamp))
        {
            fault = End();
        }

        _isOpen = true;
        _group = group;
        _timestamp = timestamp;
        switch (suffix)
        {
            case "_bucket":
                if (bound <= _bound)
                {
                    fault ??= "the buckets are not in ascending order";
                }
                else if (sample.Value < _bucketValue)
                {
                    fault ??= "the bucket counts decrease";
                }

                _hasNegativeBound |= bound < 0;
                _bound = bound;
                _bucketValue = sample.Value;
                break;
            case "_count" or "_gcount":
                _count = sample.Value;
                break;
            case "_sum":
                _hasSum = true;
                break;
            case "_gsum":
                _hasGaugeSum = true;
                _hasNegativeGaugeSum |= sample.Value < 0;
                break;
            default:
                break;
        }

        return fault;
    }

    /// <summary>Ends the histogram.</summary>
    /// <returns>Its fault; null if there is none.</returns>
    public string? End()
    {
        string? fault = !_isOpen ? null
            : _bound != double.PositiveInfinity ? "the histogram has no bucket le=\"+Inf\""
            : _count is not null && _count != _bucketValue ? "the count of the histogram differs from its bucket le=\"+Inf\""
            : (_hasSum || _hasGaugeSum) && _count is null ? "the histogram has a sum but no count"
            : !_hasSum && !_hasGaugeSum && _count is not null ? "the histogram has a count but no sum"
            : _hasNegativeBound && _hasSum ? "the histogram has negative buckets and must not have a sum"
            : !_hasNegativeBound && _hasNegativeGaugeSum ? "the histogram has a negative sum but no negative buckets"
            : null;
        _isOpen = false;
        _bound = _count = null;
        _bucketValue = 0;
        _hasNegativeBound = _hasSum = _hasGaugeSum = _hasNegativeGaugeSum = false;
        return fault;
    }
}
