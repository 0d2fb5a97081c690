using System.Collections;
using Fal.Observability.Client.Prometheus;

namespace Fal.Observability.Client;

/// <summary>The typed member of <see cref="FalAppMetrics"/> that a sample belongs to.</summary>
internal enum FalAppMember : byte
{
    None,
    QueueSize,
    ConcurrentRequests,
    RunnerCpuUsagePercent,
    RunnerMemoryUsageBytes,
    RunnerGpuUtilizationPercent,
    RunnerVramUsagePercent,
    RunnerGpuCount,
    Runners,
    RequestsReceived,
    RequestsCompleted,
    Latency,
}

/// <summary>
/// The samples about one app without their values: the member of <see cref="FalAppMetrics"/> that each belongs to, and its kind within that
/// member. Snapshots share it, and each snapshot has its own values.
/// </summary>
internal sealed class FalAppLayout
{
    private readonly PrometheusSample[] _series; // Their values are those of the first snapshot, and not used.
    private readonly (FalAppMember Member, int Kind)[] _places;
    private readonly (string State, string MachineType)[] _runners;
    private readonly (string Method, string Status)[] _received;
    private readonly (string Method, string Status)[] _completed;
    private readonly double[] _bounds;

    private FalAppLayout(Builder builder)
    {
        Name = builder.Name;
        _series = builder.Series;
        _places = builder.Places;
        _runners = builder.Runners.ToArray();
        _received = builder.Received.ToArray();
        _completed = builder.Completed.ToArray();
        _bounds = builder.Bounds.ToArray();
    }

    public string Name { get; }

    public int SampleCount => _series.Length;

    public bool HasLatency => _bounds.Length > 0;

    /// <summary>The sum of the samples of a member; null if there are none.</summary>
    public double? Sum(FalAppMember member, double[] values)
    {
        double? total = null;
        for (int i = 0; i < _places.Length; i++)
        {
            if (_places[i].Member == member)
            {
                total = (total ?? 0) + values[i];
            }
        }

        return total;
    }

    public FalRunnerCount[] GetRunners(double[] values) =>
        Count(FalAppMember.Runners, _runners, values, static (kind, count) => new FalRunnerCount(kind.State, kind.MachineType, count));

    public FalRequestCount[] GetRequestsReceived(double[] values) =>
        Count(
            FalAppMember.RequestsReceived,
            _received,
            values,
            static (kind, count) => new FalRequestCount(kind.Method, kind.Status, count)
        );

    public FalRequestCount[] GetRequestsCompleted(double[] values) =>
        Count(
            FalAppMember.RequestsCompleted,
            _completed,
            values,
            static (kind, count) => new FalRequestCount(kind.Method, kind.Status, count)
        );

    public LatencyDistribution GetLatency(double[] values) =>
        new(Count(FalAppMember.Latency, _bounds, values, static (bound, count) => new HistogramBucket(bound, count)));

    public IReadOnlyList<PrometheusSample> GetSamples(double[] values, long[]? timestamps) => new Samples(_series, values, timestamps);

    /// <summary>The sums by kind, in the order in which the kinds come.</summary>
    private T[] Count<TKind, T>(FalAppMember member, TKind[] kinds, double[] values, Func<TKind, double, T> select)
    {
        if (kinds.Length == 0)
        {
            return [];
        }

        var counts = new double[kinds.Length];
        for (int i = 0; i < _places.Length; i++)
        {
            if (_places[i].Member == member)
            {
                counts[_places[i].Kind] += values[i];
            }
        }

        var items = new T[kinds.Length];
        for (int i = 0; i < items.Length; i++)
        {
            items[i] = select(kinds[i], counts[i]);
        }

        return items;
    }

    /// <summary>Collects the samples about one app and assigns the known ones to members.</summary>
    /// <param name="name">The name of the app.</param>
    public sealed class Builder(string name)
    {
        private int _count;
        private int _membersWithSum;
        private HashSet<(string Name, LabelSet Labels)>? _known;

        public string Name { get; } = name;

        /// <summary>How many samples there will be. All are counted before the first is added.</summary>
        public int SampleCount { get; set; }

        public PrometheusSample[] Series { get; private set; } = [];

        public (FalAppMember Member, int Kind)[] Places { get; private set; } = [];

        public Kinds<(string State, string MachineType)> Runners { get; } = new();

        public Kinds<(string Method, string Status)> Received { get; } = new();

        public Kinds<(string Method, string Status)> Completed { get; } = new();

        public Kinds<double> Bounds { get; } = new();

