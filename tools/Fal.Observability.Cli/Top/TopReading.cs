using Fal.Observability.Client;

namespace Fal.Observability.Cli.Top;

/// <summary>One read of the metrics: a row for each app, and the totals.</summary>
internal sealed class TopReading
{
    // So many of the worst apps are named above the table.
    private const int Named = 3;

    private readonly string? _commonOwner;
    private TopSort? _sort;
    private bool _isReversed;
    private string _filter = "";
    private TopRow[] _shown = [];
    private (int States, int Machines, int Reason)? _widest;

    /// <param name="number">The number of the read, which rises.</param>
    /// <param name="timestamp">When the answer arrived.</param>
    /// <param name="rows">One for each app.</param>
    /// <param name="skippedLines">How many lines of the answer could not be read.</param>
    public TopReading(int number, DateTimeOffset timestamp, TopRow[] rows, long skippedLines)
    {
        Number = number;
        Timestamp = timestamp;
        Rows = rows;
        SkippedLines = skippedLines;
        var machines = new Dictionary<string, double>(StringComparer.Ordinal);
        foreach (TopRow row in rows)
        {
            foreach (FalRunnerCount runner in row.Live?.Runners ?? [])
            {
                machines[runner.MachineType] = machines.GetValueOrDefault(runner.MachineType) + Finite(runner.Count);
            }

            Queue += Finite(row.Live?.QueueSize);
            Busy += Finite(row.Live?.ConcurrentRequests);
            Completed += Finite(row.Live?.RequestsCompleted);
            Errors += Finite(row.Live?.ErrorCount);
            InTrouble += row.Trouble.Score >= Trouble.Warning ? 1 : 0;
        }

        Worst = [.. rows.Where(row => row.Trouble.Score >= Trouble.Warning).OrderByDescending(row => row.Trouble.Score).Take(Named)];
        _commonOwner = OwnerOf(rows);
        WidestName = rows.Length == 0 ? 0 : rows.Max(row => TopLine.WidthOf(NameOf(row.App)));
        RunnersByState = RunnerStates.Of(rows.SelectMany(row => row.Live?.Runners ?? []));
        RunnersByMachine =
        [
            .. machines.GroupBy(machine => MachineName.Of(machine.Key), StringComparer.Ordinal)
                .Select(same => (Name: same.Key, Count: same.Sum(machine => machine.Value)))
                .OrderByDescending(machine => machine.Count)
                .ThenBy(machine => machine.Name, StringComparer.Ordinal),
        ];
    }

    public int Number { get; }

    public DateTimeOffset Timestamp { get; }

    public TopRow[] Rows { get; }

    public long SkippedLines { get; }

    public double Queue { get; }

    public double Busy { get; }

    public double Completed { get; }

    public double Errors { get; }

    /// <summary>How many apps are marked.</summary>
    public int InTrouble { get; }

    /// <summary>The worst of them, the very worst first.</summary>
    public IReadOnlyList<TopRow> Worst { get; }

    public IReadOnlyList<(string Name, double Count)> RunnersByState { get; }

    public IReadOnlyList<(string Name, double Count)> RunnersByMachine { get; }

    /// <summary>The columns of the widest name.</summary>
    public int WidestName { get; }

    /// <summary>The columns of the widest text of each column of words, which are dropped rather than cut.</summary>
    public (int States, int Machines, int Reason) Widest => _widest ??= (
        WidestOf(TopColumns.StatesOf), WidestOf(TopColumns.MachinesOf), WidestOf(row => row.Trouble.Reason));

    /// <summary>The name of an app. The owner is left out where every app has the same one.</summary>
    public string NameOf(TopApp app) => _commonOwner is null ? app.ShownName : app.ShownName[_commonOwner.Length..];

    /// <summary>The apps that a view shows, in its order. They are sorted once for each order and filter.</summary>
    public IReadOnlyList<TopRow> Select(TopView view)
    {
        if (_sort != view.Sort || _isReversed != view.IsReversed || _filter != view.Filter)
        {
            (_sort, _isReversed, _filter) = (view.Sort, view.IsReversed, view.Filter);
            _shown = Sorted([.. Rows.Where(row => row.App.ShownName.Contains(view.Filter, StringComparison.OrdinalIgnoreCase))], view);
        }

        return _shown;
    }

    private int WidestOf(Func<TopRow, string> text) => Rows.Length == 0 ? 0 : Rows.Max(row => TopLine.WidthOf(text(row)));

    private static string? OwnerOf(TopRow[] rows)
    {
        string? owner = rows is [var first, ..] && first.App.ShownName.IndexOf('/', StringComparison.Ordinal) is >= 0 and var slash
            ? first.App.ShownName[..(slash + 1)]
            : null;
        return owner is not null && Array.TrueForAll(
            rows, row => row.App.ShownName.Length > owner.Length && row.App.ShownName.StartsWith(owner, StringComparison.Ordinal))
                ? owner
                : null;
    }

    private static TopRow[] Sorted(TopRow[] rows, TopView view)
    {
        // The key is taken once for each row. Rows that are equal keep the order of their names.
        var keys = new (double Key, TopRow Row)[rows.Length];
        for (int i = 0; i < rows.Length; i++)
        {
            keys[i] = (KeyOf(rows[i], view.Sort) is { } key && !double.IsNaN(key) ? key : -1, rows[i]);
        }

        Array.Sort(keys, (left, right) =>
        {
            int order = right.Key.CompareTo(left.Key);
            return order != 0 ? order : string.CompareOrdinal(left.Row.App.Name, right.Row.App.Name);
        });
        if (view.IsReversed)
        {
            Array.Reverse(keys);
        }

        return Array.ConvertAll(keys, key => key.Row);
    }

    private static double? KeyOf(TopRow row, TopSort sort) => sort switch
    {
        // Among the apps without trouble, those that do something come first.
        TopSort.Trouble => row.Live is null ? -1 : row.Trouble.Score + Math.Min(1, Finite(row.Live.RequestsCompleted) / 1e9),
        TopSort.Queue => row.Live?.QueueSize,
        TopSort.Busy => row.Live?.ConcurrentRequests,
        TopSort.Runners => row.Running,
        TopSort.P99 => row.P99,
        TopSort.Errors => row.Live?.ErrorRate,
        TopSort.Gpu => row.Live?.GpuUtilizationPercentPerGpu,
        TopSort.Cost => row.App.Cost is [var first, ..] ? (double)first.Cost : null,
        _ => 0,
    };

    private static double Finite(double? value) => value is { } number && double.IsFinite(number) ? number : 0;
}
