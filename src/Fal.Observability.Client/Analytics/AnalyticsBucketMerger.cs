namespace Fal.Observability.Client;

/// <summary>
/// Joins the buckets of successive pages, so that a bucket that the service cut at a page boundary comes out once, with the rows of
/// both parts.
/// </summary>
/// <remarks>
/// Parts of a bucket are recognised by the same instant in neighbouring places, which works in ascending and in descending order and
/// keeps one bucket back at most. Rows of the same endpoint in both parts become one row that holds the metrics of either; where both
/// have a value the later part's counts, so that a service which repeats the last bucket of a page doubles nothing. Rows that one part
/// holds twice for the same endpoint stay apart here: <see cref="AnalyticsRowOrder"/> makes them one. Not safe for use by several threads
/// at a time.
/// </remarks>
internal sealed class AnalyticsBucketMerger
{
    private AnalyticsBucket? _last;

    /// <summary>Takes the buckets of the next page.</summary>
    /// <returns>The buckets that are whole now; the last one is kept back, since the next page may go on with it.</returns>
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

    /// <summary>The bucket that was kept back, to be asked for after the last page; null if there is none.</summary>
    public AnalyticsBucket? Complete()
    {
        AnalyticsBucket? last = _last;
        _last = null;
        return last;
    }

    /// <summary>One bucket out of two parts of it.</summary>
    public static AnalyticsBucket Merge(AnalyticsBucket first, AnalyticsBucket second)
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
