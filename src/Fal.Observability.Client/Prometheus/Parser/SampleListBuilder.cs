namespace Fal.Observability.Client.Prometheus;

/// <summary>Collects the samples of an exposition, for a result or for a stream that empties it after each block.</summary>
internal sealed class SampleListBuilder(PrometheusParserOptions? options, SeriesMemory? memory = null) : ExpositionBuilder(options)
{
    private readonly SampleFactory _factory = memory?.Factory ?? new SampleFactory();
    private RepeatedSamples _repeated;

    internal SampleBuffer Samples { get; } = new();

    internal PrometheusSamples Build()
    {
        Samples.End();
        return new PrometheusSamples(new SampleRange(Samples, 0, Samples.Count), SkippedLines, SkippedLineCount);
    }

    public override void Dispose()
    {
        base.Dispose();
        Samples.End();
        // The factory of a memory lives on with it.
        if (memory is null)
        {
            _factory.ReturnTables();
        }
    }

    protected override void ReadTokens(ref PrometheusTextReader reader)
    {
        if (memory is not null)
        {
            ReplayTokens(memory, ref reader);
            return;
        }

        while (reader.Read())
        {
            if (reader.TokenType == PrometheusTokenType.Sample)
            {
                PrometheusSample sample = _factory.Create(in reader);
                if (!reader.IsOpenMetrics || !_repeated.IsRepeated(in reader, in sample))
                {
                    Samples.Add(sample);
                }
            }
            else if (reader.TokenType == PrometheusTokenType.Malformed)
            {
                Skip(in reader);
            }
            else
            {
                _repeated.Forget();
            }
        }
    }

    private void ReplayTokens(SeriesMemory memory, ref PrometheusTextReader reader)
    {
        while (true)
        {
            while (reader.TryReplay(memory, skipOthers: true))
            {
                for (int i = 0; i < memory.Run.Length; i++)
                {
                    Samples.Add(memory.SampleOfRun(i));
                }
            }

            if (!reader.ReadUnexpected(memory))
            {
                memory.End();
                return;
            }

            if (reader.TokenType == PrometheusTokenType.Sample)
            {
                Samples.Add(memory.Recognise(in reader));
            }
            else if (reader.TokenType == PrometheusTokenType.Malformed)
            {
                Skip(in reader);
            }
            else
            {
                memory.RecogniseOther(in reader);
            }
        }
    }
}
