using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Fal.Observability.Client.Prometheus;

namespace Fal.Observability.Client;

/// <summary>
/// Maps the samples of an exposition to apps. The map depends only on the series, so it is computed once for expositions that differ only
/// in their values.
/// </summary>
internal sealed class FalSamplesByApp
{
    // Kept for as long as the exposition's layout object is alive.
    private static readonly ConditionalWeakTable<object, FalSamplesByApp> Known = [];

    private readonly FalAppLayout[] _apps;

    // For each sample of the exposition, its app; -1 for one that is about none.
    private readonly int[] _appOfSample;

    private FalSamplesByApp(PrometheusExposition exposition)
    {
        var builders = new List<FalAppLayout.Builder>();
        var places = new Dictionary<string, int>(StringComparer.Ordinal);
        int count = 0;
        foreach (MetricFamily family in exposition.Families)
        {
            count += family.Samples.Count;
        }

        _appOfSample = new int[count];
        int sample = 0;
        string? lastName = null;
        int app = -1;
        foreach (MetricFamily family in exposition.Families)
        {
            for (int i = 0; i < family.Samples.Count; i++)
            {
                PrometheusSample current = family.Samples[i];
                // A sample about no app is about the account, and stays with the families.
                if (current.Labels[FalMetricNames.ApplicationLabel] is not { Length: > 0 } name)
                {
                    _appOfSample[sample++] = -1;
                    continue;
                }

                // Samples of an app often follow one another, and share their strings.
                if (!ReferenceEquals(name, lastName))
                {
                    ref int place = ref CollectionsMarshal.GetValueRefOrAddDefault(places, name, out bool known);
                    if (!known)
                    {
                        place = builders.Count;
                        builders.Add(new FalAppLayout.Builder(name));
                    }

                    (app, lastName) = (place, name);
                }

                builders[app].SampleCount++;
                _appOfSample[sample++] = app;
            }
        }

        sample = 0;
        foreach (MetricFamily family in exposition.Families)
        {
            for (int i = 0; i < family.Samples.Count; i++)
            {
                if (_appOfSample[sample++] is var of and >= 0)
                {
                    builders[of].Add(family.Samples[i]);
                }
            }
        }

        _apps = new FalAppLayout[builders.Count];
        for (int i = 0; i < _apps.Length; i++)
        {
            _apps[i] = builders[i].Build();
        }

        Places = places;
    }

    /// <summary>The apps by name.</summary>
    public Dictionary<string, int> Places { get; }

    public static FalSamplesByApp Of(PrometheusExposition exposition) =>
        exposition.Layout is { } layout ? Known.GetValue(layout, _ => new FalSamplesByApp(exposition)) : new FalSamplesByApp(exposition);

    /// <summary>The apps of an exposition with this layout. Each keeps its own values and nothing of the exposition.</summary>
    public FalAppMetrics[] Read(PrometheusExposition exposition)
    {
        var values = new double[_apps.Length][];
        for (int app = 0; app < values.Length; app++)
        {
            values[app] = GC.AllocateUninitializedArray<double>(_apps[app].SampleCount);
        }

        // Few expositions have timestamps.
        long[]?[]? timestamps = null;
        var next = new int[_apps.Length];
        int sample = 0;
        foreach (MetricFamily family in exposition.Families)
        {
            if (family.Samples is SampleRange { Store: RepeatedStore store } range)
            {
                for (int i = 0; i < range.Count;)
                {
                    ValueChunk chunk = store.GetValues(range.Start + i, out int place);
                    int count = Math.Min(range.Count - i, chunk.Values.Length - place);
                    ReadOnlySpan<double> run = chunk.Values.AsSpan(place, count);
                    ReadOnlySpan<int> apps = _appOfSample.AsSpan(sample, count);
                    for (int n = 0; n < run.Length; n++)
                    {
                        int app = apps[n];
                        if (app >= 0)
                        {
                            SetTimestamp(app, next[app], chunk.TimestampOf(place + n));
                            values[app][next[app]++] = run[n];
                        }
                    }

                    i += count;
                    sample += count;
                }
            }
            else
            {
                for (int i = 0; i < family.Samples.Count; i++)
                {
                    int app = _appOfSample[sample++];
                    if (app >= 0)
                    {
                        PrometheusSample current = family.Samples[i];
                        SetTimestamp(app, next[app], current.RawTimestamp);
                        values[app][next[app]++] = current.Value;
                    }
                }
            }
        }

        var read = new FalAppMetrics[_apps.Length];
        for (int app = 0; app < read.Length; app++)
        {
            read[app] = new FalAppMetrics(_apps[app], values[app], timestamps?[app]);
        }

        return read;

        void SetTimestamp(int app, int place, long timestamp)
        {
            if (timestamp != PrometheusSample.NoTimestamp)
            {
                timestamps ??= new long[]?[_apps.Length];
                if (timestamps[app] is null)
                {
                    timestamps[app] = new long[_apps[app].SampleCount];
                    timestamps[app].AsSpan().Fill(PrometheusSample.NoTimestamp);
                }

                timestamps[app]![place] = timestamp;
            }
        }
    }
}
