namespace Fal.Observability.Client.Prometheus;

/// <summary>
/// Collects the families of an OpenMetrics exposition and checks them against the specification. The rules are about the samples that a
/// type allows, the grouping and order of samples, and the values of counters, buckets and states.
/// </summary>
/// <remarks>
/// Where the specification is not precise, the rules are those of the reference parser in Python, the only parser that passes the official
/// test suite. In lenient mode, a broken rule is reported, but no sample is dropped because of it. The families contain the same samples
/// that <see cref="SampleListBuilder"/> collects from the same input.
/// </remarks>
internal sealed class OpenMetricsFamilyBuilder(PrometheusParserOptions options) : FamilyBuilder(options)
{
    private readonly List<MetricFamily> _families = [];
    private readonly HashSet<string> _takenNames = new(StringComparer.Ordinal);

    // The current family.
    private int _start;
    private string? _name;
    private PrometheusMetricType? _type;
    private string? _help;
    private string? _unit;

    // The metrics of the family. The samples of a metric have equal labels, apart from the label that their type reserves, such as le in a
    // histogram. The equal labels are the group.
    private HashSet<LabelSet> _groups = [];
    private LabelSet? _group;
    private Int128? _groupTimestamp;

    // The series of the current metric and timestamp. Usually there is only one, so the set stays empty until there is a second.
    private (string Name, LabelSet Labels) _firstSeries;
    private HashSet<(string Name, LabelSet Labels)> _series = [];
    private readonly OpenMetricsHistogramRules _histogram = new();
    private RepeatedSamples _repeated;

    public override PrometheusExposition Build()
    {
        Samples.End();
        return new PrometheusExposition(_families, SkippedLines, SkippedLineCount);
    }

    protected override void ReadTokens(ref PrometheusTextReader reader)
    {
        while (reader.Read())
        {
            switch (reader.TokenType)
            {
                case PrometheusTokenType.Sample:
                    ReadSample(in reader);
                    break;
                case PrometheusTokenType.EndOfExposition:
                    EndFamily(in reader);
                    break;
                case PrometheusTokenType.Malformed:
                    // Without # EOF, the report about its absence is the last token, and the last family must be checked here.
                    if (reader.LacksEnd)
                    {
                        EndFamily(in reader);
                    }

                    Skip(in reader);
                    break;
                default:
                    ReadMetadata(in reader);
                    break;
            }
        }
    }

    private void ReadMetadata(scoped ref readonly PrometheusTextReader reader)
    {
        string name = Factory.GetName(reader.Name, reader.NameIsEscaped);
        _repeated.Forget();
        if (name == _name && Samples.Count > _start)
        {
            Refuse(in reader, "HELP, TYPE and UNIT lines must precede the samples of their metric family");
            return;
        }

        if (name != _name)
        {
            BeginFamily(in reader, name, null);
        }

        switch (reader.TokenType)
        {
            case PrometheusTokenType.Help when _help is null:
                _help = reader.GetText();
                break;
            case PrometheusTokenType.Type when _type is null && (_unit is not { Length: > 0 } || AllowsUnit(reader.MetricType)):
                _type = reader.MetricType;
                break;
            case PrometheusTokenType.Unit when _unit is null && (reader.Text.IsEmpty || AllowsUnit(_type)):
                _unit = reader.GetText();
                break;
            case PrometheusTokenType.Help when _help is not null:
            case PrometheusTokenType.Type when _type is not null:
            case PrometheusTokenType.Unit when _unit is not null:
                Refuse(in reader, "duplicate HELP, TYPE or UNIT line for the metric family");
                break;
            default:
                Refuse(in reader, "a metric family of type info or stateset must not have a unit");
                break;
        }

        static bool AllowsUnit(PrometheusMetricType? type) => type is not (PrometheusMetricType.Info or PrometheusMetricType.StateSet);
    }

    private void BeginFamily(scoped ref readonly PrometheusTextReader reader, string name, PrometheusMetricType? type)
    {
        EndFamily(in reader);
        _name = name;
        _type = type;
    }

    private void EndFamily(scoped ref readonly PrometheusTextReader reader)
    {
        if (_name is null)
        {
            return;
        }

        if (_histogram.End() is { } fault)
        {
            Refuse(in reader, Naming(fault), wasKept: true);
        }

        foreach (string suffix in OpenMetricsTypes.TakenSuffixes(_type))
        {
            if (!_takenNames.Add(_name + suffix))
            {
                Refuse(in reader, Naming("another family already uses the name " + _name + suffix), wasKept: true);
            }
        }

        _families.Add(new MetricFamily(_name, _type ?? PrometheusMetricType.Unknown,
            Samples.Count == _start ? [] : new SampleRange(Samples, _start, Samples.Count - _start), _help, _unit));
        _start = Samples.Count;
        _name = _help = _unit = null;
        _type = null;
        Empty(ref _groups);
        _group = null;
        _groupTimestamp = null;
    }

    /// <summary>Empties a set. Clearing takes time in proportion to the capacity, so a large set is replaced.</summary>
    private static void Empty<T>(ref HashSet<T> set)
    {
        if (set.Count > 256)
        {
            set = [];
        }
        else if (set.Count > 0)
        {
            set.Clear();
        }
    }

    /// <summary>
    /// Adds the name of the family to a reason. Some faults appear only at a later line, which does not name the family.
    /// </summary>
    private string Naming(string fault) => $"metric family {_name}, which ends before this line: {fault}";

