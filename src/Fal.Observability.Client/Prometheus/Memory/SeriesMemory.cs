namespace Fal.Observability.Client.Prometheus;

/// <summary>
/// The last scrape without its values, and what was made of its lines. One scrape is mostly the one before with other
/// values: then each line is the one that the script has next, and only its number is read.
/// </summary>
/// <remarks>
/// <para>
/// The expected line is recognised by all its bytes: those that it shares with the line before by comparing with that line, which
/// was recognised itself, the rest by comparing with the script. Nothing can be mistaken. Where another line stands, the
/// next few of the script are tried, in case the expected one is gone; else the line is looked up by a hash of its bytes, the bytes
/// compared; else it is new and remembered. Meanwhile a new script is written, so that the next scrape is followed straight on again.
/// </para>
/// <para>A line is remembered for what its bytes mean under one set of options, so a memory serves one set only.</para>
/// </remarks>
internal sealed class SeriesMemory(long maxBytes)
{
    /// <summary>How many lines of the script may be gone before the next is looked up instead of tried.</summary>
    internal const int Lookahead = 2;

    /// <summary>After so many lines that were looked up, the script is searched for the last of them, so many samples ahead.</summary>
    private const int MissesToSearch = 4;

    private const int SearchedSamples = 4096;

    private const int RunLength = 512;

    private SeriesTable _table = new();
    private ScrapeScript _script = new();

    // The script that is being written where this scrape differs from the last: then the lines from _runStart on to the expected
    // one came as they were expected, and are not in it yet.
    private ScrapeScript _newScript = new();
    private bool _isWriting;
    private ScriptPlace _runStart;
    private bool _isInStep;

    // Where the last line of the new script stands in the input, if it was not an expected one.
    private int _written;
    private int _writtenLength;

    private bool _isReading;
    private int _misses;

    // The series that came last where another was expected, and that of them that did not come in the place it first had.
    private int _lastCome;
    private int _lastStranger;
    private byte[] _text = [];

    // The samples read last: their values, and their series, which are those of the script from a place on, or a list, or there is
    // one sample that is not remembered.
    private ValueChunk? _run;
    private int _runCount;
    private int _runFirst;
    private int[]? _runSeries;
    private bool _runIsListed;
    private PrometheusSample? _unremembered;

    /// <summary>The lines of the last scrape.</summary>
    internal ScrapeScript Script => _script;

    /// <summary>Changes with the script.</summary>
    internal int Version { get; private set; }

    /// <summary>The line that is expected next.</summary>
    internal ScriptPlace Expected { get; private set; }

    /// <summary>Where the line before the expected one stands in the input.</summary>
    internal int Previous { get; private set; }

    /// <summary>Whether the last line was the one before the expected one.</summary>
    internal bool IsInStep => _isInStep;

    /// <summary>Whether every line so far that says something was remembered.</summary>
    internal bool RemembersAll { get; private set; }

    /// <summary>Whether the last lines were not the expected ones, so that reading them in bulk pays.</summary>
    internal bool IsLost => _misses > 8;

    internal bool IsEmpty => _table.Count == 0;

    /// <summary>The series remembered, and the lines that are no samples.</summary>
    internal int Count => _table.Count + _script.LineCount - _script.SampleCount;

    internal SampleFactory Factory { get; private set; } = new();

    /// <summary>A new scrape begins.</summary>
    internal void Begin()
    {
        if (_table.Count > 2 * _script.SampleCount + 1024)
        {
            ForgetWhatIsGone();
        }

        _isReading = true;
        _isWriting = false;
        _isInStep = true;
        _runStart = Expected = default;
        Previous = 0;
        RemembersAll = true;
        _misses = IsEmpty ? int.MaxValue / 2 : 0;
        _runCount = 0;
        _lastCome = _lastStranger = -1;
    }

    /// <summary>The scrape was read to its end. One that is not leaves the script as it was.</summary>
    internal void End()
    {
        if (_isReading && (_isWriting || Expected.Line < _script.LineCount))
        {
            LeaveStep();
            (_script, _newScript) = (_newScript, _script);
            Version++;
        }

        _isReading = false;
    }

