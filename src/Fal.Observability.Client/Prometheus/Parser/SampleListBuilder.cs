namespace Fal.Observability.Client.Prometheus;

/// <summary>Collects the samples of an exposition, either for a result or for a stream that takes them after each block.</summary>
internal sealed class SampleListBuilder(PrometheusParserOptions? options) : ExpositionBuilder(options)
{
    private RepeatedSamples _repeated;

    public PrometheusSamples Build()
    {
        Samples.End();
        return new PrometheusSamples(new SampleRange(Samples, 0, Samples.Count), SkippedLines, SkippedLineCount);
    }

    protected override void ReadTokens(ref PrometheusTextReader reader)
    {
        while (reader.Read())
        {
            if (reader.TokenType == PrometheusTokenType.Sample)
            {
                PrometheusSample sample = Factory.Create(in reader);
                if (!reader.IsOpenMetrics || !_repeated.IsRepeated(in reader, in sample))
                {
                    Samples.Add(sample);
                    Lines?.OnLine(in reader);
                }
            }
            else if (reader.TokenType == PrometheusTokenType.Malformed)
            {
                Skip(in reader);
            }
            else
            {
                _repeated.Forget();
                Lines?.OnLine(in reader);
            }
        }
    }
}