        public void Add(in PrometheusSample sample)
        {
            if (_count == 0)
            {
                Series = new PrometheusSample[SampleCount];
                Places = new (FalAppMember Member, int Kind)[SampleCount];
            }

            bool first = true;
            (FalAppMember Member, int Kind) place =
                FalKnownFamilies.Find(sample.Name) is { } family ? PlaceOf(family, sample.Labels, out first) : default;
            if (place.Member != FalAppMember.None && IsDuplicate(sample, first))
            {
                // A series has one value in a scrape. Prometheus keeps the first one, too.
                place = default;
            }

            Series[_count] = sample;
            Places[_count] = place;
            _count++;
        }

        public FalAppLayout Build() => new(this);

        /// <summary>
        /// Whether the same series occurred before. Few apps have two samples in one place, so series are compared only for those.
        /// </summary>
        private bool IsDuplicate(in PrometheusSample sample, bool isFirstOfPlace)
        {
            if (_known is null)
            {
                if (isFirstOfPlace)
                {
                    return false;
                }

                _known = [];
                for (int i = 0; i < _count; i++)
                {
                    _known.Add((Series[i].Name, Series[i].Labels));
                }
            }

            return !_known.Add((sample.Name, sample.Labels));
        }

        /// <summary>The place of a sample, and whether it is the first one there.</summary>
        private (FalAppMember Member, int Kind) PlaceOf(FalKnownFamily family, LabelSet labels, out bool first)
        {
            switch (family.Kinds)
            {
                case FalFamilyKinds.StateAndMachineType:
                    return (family.Member, Runners.PlaceOf((labels["state"] ?? "", labels["machine_type"] ?? ""), out first));
                case FalFamilyKinds.MethodAndStatus:
                    return (
                        family.Member,
                        RequestsOf(family.Member).PlaceOf((labels["method"] ?? "", labels["status"] ?? ""), out first));
                case FalFamilyKinds.Bound when ReservedLabels.TryParseBound(labels[ReservedLabels.Bucket], out double bound):
                    return (family.Member, Bounds.PlaceOf(bound, out first));
                case FalFamilyKinds.Bound:
                    // A bound that is not a number cannot be part of a distribution. The sample itself is kept with the others.
                    first = true;
                    return (FalAppMember.None, 0);
                default:
                    int member = 1 << (int)family.Member;
                    first = (_membersWithSum & member) == 0;
                    _membersWithSum |= member;
                    return (family.Member, 0);
            }
        }

        private Kinds<(string Method, string Status)> RequestsOf(FalAppMember member) =>
            member == FalAppMember.RequestsReceived ? Received : Completed;
    }

    /// <summary>Numbers kinds in the order in which they come.</summary>
    public sealed class Kinds<TKind>
        where TKind : notnull, IEquatable<TKind>
    {
        /// <summary>Most apps have a few kinds, for which a scan is faster than a dictionary. A hostile input has many.</summary>
        private const int MostToScan = 32;

        private TKind[] _kinds = [];
        private int _count;
        private Dictionary<TKind, int>? _places;

        public TKind[] ToArray() => _kinds[.._count];

        public int PlaceOf(TKind kind, out bool isNew)
        {
            int place = Find(kind);
            isNew = place < 0;
            if (isNew)
            {
                place = _count++;
                if (place == _kinds.Length)
                {
                    Array.Resize(ref _kinds, Math.Max(4, place * 2));
                }

                _places?.Add(kind, place);
                _kinds[place] = kind;
            }

            return place;
        }

        private int Find(TKind kind)
        {
            if (_count > MostToScan)
            {
                _places ??= _kinds[.._count].Select((item, index) => (item, index)).ToDictionary(pair => pair.item, pair => pair.index);
                return _places.GetValueOrDefault(kind, -1);
            }

            for (int i = 0; i < _count; i++)
            {
                if (_kinds[i].Equals(kind))
                {
                    return i;
                }
            }

            return -1;
        }
    }

    /// <summary>The samples about an app: series of the layout, values of one snapshot.</summary>
    private sealed class Samples(PrometheusSample[] series, double[] values, long[]? timestamps) : IReadOnlyList<PrometheusSample>
    {
        public int Count => series.Length;

        public PrometheusSample this[int index]
        {
            get
            {
                ArgumentOutOfRangeException.ThrowIfNegative(index);
                ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, series.Length);
                return series[index].With(values[index], timestamps is null ? PrometheusSample.NoTimestamp : timestamps[index]);
            }
        }

        public IEnumerator<PrometheusSample> GetEnumerator()
        {
            for (int i = 0; i < series.Length; i++)
            {
                yield return this[i];
            }
        }

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
    }
}