    private void ReadSample(scoped ref readonly PrometheusTextReader reader)
    {
        PrometheusSample sample = Factory.Create(in reader);
        bool belongs = _name is not null && sample.Name.StartsWith(_name, StringComparison.Ordinal)
            && OpenMetricsTypes.IsSampleSuffix(_type, sample.Name.AsSpan(_name.Length));
        if (!belongs)
        {
            BeginFamily(in reader, sample.Name, PrometheusMetricType.Unknown);
        }

        ReadOnlySpan<char> suffix = sample.Name.AsSpan(_name!.Length);
        Int128? timestamp = reader.HasTimestamp ? reader.TimestampNanoseconds : null;
        double bound = 0;
        string? fault = CheckLabels(sample, suffix, out bound, out LabelSet group) ?? CheckValue(sample, suffix)
            ?? CheckExemplar(sample, suffix) ?? CheckGroup(group, timestamp);
        bool isSameGroup = _group == group;
        bool isKnownSeries = fault is null && isSameGroup && timestamp == _groupTimestamp && IsKnown(sample);
        if (isKnownSeries && timestamp is null)
        {
            fault = "duplicate sample of a series; without timestamps the two samples cannot be distinguished";
        }

        bool isRepeated = _repeated.IsRepeated(in reader, in sample);
        if (!isRepeated)
        {
            Samples.Add(sample);
        }

        if (fault is not null)
        {
            Refuse(in reader, fault, wasKept: !isRepeated);
            return;
        }

        if (!isSameGroup || timestamp != _groupTimestamp)
        {
            _firstSeries = (sample.Name, sample.Labels);
            Empty(ref _series);
        }

        _group = group;
        _groupTimestamp = timestamp;
        if (!isSameGroup)
        {
            _groups.Add(group);
        }

        if (!isKnownSeries && _type is PrometheusMetricType.Histogram or PrometheusMetricType.GaugeHistogram
            && _histogram.Add(sample, suffix, group, timestamp, bound) is { } histogramFault)
        {
            Refuse(in reader, Naming(histogramFault), wasKept: true);
        }
    }

    /// <summary>Whether the current metric already has this series at the current timestamp.</summary>
    private bool IsKnown(in PrometheusSample sample)
    {
        if (_series.Count == 0)
        {
            if (sample.Name == _firstSeries.Name && sample.Labels == _firstSeries.Labels)
            {
                return true;
            }

            _series.Add(_firstSeries);
        }

        return !_series.Add((sample.Name, sample.Labels));
    }

    /// <summary>Checks the label that the type reserves. Returns the other labels, which identify the metric, as the group.</summary>
    private string? CheckLabels(in PrometheusSample sample, ReadOnlySpan<char> suffix, out double bound, out LabelSet group)
    {
        bound = 0;
        group = _type == PrometheusMetricType.Info ? default : sample.Labels;
        if (_type == PrometheusMetricType.StateSet)
        {
            group = group.Without(_name!);
            return group.Count == sample.Labels.Count
                ? $"a sample of a state set must have a label with the name of its family, {_name}"
                : null;
        }

        if (_type == PrometheusMetricType.Summary && suffix.IsEmpty)
        {
            group = group.Without(ReservedLabels.Quantile);
            return OpenMetricsTypes.TryReadBound(sample.Labels[ReservedLabels.Quantile], out bound) && bound is >= 0 and <= 1
                ? null
                : "a sample of a summary must have a label quantile with a number from 0 to 1";
        }

        if (suffix is not "_bucket")
        {
            return null;
        }

        group = group.Without(ReservedLabels.Bucket);
        return OpenMetricsTypes.TryReadBound(sample.Labels[ReservedLabels.Bucket], out bound)
            ? null
            : "a bucket must have a label le with a number; the last bucket has +Inf";
    }

    private string? CheckValue(in PrometheusSample sample, ReadOnlySpan<char> suffix)
    {
        double value = sample.Value;
        if (suffix is "_bucket" or "_count" or "_gcount" && !double.IsInteger(value))
        {
            return "the count of a bucket or of observations must be an integer";
        }

        if (suffix is "_total" or "_sum" or "_count" or "_bucket" or "_gcount" or "_gsum" && double.IsNaN(value))
        {
            return "a count or a sum must not be NaN";
        }

        if (suffix is "_total" or "_sum" or "_count" or "_bucket" or "_gcount" && value < 0)
        {
            return "a count or a sum must not be negative";
        }

        return _type switch
        {
            PrometheusMetricType.StateSet when value is not (0 or 1) => "the value of a state must be 0 or 1",
            PrometheusMetricType.Info when value is not 1 => "the value of an info sample must be 1",
            PrometheusMetricType.Summary when suffix.IsEmpty && value < 0 => "the value of a quantile must not be negative",
            _ => null,
        };
    }

    private string? CheckExemplar(in PrometheusSample sample, ReadOnlySpan<char> suffix) =>
        sample.Exemplar is null || OpenMetricsTypes.AllowsExemplar(_type, suffix)
            ? null
            : "only buckets and the totals of counters may have exemplars";

    private string? CheckGroup(LabelSet group, Int128? timestamp)
    {
        if (_group is null)
        {
            return null;
        }

        if (_group != group)
        {
            return _groups.Contains(group) ? "the samples of a metric must be consecutive; other samples are between them" : null;
        }

        if (timestamp is null != _groupTimestamp is null)
        {
            return "either all samples of a metric must have timestamps or none";
        }

        return timestamp < _groupTimestamp && _type != PrometheusMetricType.Info ? "the timestamps of a metric must not decrease" : null;
    }
}