    internal void Clear()
    {
        Factory.ReturnTables();
        Factory = new SampleFactory();
        _table = new SeriesTable();
        _script = new ScrapeScript();
        _newScript = new ScrapeScript();
        _run = null;
        _text = [];
        _isReading = false;
        Version++;
    }

    /// <summary>The series of the script in the order of its samples.</summary>
    internal SampleSeries[][] GetSeries()
    {
        var chunks = new SampleSeries[(_script.SampleCount + SampleValues.ChunkLength - 1) >> SampleValues.ChunkShift][];
        for (int chunk = 0; chunk < chunks.Length; chunk++)
        {
            int first = chunk << SampleValues.ChunkShift;
            var series = new SampleSeries[Math.Min(SampleValues.ChunkLength, _script.SampleCount - first)];
            for (int i = 0; i < series.Length; i++)
            {
                series[i] = _table[_script.Series[first + i]];
            }

            chunks[chunk] = series;
        }

        return chunks;
    }

    /// <summary>Lines came as they were expected, the last of them at a place of the input.</summary>
    internal void Advance(ScriptPlace expected, int previous)
    {
        Expected = expected;
        Previous = previous;
        _misses = 0;
    }

    /// <summary>The values of the samples read last.</summary>
    internal ReadOnlySpan<double> Run => _run is null ? [] : _run.Values.AsSpan(0, _runCount);

    /// <summary>One of the samples read last.</summary>
    internal PrometheusSample SampleOfRun(int index)
    {
        if (_unremembered is { } sample)
        {
            return sample;
        }

        (SampleShape shape, string[] labelValues) = _table[_runIsListed ? _runSeries![index] : _script.Series[_runFirst + index]];
        return new PrometheusSample(shape, labelValues, _run!.Values[index], _run.TimestampOf(index));
    }

    /// <summary>Room for samples that are about to be replayed.</summary>
    internal ValueChunk BeginRun()
    {
        _run ??= new ValueChunk(RunLength);
        _run.ClearTimestamps();
        _runCount = 0;
        _runIsListed = false;
        _unremembered = null;
        return _run;
    }

    /// <summary>The last samples before the expected one belong to the run.</summary>
    internal void AddToRun(int count)
    {
        int first = Expected.Sample - count;
        if (_runCount == 0)
        {
            _runFirst = first;
        }
        else if (!_runIsListed && first != _runFirst + _runCount)
        {
            ListRun();
        }

        if (_runIsListed)
        {
            _script.Series.AsSpan(first, count).CopyTo(_runSeries.AsSpan(_runCount));
        }

        _runCount += count;
    }

    /// <summary>A sample belongs to the run that need not have been the expected one.</summary>
    internal void AddToRunOutOfOrder(int series)
    {
        ListRun();
        _runSeries![_runCount++] = series;
    }

    private void ListRun()
    {
        if (!_runIsListed)
        {
            _runSeries ??= new int[RunLength];
            _script.Series.AsSpan(_runFirst, _runCount).CopyTo(_runSeries);
            _runIsListed = true;
        }
    }

    /// <summary>Makes a run of one sample that the reader shows.</summary>
    internal void RunOne(PrometheusSample sample)
    {
        BeginRun().Set(0, sample.Value, PrometheusSample.NoTimestamp);
        _unremembered = sample;
        _runCount = 1;
    }

    /// <summary>Looks for the line at a place of the input among the next lines of the script.</summary>
    /// <param name="data">The input.</param>
    /// <param name="line">Where the line begins.</param>
    /// <param name="length">How long it is up to its value; -1 if that is not known.</param>
    /// <param name="lookahead">How many lines may be missing before it.</param>
    /// <param name="found">The line in the script.</param>
    internal bool TryFindAhead(ReadOnlySpan<byte> data, int line, int length, int lookahead, out ScriptPlace found)
    {
        for (found = Expected; lookahead >= 0 && found.Line < _script.LineCount; lookahead--)
        {
            // What a line has of its own tells it from others at once; what it shares is put together only where that is right.
            ScrapeStep step = _script.Steps[found.Line];
            if ((length < 0 || length == step.Length) && data.Length - line >= step.Length
                && data.Slice(line + step.Shared, step.RestLength).SequenceEqual(_script.Rests.AsSpan(found.Rest, step.RestLength))
                && data.Slice(line, step.Shared).SequenceEqual(SharedText(data, found)))
            {
                return true;
            }

            found = _script.After(found);
        }

        return false;
    }

