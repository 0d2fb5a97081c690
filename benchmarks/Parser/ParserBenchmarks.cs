using BenchmarkDotNet.Attributes;
using Fal.Observability.Client.Prometheus;

namespace Fal.Observability.Client.Benchmarks;

/// <summary>The ways of reading side by side, with System.Text.Json on the same data as the yardstick.</summary>
[MemoryDiagnoser]
public class ParserBenchmarks
{
    private byte[] _text = [];
    private byte[] _json = [];

    /// <summary>The number of apps in the exposition.</summary>
    [Params(1, 100, 10_000)]
    public int Apps { get; set; }

    /// <summary>Writes the exposition, and its samples as JSON.</summary>
    [GlobalSetup]
    public void Setup()
    {
        _text = ExpositionGenerator.Fal(Apps);
        _json = JsonPeer.Write(_text);
    }

    /// <summary>Every token, label and value, nothing kept.</summary>
    [Benchmark(Baseline = true)]
    public double Reader()
    {
        var reader = new PrometheusTextReader(_text);
        double sum = 0;
        while (reader.Read())
        {
            sum += reader.Value;
            foreach (PrometheusLabel label in reader.Labels)
            {
                sum += label.Value.Length;
            }
        }

        return sum;
    }

    /// <summary>All samples as objects.</summary>
    [Benchmark]
    public int Samples() => PrometheusTextParser.ParseSamples(_text).Count;

    /// <summary>All families as objects.</summary>
    [Benchmark]
    public int Families() => PrometheusTextParser.ParseFamilies(_text).Families.Count;

    /// <summary>Every token of the same samples as JSON, nothing kept.</summary>
    [Benchmark]
    public long JsonReader() => JsonPeer.ReadTokens(_json);

    /// <summary>The same samples as objects from JSON, with the source generator.</summary>
    [Benchmark]
    public long JsonObjects() => JsonPeer.Deserialize(_json);
}
