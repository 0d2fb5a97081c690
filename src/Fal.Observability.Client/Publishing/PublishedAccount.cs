using System.Diagnostics;
using System.Diagnostics.Metrics;
using Fal.Observability.Client.Prometheus;

namespace Fal.Observability.Client;

/// <summary>The points of one account by name, for as long as they are not stale.</summary>
internal sealed class PublishedAccount(string? label, MetricsReadings readings, PublishedAnalytics analytics, TimeSpan staleAfter)
{
    private const string AccountTag = "account";

    private IReadOnlyDictionary<string, PublishedSeries> _series = new Dictionary<string, PublishedSeries>();

    /// <summary>The value of the tag <c>account</c>; null for none.</summary>
    public string? Label => label;

    public MetricsReadings Readings => readings;

    public PublishedAnalytics Analytics => analytics;

    public bool IsStale => !(readings.Age <= staleAfter);

    /// <summary>Sorts a snapshot's samples by name, outside any callback.</summary>
    public IReadOnlyDictionary<string, PublishedSeries> SetSnapshot(FalMetricsSnapshot snapshot)
    {
        var series = new Dictionary<string, PublishedSeries>(StringComparer.Ordinal);
        foreach (MetricFamily family in snapshot.Families)
        {
            // Usually all samples have the family's name, so they need no grouping. The samples of a histogram or summary have several
            // names.
            IEnumerable<(string Name, IReadOnlyList<PrometheusSample> Samples)> parts = family.Samples.All(sample =>
                sample.Name == family.Name
            )
                ? [(family.Name, family.Samples)]
                : family
                    .Samples.GroupBy(sample => sample.Name, StringComparer.Ordinal)
                    .Select(part => (part.Key, (IReadOnlyList<PrometheusSample>)[.. part]));
            foreach ((string name, IReadOnlyList<PrometheusSample> samples) in parts)
            {
                series[name] = series.TryGetValue(name, out PublishedSeries? before)
                    ? before with { Samples = [.. before.Samples, .. samples] }
                    : new PublishedSeries(family, samples);
            }
        }

        Volatile.Write(ref _series, series);
        return series;
    }

    /// <summary>The current points of a name; none once they are stale.</summary>
    public IEnumerable<Measurement<double>> Points(string name)
    {
        if (IsStale || !_series.TryGetValue(name, out PublishedSeries? series))
        {
            yield break;
        }

        foreach (PrometheusSample sample in series.Samples)
        {
            TagList tags = Tags();
            foreach ((string labelName, string value) in sample.Labels)
            {
                tags.Add(label is not null && labelName == AccountTag ? ExportedName(sample.Labels) : labelName, value);
            }

            yield return new Measurement<double>(sample.Value, tags);
        }
    }

    /// <summary>A point about the account itself.</summary>
    public Measurement<double> Point(double value, params ReadOnlySpan<KeyValuePair<string, object?>> more)
    {
        TagList tags = Tags();
        foreach (KeyValuePair<string, object?> tag in more)
        {
            tags.Add(tag);
        }

        return new Measurement<double>(value, tags);
    }

    /// <summary>The new name of a service label that has the name of the tag: the first free one, as in Prometheus.</summary>
    private static string ExportedName(LabelSet labels)
    {
        string name = AccountTag;
        do
        {
            name = "exported_" + name;
        }
        while (labels[name] is not null);
        return name;
    }

    private TagList Tags() => label is null ? default : new TagList { { AccountTag, label } };
}

/// <summary>The samples of one name, and the family that they belong to.</summary>
internal sealed record PublishedSeries(MetricFamily Family, IReadOnlyList<PrometheusSample> Samples);