    /// <summary>What the line at a place shares with the line before, which is the one before the expected line or not far behind it.</summary>
    private ReadOnlySpan<byte> SharedText(ReadOnlySpan<byte> data, ScriptPlace place)
    {
        int shared = _script.Steps[place.Line].Shared;
        if (place.Line == Expected.Line)
        {
            return data.Slice(Previous, shared);
        }

        if (_text.Length < _script.LongestText)
        {
            _text = new byte[Math.Max(1024, _script.LongestText)];
        }

        data.Slice(Previous, _script.Steps[Expected.Line].Shared).CopyTo(_text);
        for (ScriptPlace before = Expected; before.Line < place.Line; before = _script.After(before))
        {
            _script.Complete(before, _text);
        }

        return _text.AsSpan(0, shared);
    }

    internal ScrapeStep StepAt(ScriptPlace place) => _script.Steps[place.Line];

    internal int SeriesAt(ScriptPlace place) => StepAt(place).IsSample ? _script.Series[place.Sample] : -1;

    /// <summary>The place of a series in the table; -1 if it is not remembered.</summary>
    internal int Find(ReadOnlySpan<byte> text) => _table.Find(text, out _);

    /// <summary>The series of the sample before; -1 if there is none.</summary>
    private int SeriesBefore => !_isInStep ? _lastCome : Expected.Sample > 0 ? _script.Series[Expected.Sample - 1] : -1;

    /// <summary>
    /// Whether a line is one of two that are likely where another was expected, as the table keeps series in the order of their first coming:
    /// the one that first came after the line before, or the one that first came after the last that was not expected either.
    /// </summary>
    /// <param name="line">The line and what follows it.</param>
    /// <param name="series">The place of the series in the table; -1 if it is neither.</param>
    /// <param name="length">How long the line is up to its value.</param>
    internal bool TryGuess(ReadOnlySpan<byte> line, out int series, out int length)
    {
        series = _lastStranger + 1;
        if (!_table.IsAt(series, line, out length))
        {
            series = SeriesBefore + 1;
            if (!_table.IsAt(series, line, out length))
            {
                series = -1;
                return false;
            }
        }

        return true;
    }

    /// <summary>The line at a place of the input is one of the script: from there on it is followed.</summary>
    internal void Resume(ReadOnlySpan<byte> data, int line, ScriptPlace found)
    {
        ScriptPlace next = _script.After(found);
        if (!_isInStep || found.Line != Expected.Line)
        {
            // The lines that follow are written down as what differs from this one.
            _isInStep = Write(data, line, StepAt(found).Length, SeriesAt(found));
            _runStart = next;
        }

        Advance(next, line);
    }

    /// <summary>A series came that was not expected.</summary>
    internal void Come(ReadOnlySpan<byte> data, int line, int length, int series)
    {
        if (_misses >= MissesToSearch && (_misses < 16 || _misses % 16 == 0) && TryFindFarAhead(series, out ScriptPlace found))
        {
            Resume(data, line, found);
        }
        else
        {
            // A series that only is back where it was says nothing of where the next stranger first came.
            _lastStranger = series == SeriesBefore + 1 ? _lastStranger : series;
            _lastCome = series;
            Write(data, line, length, series);
            _misses++;
        }
    }

    /// <summary>The sample of a line that was read because it was not expected, or not where a replay can read it.</summary>
    internal PrometheusSample Recognise(scoped ref readonly PrometheusTextReader reader)
    {
        ReadOnlySpan<byte> text = reader.SeriesBytes;
        // With an exemplar, the shape belongs to the sample alone; without a bound, the next byte could belong to the name.
        if (text.Length is 0 or > ScrapeStep.MaxLength || reader.HasExemplar || text[^1] is not ((byte)' ' or (byte)'\t' or (byte)'}'))
        {
            return CreateUnremembered(in reader);
        }

        if (TryFindAhead(reader.Data, reader.LineStart, text.Length, Lookahead, out ScriptPlace found))
        {
            Resume(reader.Data, reader.LineStart, found);
            return CreateSample(SeriesAt(found), in reader);
        }

        int series = _table.Find(text, out uint hash);
        if (series < 0)
        {
            if (!HasRoomFor(text.Length))
            {
                return CreateUnremembered(in reader);
            }

            PrometheusSample sample = Factory.Create(in reader);
            series = _table.Add(text, hash, new SampleSeries(sample.Shape!, sample.LabelValues!));
            _lastStranger = _lastCome = series;
            Write(reader.Data, reader.LineStart, text.Length, series);
            _misses++;
            return sample;
        }

        Come(reader.Data, reader.LineStart, text.Length, series);
        return CreateSample(series, in reader);
    }

