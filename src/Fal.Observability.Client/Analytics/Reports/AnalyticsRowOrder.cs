using System.Collections.Concurrent;

namespace Fal.Observability.Client;

/// <summary>
/// The order of the rows of a bucket: the order of the query's endpoints, each app followed by its routes in ordinal order, and finally
/// rows that belong to none of them.
/// </summary>
internal sealed class AnalyticsRowOrder : IComparer<AnalyticsRow>
{
    // Each of millions of rows has its own string for its endpoint, so each distinct name is looked up once.
    private readonly ConcurrentDictionary<string, int> _places = new(StringComparer.Ordinal);

    public AnalyticsRowOrder(IReadOnlyList<string> endpointIds)
    {
        for (int i = 0; i < endpointIds.Count; i++)
        {
            _places[endpointIds[i]] = i;
        }
    }

    public int Compare(AnalyticsRow? x, AnalyticsRow? y)
    {
        int difference = PlaceOf(x!.EndpointId).CompareTo(PlaceOf(y!.EndpointId));
        return difference != 0 ? difference : string.CompareOrdinal(x.EndpointId, y.EndpointId);
    }

    /// <summary>Merges the parts of one bucket from several groups of endpoints.</summary>
    /// <remarks>
    /// A row can come several times, because an app and one of its routes are in different groups or because the service repeats it. It is
    /// returned once. If two have a value, the later one counts.
    /// </remarks>
    public AnalyticsBucket Join(IReadOnlyList<AnalyticsBucket> parts)
    {
        AnalyticsBucket whole = parts.Count == 1 ? parts[0] : parts[0].With([.. parts.SelectMany(part => part.Rows)], parts);
        if (!IsInOrder(whole.Rows, out bool repeats))
        {
            AnalyticsRow[] rows = [.. whole.Rows.OrderBy(row => row, this)];
            IsInOrder(rows, out repeats);
            whole = whole.With(rows, [whole]);
        }

        return repeats ? whole.With(Once(whole.Rows), [whole]) : whole;
    }

    /// <summary>The rows of a summary, in order, each row once.</summary>
    public IReadOnlyList<AnalyticsRow> Join(IEnumerable<AnalyticsRow> rows) =>
    [
        .. rows.GroupBy(row => row.EndpointId, StringComparer.Ordinal)
            .Select(same => same.Aggregate((first, later) => first.MergeWith(later)))
            .OrderBy(row => row, this),
    ];

    /// <summary>The rows in order, with neighbours of the same endpoint merged.</summary>
    private static List<AnalyticsRow> Once(IReadOnlyList<AnalyticsRow> rows)
    {
        var once = new List<AnalyticsRow>(rows.Count);
        foreach (AnalyticsRow row in rows)
        {
            if (row.IsIdentified && once is [.., var before] && before.EndpointId == row.EndpointId)
            {
                once[^1] = before.MergeWith(row);
            }
            else
            {
                once.Add(row);
            }
        }

        return once;
    }

    private bool IsInOrder(IReadOnlyList<AnalyticsRow> rows, out bool repeats)
    {
        bool inOrder = true;
        repeats = false;
        for (int i = 1; i < rows.Count; i++)
        {
            int difference = Compare(rows[i - 1], rows[i]);
            inOrder &= difference <= 0;
            repeats |= difference == 0;
        }

        return inOrder;
    }

    private int PlaceOf(string endpointId) =>
        _places.TryGetValue(endpointId, out int place) ? place : _places.GetOrAdd(endpointId, PlaceOfApp);

    private int PlaceOfApp(string route)
    {
        int slash = route.LastIndexOf('/');
        return slash <= 0 ? int.MaxValue : PlaceOf(route[..slash]);
    }
}
