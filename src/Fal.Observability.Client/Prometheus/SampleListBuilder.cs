namespace Fal.Observability.Client.Prometheus;

/// <summary>Collects the samples of an exposition, for a result or for a stream that empties it after each block.</summary>
internal sealed class SampleListBuilder(PrometheusParserOptions? options) : ExpositionBuilder(options)
{
    private readonly SampleFactory _factory = new();

    internal SampleBuffer Samples { get; } = new();

    internal PrometheusSamples Build() => new(Samples, SkippedLines, SkippedLineCount);

    protected override void ReadTokens(ref PrometheusTextReader reader)
    {
        while (reader.Read())
        {
            if (reader.TokenType == PrometheusTokenType.Sample)
                Samples.Add(_factory.Create(in reader));
            else if (reader.TokenType == PrometheusTokenType.Malformed)
                Skip(in reader);
        }
    }
}
