namespace Fal.Observability.Client.Prometheus;

/// <summary>Collects the families of an exposition in the text format.</summary>
/// <remarks>
/// The rules are those of the format's documentation: at most one HELP and one TYPE line per family, and TYPE before the first
/// sample. The lines of a family should be consecutive. If they are not, they are collected, as in Prometheus' own library.
/// </remarks>
internal sealed class TextFamilyBuilder(PrometheusParserOptions options) : FamilyBuilder(options)
{
    private readonly FamilyTable _families = new();

    // The family of the last samples, the first of these samples, and their name. A family is an index into the table; -1 means none.
    private int _current = -1;
    private int _runStart;
    private string? _currentName;

    // The previous name and its family, so that alternating names need no search.
    private string? _previousName;
    private int _previous = -1;

    // The family of the last HELP or TYPE line. Most lines that follow belong to it.
    private int _declared = -1;
    private string? _declaredName;

    public override PrometheusExposition Build()
    {
        EndRun();
        Samples.End();
        var families = new MetricFamily[_families.Count];
        for (int i = 0; i < families.Length; i++)
        {
            families[i] = _families[i].Build(Samples);
        }

        return new PrometheusExposition(families, SkippedLines, SkippedLineCount);
    }

    public override void Dispose()
    {
        base.Dispose();
        _families.ReturnTables();
    }

    protected override void ReadTokens(ref PrometheusTextReader reader)
    {
        while (reader.Read())
        {
            switch (reader.TokenType)
            {
                case PrometheusTokenType.Sample:
                    PrometheusSample sample = Factory.Create(in reader);
                    BeginName(sample.Name);
                    Samples.Add(sample);
                    break;
                case PrometheusTokenType.Malformed:
                    Skip(in reader);
                    continue;
                case PrometheusTokenType.Help:
                    AddHelp(in reader);
                    break;
                case PrometheusTokenType.Type:
                    AddType(in reader);
                    break;
            }

            Lines?.OnLine(in reader);
        }
    }

    /// <summary>Sets the name of the samples that are added next.</summary>
    public void BeginName(string name)
    {
        if (!ReferenceEquals(name, _currentName))
        {
            BeginRun(name);
        }
    }

    private void AddHelp(scoped ref readonly PrometheusTextReader reader)
    {
        ref FamilyEntry family = ref Declare(in reader);
        // Prometheus' own library treats a HELP line without text as a comment.
        if (string.IsNullOrEmpty(family.Help))
        {
            family.Help = reader.GetText();
        }
        else if (!reader.Text.IsEmpty)
        {
            Refuse(in reader, "duplicate HELP line for the metric family");
        }
    }

    private void AddType(scoped ref readonly PrometheusTextReader reader)
    {
        ref FamilyEntry family = ref Declare(in reader);
        if (family.Type is not null)
        {
            Refuse(in reader, "duplicate TYPE line for the metric family");
        }
        else if (family.HasSamples)
        {
            Refuse(in reader, "the TYPE line must precede the samples of its metric family");
        }
        else
        {
            family.Type = reader.MetricType;
        }
    }

    private ref FamilyEntry Declare(scoped ref readonly PrometheusTextReader reader)
    {
        string name = Factory.GetName(reader.Name, reader.NameIsEscaped);
        if (!ReferenceEquals(_declaredName, name))
        {
            (_declared, _declaredName) = (_families.GetOrAdd(name), name);
        }

        // After a TYPE line, samples with a suffix may belong to another family than before.
        _currentName = _previousName = null;
        return ref _families[_declared];
    }

    private void BeginRun(string sampleName)
    {
        int family = ReferenceEquals(sampleName, _previousName) ? _previous : FamilyOf(sampleName);
        (_previousName, _previous) = (_currentName, _current);
        if (family != _current)
        {
            EndRun();
            _current = family;
            _runStart = Samples.Count;
            _families[family].HasSamples = true;
        }

        _currentName = sampleName;
    }

    private void EndRun()
    {
        if (_current >= 0)
        {
            _families[_current].AddRun(_runStart, Samples.Count - _runStart);
            _current = -1;
        }
    }

    /// <summary>Finds the family of a sample. A suffix counts only if a TYPE line has declared a histogram or summary.</summary>
    private int FamilyOf(string sampleName)
    {
        if (ReferenceEquals(_declaredName, sampleName))
        {
            return _declared;
        }

        bool isBucket = sampleName.EndsWith("_bucket", StringComparison.Ordinal);
        if ((isBucket || sampleName.EndsWith("_count", StringComparison.Ordinal) || sampleName.EndsWith("_sum", StringComparison.Ordinal))
            && _families.Find(sampleName) < 0)
        {
            int stem = _families.Find(sampleName.AsSpan(0, sampleName.LastIndexOf('_')));
            if (stem >= 0 && (_families[stem].Type is PrometheusMetricType.Histogram or PrometheusMetricType.GaugeHistogram
                || (_families[stem].Type == PrometheusMetricType.Summary && !isBucket)))
            {
                return stem;
            }
        }

        return _families.GetOrAdd(sampleName);
    }
}
