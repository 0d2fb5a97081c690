using System.Runtime.InteropServices;

namespace Fal.Observability.Client.Prometheus;

/// <summary>Collects the families of an exposition in the text format.</summary>
/// <remarks>
/// As the format's documentation says: one HELP and one TYPE line a family, TYPE before the first sample. Lines of a
/// family should stand together; where they do not, they are put together, as Prometheus' own library does.
/// </remarks>
internal sealed class TextFamilyBuilder(PrometheusParserOptions options, SeriesMemory? memory = null) : FamilyBuilder(options)
{
    private readonly SampleFactory _factory = memory?.Factory ?? new SampleFactory();
    private readonly Dictionary<string, Family> _byName = new(StringComparer.Ordinal);
    private readonly List<Family> _families = [];
    private readonly SampleBuffer _samples = new();

    // The family that the last samples belong to, from which of them on, and the name of the last.
    private Family? _current;
    private int _runStart;
    private string? _currentName;

    // The name before that, with its family: names that take turns are found without a search.
    private string? _previousName;
    private Family? _previous;

    // The family that the last HELP or TYPE line named: most lines after it are its own.
    private Family? _declared;

    private sealed class Family(string name)
    {
        private int _count;

        // As a rule a family stands together in one run; a list is for one that does not.
        private List<(int Start, int Before)>? _runs;

        internal string Name { get; } = name;

        internal MetricType Type { get; set; }

        internal bool HasType { get; set; }

        internal bool HasSamples { get; set; }

        internal string? Help { get; set; }

        /// <summary>The place of the first sample among those of the exposition.</summary>
        internal int FirstSample { get; private set; }

        internal bool StandsTogether => _runs is null;

        internal void AddRun(int start, int count)
        {
            if (_count == 0)
            {
                FirstSample = start;
            }
            else
            {
                _runs ??= [(FirstSample, 0)];
                _runs.Add((start, _count));
            }

            _count += count;
        }

        internal MetricFamily Build(SampleBuffer samples) => new(
            Name, Type, _runs is not null ? new SampleRuns(samples, _runs, _count) : _count > 0 ? new SampleRange(samples, FirstSample, _count) : [], Help);
    }

    internal override PrometheusExposition Build()
    {
        EndRun();
        _samples.End();
        var families = new MetricFamily[_families.Count];
        for (int i = 0; i < families.Length; i++)
        {
            families[i] = _families[i].Build(_samples);
        }

        if (memory is not { RemembersAll: true } || HasReported || !_families.TrueForAll(family => family.StandsTogether))
        {
            return new PrometheusExposition(families, SkippedLines, SkippedLineCount);
        }

        return new PrometheusExposition(families, new ExpositionLayout(
            [.. _families.Select((family, i) => new ExpositionLayout.Family(family.Name, family.Type, family.Help, family.FirstSample, families[i].Samples.Count))], memory));
    }

    public override void Dispose()
    {
        base.Dispose();
        _samples.End();
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
        Family family = _declared = GetOrAdd(_factory.GetName(reader.Name, reader.NameIsEscaped));
        // What the line declares may make samples with a suffix another family's.
        _currentName = _previousName = null;
        if (family.Help is not null)
        {
            Refuse(in reader, "a second HELP line for the same metric family");
        }
        else
        {
            family.Help = reader.GetText();
        }
    }

    private void AddType(scoped ref readonly PrometheusTextReader reader)
    {
        Family family = _declared = GetOrAdd(_factory.GetName(reader.Name, reader.NameIsEscaped));
        // What the line declares may make samples with a suffix another family's.
        _currentName = _previousName = null;
        if (family.HasType)
        {
            Refuse(in reader, "a second TYPE line for the same metric family");
        }
        else if (family.HasSamples)
        {
            Refuse(in reader, "the TYPE line follows samples of its metric family; it must precede them");
        }
        else
        {
            family.HasType = true;
            family.Type = reader.MetricType;
        }
    }

    private void BeginRun(string sampleName)
    {
        Family family = ReferenceEquals(sampleName, _previousName) ? _previous! : FamilyOf(sampleName);
        (_previousName, _previous) = (_currentName, _current);
        if (!ReferenceEquals(family, _current))
        {
            EndRun();
            _current = family;
            _runStart = _samples.Count;
            family.HasSamples = true;
        }

        _currentName = sampleName;
    }

    private void EndRun()
    {
        _current?.AddRun(_runStart, _samples.Count - _runStart);
        _current = null;
    }

    private Family GetOrAdd(string name)
    {
        if (ReferenceEquals(_declared?.Name, name))
        {
            return _declared!;
        }

        ref Family? family = ref CollectionsMarshal.GetValueRefOrAddDefault(_byName, name, out bool exists);
        if (!exists)
        {
            family = new Family(name);
            _families.Add(family);
        }

        return family!;
    }

    /// <summary>A suffix belongs to a family only if a TYPE line has declared it a histogram or summary.</summary>
    private Family FamilyOf(string sampleName)
    {
        if (ReferenceEquals(_declared?.Name, sampleName))
        {
            return _declared!;
        }

        bool isBucket = sampleName.EndsWith("_bucket", StringComparison.Ordinal);
        if ((isBucket || sampleName.EndsWith("_count", StringComparison.Ordinal) || sampleName.EndsWith("_sum", StringComparison.Ordinal))
            && !_byName.ContainsKey(sampleName))
        {
            string stem = sampleName[..sampleName.LastIndexOf('_')];
            if (_byName.TryGetValue(stem, out Family? family)
                && (family.Type is MetricType.Histogram or MetricType.GaugeHistogram || (family.Type == MetricType.Summary && !isBucket)))
            {
                return family;
            }
        }

        return GetOrAdd(sampleName);
    }
}
