namespace Fal.Observability.Client.Prometheus;

/// <summary>Collects the families of an exposition in the text format.</summary>
/// <remarks>
/// As the format's documentation says: one HELP and one TYPE line a family, TYPE before the first sample. Lines of a
/// family should stand together; where they do not, they are put together, as Prometheus' own library does.
/// </remarks>
internal sealed class TextFamilyBuilder(PrometheusParserOptions options, SeriesMemory? memory = null) : FamilyBuilder(options)
{
    private readonly SampleFactory _factory = memory?.Factory ?? new SampleFactory();
    private readonly FamilyTable _families = new();
    private readonly SampleBuffer _samples = new();

    // The family that the last samples belong to, from which of them on, and the name of the last. Families go by their place; -1 is none.
    private int _current = -1;
    private int _runStart;
    private string? _currentName;

    // The name before that, with its family: names that take turns are found without a search.
    private string? _previousName;
    private int _previous = -1;

    // The family that the last HELP or TYPE line named: most lines after it are its own.
    private int _declared = -1;
    private string? _declaredName;

    internal override PrometheusExposition Build()
    {
        EndRun();
        _samples.End();
        var families = new MetricFamily[_families.Count];
        for (int i = 0; i < families.Length; i++)
        {
            families[i] = _families[i].Build(_samples);
        }

        return memory is { RemembersAll: true } && !HasReported && FindLayout(families) is { } layout
            ? new ExpositionLayout(layout, memory).Expose(families)
            : new PrometheusExposition(families, SkippedLines, SkippedLineCount);
    }

    /// <summary>Where the families stand; null if one of them stands in several places.</summary>
    private ExpositionLayout.Family[]? FindLayout(MetricFamily[] families)
    {
        var layout = new ExpositionLayout.Family[families.Length];
        for (int i = 0; i < layout.Length; i++)
        {
            if (!_families[i].StandsTogether)
            {
                return null;
            }

            MetricFamily family = families[i];
            layout[i] = new ExpositionLayout.Family(family.Name, family.Type, family.Help, _families[i].FirstSample, family.Samples.Count);
        }

        return layout;
    }

    public override void Dispose()
    {
        base.Dispose();
        _samples.End();
        _families.ReturnTables();
        // The factory of a memory lives on with it.
        if (memory is null)
        {
            _factory.ReturnTables();
        }
    }

    protected override void ReadTokens(ref PrometheusTextReader reader)
    {
        while (true)
        {
            while (memory is not null && reader.TryReplay(memory, skipOthers: false))
            {
                for (int i = 0; i < memory.Run.Length; i++)
                {
                    AddSample(memory.SampleOfRun(i));
                }
            }

            if (!(memory is null ? reader.Read() : reader.ReadUnexpected(memory)))
            {
                memory?.End();
                return;
            }

            if (reader.TokenType == PrometheusTokenType.Sample)
            {
                AddSample(memory is null ? _factory.Create(in reader) : memory.Recognise(in reader));
                continue;
            }

            if (reader.TokenType == PrometheusTokenType.Malformed)
            {
                Skip(in reader);
                continue;
            }

            if (reader.TokenType == PrometheusTokenType.Help)
            {
                AddHelp(in reader);
            }
            else if (reader.TokenType == PrometheusTokenType.Type)
            {
                AddType(in reader);
            }

            memory?.RecogniseOther(in reader);
        }
    }

    private void AddSample(in PrometheusSample sample)
    {
        if (!ReferenceEquals(sample.Name, _currentName))
        {
            BeginRun(sample.Name);
        }

        _samples.Add(sample);
    }

    private void AddHelp(scoped ref readonly PrometheusTextReader reader)
    {
        ref FamilyEntry family = ref Declare(in reader);
        // Prometheus' own library takes a HELP line without text for a comment.
        if (string.IsNullOrEmpty(family.Help))
        {
            family.Help = reader.GetText();
        }
        else if (!reader.Text.IsEmpty)
        {
            Refuse(in reader, "a second HELP line for the same metric family");
        }
    }

    private void AddType(scoped ref readonly PrometheusTextReader reader)
    {
        ref FamilyEntry family = ref Declare(in reader);
        if (family.Type is not null)
        {
            Refuse(in reader, "a second TYPE line for the same metric family");
        }
        else if (family.HasSamples)
        {
            Refuse(in reader, "the TYPE line follows samples of its metric family; it must precede them");
        }
        else
        {
            family.Type = reader.MetricType;
        }
    }

    private ref FamilyEntry Declare(scoped ref readonly PrometheusTextReader reader)
    {
        string name = _factory.GetName(reader.Name, reader.NameIsEscaped);
        if (!ReferenceEquals(_declaredName, name))
        {
            (_declared, _declaredName) = (_families.GetOrAdd(name), name);
        }

        // What the line declares may make samples with a suffix another family's.
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
            _runStart = _samples.Count;
            _families[family].HasSamples = true;
        }

        _currentName = sampleName;
    }

    private void EndRun()
    {
        if (_current >= 0)
        {
            _families[_current].AddRun(_runStart, _samples.Count - _runStart);
            _current = -1;
        }
    }

    /// <summary>A suffix belongs to a family only if a TYPE line has declared it a histogram or summary.</summary>
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
            if (stem >= 0 && (_families[stem].Type is MetricType.Histogram or MetricType.GaugeHistogram
                || (_families[stem].Type == MetricType.Summary && !isBucket)))
            {
                return stem;
            }
        }

        return _families.GetOrAdd(sampleName);
    }
}
