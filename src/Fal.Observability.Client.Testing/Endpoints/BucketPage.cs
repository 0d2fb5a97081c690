namespace Fal.Observability.Client.Testing;

/// <summary>
/// One page of buckets. Where the limit counts rows, a bucket may start on one page and continue on the next; a quiet one counts as a row,
/// or a page could be endless.
/// </summary>
internal sealed class BucketPage
{
    private readonly List<BucketSlice> _slices = [];

    /// <param name="options">In which order buckets come, and what a limit counts.</param>
    /// <param name="limit">How much is on a page.</param>
    /// <param name="page">Which page, from 1.</param>
    /// <param name="count">How many buckets there are.</param>
    /// <param name="rowCounts">How many rows each bucket has, oldest first; asked for only where rows are counted.</param>
    /// <exception cref="RefusedCallException">There is no such page.</exception>
    public BucketPage(FalSimulatorOptions options, int limit, int page, int count, Func<IReadOnlyList<int>> rowCounts)
    {
        IReadOnlyList<int>? rows = options.LimitCounts == LimitCounts.Rows ? rowCounts() : null;
        long first = (page - 1L) * limit;
        long end = first + limit;
        long position = 0;
        for (int i = 0; i < count && position < end; i++)
        {
            int index = options.BucketOrder == BucketOrder.Ascending ? i : count - 1 - i;
            int size = rows is null ? 1 : Math.Max(1, rows[index]);
            if (position + size > first)
            {
                int skip = (int)Math.Max(0, first - position);
                int take = (int)Math.Min(size, end - position) - skip;
                _slices.Add(new BucketSlice(index, skip, take, IsWhole: rows is null));
            }

            position += size;
        }

        if (page > 1 && _slices.Count == 0)
        {
            throw RefusedCallException.Invalid("cursor is past the last page.");
        }

        HasSummary = page == 1 || options.SummaryOn == SummaryOn.EveryPage;
        HasMore = end < (rows is null ? count : rows.Sum(rowsOfBucket => (long)Math.Max(1, rowsOfBucket)));
    }

    /// <summary>The buckets of the page, in the order in which they are sent.</summary>
    public IReadOnlyList<BucketSlice> Slices => _slices;

    /// <summary>Whether the page has the summary, if the call asks for one.</summary>
    public bool HasSummary { get; }

    /// <summary>Whether a page comes after this one.</summary>
    public bool HasMore { get; }
}

/// <summary>A bucket on a page, or a part of one.</summary>
/// <param name="Bucket">The number of the bucket, oldest first.</param>
/// <param name="Skip">How many of its rows were on pages before.</param>
/// <param name="Take">How many of its rows are on this one.</param>
/// <param name="IsWhole">All of its rows are on this one.</param>
internal readonly record struct BucketSlice(int Bucket, int Skip, int Take, bool IsWhole);
