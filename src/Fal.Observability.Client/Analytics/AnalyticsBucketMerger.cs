namespace Fal.Observability.Client;

/// <summary>
/// Joins the buckets of successive pages, so that a bucket that the service split at a page boundary is returned once, with the rows of
/// both parts.
/// </summary>
/// <remarks>
/// Neighbouring buckets with the same instant are parts of one bucket. This works in ascending and in descending order, and at most one
/// bucket is held back. Rows of the same endpoint in both parts become one row with the metrics of both. If both have a value, the later
/// one counts, so that no number doubles if the service repeats the last bucket of a page. Duplicate rows within one part stay separate
/// here; <see cref="AnalyticsRowOrder"/> merges them. Not thread-safe.
/// </remarks>
internal sealed class AnalyticsBucketMerger
{
    private AnalyticsBucket? _last;

    /// <summary>Takes the buckets of the next page.</summary>
    /// <returns>The buckets that are complete now. The last one is held back, because the next page may continue it.</returns>
    public IReadOnlyList<AnalyticsBucket> Add(IReadOnlyList<AnalyticsBucket> page)
    {
        List<AnalyticsBucket> whole = new(page.Count);
        foreach (AnalyticsBucket bucket in page)
        {
            if (_last is not null && _last.Start == bucket.Start)
            {
                _last = Merge(_last, bucket);
                continue;
            }

            if (_last is not null)
            {
                whole.Add(_last);
            }

            _last = bucket;
        }

        return whole;
    }

    /// <summary>The bucket that was held back, to be read after the last page; null if there is none.</summary>
    public AnalyticsBucket? Complete()
    {
        AnalyticsBucket? last = _last;
        _last = null;
        return last;
    }

    /// <summary>Merges two parts of a bucket into one.</summary>
    private static AnalyticsBucket Merge(AnalyticsBucket first, AnalyticsBucket second)
    {
        List<AnalyticsRow> rows = [.. first.Rows];
        var places = new Dictionary<string, int>(StringComparer.Ordinal);
        for (int i = 0; i < rows.Count; i++)
        {
            if (rows[i].IsIdentified)
            {
                places[rows[i].EndpointId] = i;
            }
        }

        foreach (AnalyticsRow row in second.Rows)
        {
            if (places.Remove(row.EndpointId, out int place))
            {
                rows[place] = rows[place].MergeWith(row);
            }
            else
            {
                rows.Add(row);
            }
        }

        return first.With([.. rows], [first, second]);
    }
}