    /// <summary>Takes note of a line that is no sample.</summary>
    internal void RecogniseOther(scoped ref readonly PrometheusTextReader reader)
    {
        // The end of an exposition changes what may follow, and a line without its line feed may not be the whole line.
        ReadOnlySpan<byte> line = reader.LineWithFeed;
        if (reader.TokenType == PrometheusTokenType.EndOfExposition || line.Length > ScrapeStep.MaxLength
            || !line.EndsWith("\n"u8) || line.EndsWith("\r\n"u8))
        {
            RemembersAll = false;
        }
        else if (TryFindAhead(reader.Data, reader.LineStart, line.Length, Lookahead, out ScriptPlace found))
        {
            Resume(reader.Data, reader.LineStart, found);
        }
        else
        {
            Write(reader.Data, reader.LineStart, line.Length, series: -1);
        }
    }

    private PrometheusSample CreateUnremembered(scoped ref readonly PrometheusTextReader reader)
    {
        RemembersAll = false;
        _misses++;
        return Factory.Create(in reader);
    }

    private PrometheusSample CreateSample(int series, scoped ref readonly PrometheusTextReader reader)
    {
        // The factory did not see this sample, so it must not take the next for one like it.
        Factory.ForgetShape();
        (SampleShape shape, string[] labelValues) = _table[series];
        return new PrometheusSample(shape, labelValues, reader.Value, reader.SampleTimestamp);
    }

    /// <summary>Many lines of the script may be gone; to look for one of them costs little where it is done seldom.</summary>
    private bool TryFindFarAhead(int series, out ScriptPlace found)
    {
        found = Expected;
        int ahead = _script.Series.AsSpan(found.Sample, Math.Min(SearchedSamples, _script.SampleCount - found.Sample)).IndexOf(series);
        if (ahead < 0)
        {
            return false;
        }

        for (int sample = found.Sample + ahead; found.Sample < sample || !StepAt(found).IsSample;)
        {
            found = _script.After(found);
        }

        return true;
    }

    private bool HasRoomFor(int length) => _table.Bytes + _script.Bytes + _newScript.Bytes + length < Math.Min(maxBytes, Array.MaxLength);

    /// <summary>Writes a line into the new script, if there is room for it.</summary>
    private bool Write(ReadOnlySpan<byte> data, int line, int length, int series)
    {
        LeaveStep();
        if (!HasRoomFor(length))
        {
            RemembersAll = false;
            return false;
        }

        _newScript.Append(data.Slice(_written, _writtenLength), data.Slice(line, length), series);
        (_written, _writtenLength) = (line, length);
        return true;
    }

    /// <summary>What came as expected so far goes into the new script, which begins here if this is the first difference.</summary>
    private void LeaveStep()
    {
        if (!_isWriting)
        {
            _newScript.Clear();
            _isWriting = true;
        }

        if (_isInStep)
        {
            _newScript.Append(_script, _runStart, Expected);
            (_written, _writtenLength) = (Previous, _script.LengthBefore(Expected));
            _isInStep = false;
        }
    }

    /// <summary>Keeps the series of the script and no other.</summary>
    private void ForgetWhatIsGone()
    {
        SeriesTable all = _table;
        _table = new SeriesTable();
        foreach (ref int series in _script.Series.AsSpan(0, _script.SampleCount))
        {
            ReadOnlySpan<byte> text = all.TextOf(series);
            int kept = _table.Find(text, out uint hash);
            series = kept >= 0 ? kept : _table.Add(text, hash, all[series]);
        }
    }
}
