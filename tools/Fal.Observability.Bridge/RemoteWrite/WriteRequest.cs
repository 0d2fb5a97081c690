using Fal.Observability.Client.Prometheus;
using ProtoBuf;

namespace Fal.Observability.Bridge.RemoteWrite;

/// <summary>The message of Prometheus remote write 1.0, those fields that a sender of plain samples fills.</summary>
/// <remarks>https://prometheus.io/docs/specs/prw/remote_write_spec/</remarks>
[ProtoContract]
internal sealed class WriteRequest
{
    [ProtoMember(1)]
    public List<TimeSeries> Series { get; } = [];

    /// <summary>
    /// Samples as series, each in the order in which its samples come. Whatever a sample is called, its series keeps the protocol's
    /// rules: a
    /// classic name, and labels that are not empty, sorted, each once.
    /// </summary>
    public static WriteRequest Of(IEnumerable<PrometheusSample> samples)
    {
        var request = new WriteRequest();
        foreach (
            IGrouping<(string Name, LabelSet Labels), PrometheusSample> group in samples.GroupBy(sample => (sample.Name, sample.Labels))
        )
        {
            var series = new TimeSeries();
            series.Labels.AddRange(
                ClassicLabels
                    .Of(group.Key.Labels)
                    .Labels.Where(label => label.Value.Length > 0)
                    .Append(new(ClassicLabels.MetricName, ClassicName.OfMetric(group.Key.Name)))
                    // The names are ASCII, so this is the order of their bytes.
                    .OrderBy(label => label.Key, StringComparer.Ordinal)
                    .Select(label => new Label { Name = label.Key, Value = label.Value })
            );
            series.Samples.AddRange(
                group.Select(sample => new Sample { Value = sample.Value, Timestamp = sample.TimestampMilliseconds!.Value })
            );
            request.Series.Add(series);
        }

        return request;
    }
}

/// <summary>Labels sorted by name, the metric's own among them as <c>__name__</c>; samples in ascending order of time.</summary>
[ProtoContract]
internal sealed class TimeSeries
{
    [ProtoMember(1)]
    public List<Label> Labels { get; } = [];

    [ProtoMember(2)]
    public List<Sample> Samples { get; } = [];
}

[ProtoContract]
internal sealed record Label
{
    [ProtoMember(1)]
    public string Name { get; init; } = "";

    [ProtoMember(2)]
    public string Value { get; init; } = "";
}

/// <summary>A value and its time in milliseconds since the Unix epoch.</summary>
[ProtoContract]
internal sealed record Sample
{
    [ProtoMember(1)]
    public double Value { get; init; }

    [ProtoMember(2)]
    public long Timestamp { get; init; }
}
