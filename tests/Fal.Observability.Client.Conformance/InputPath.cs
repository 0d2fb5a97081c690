using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using Fal.Observability.Client.Prometheus;

namespace Fal.Observability.Client.Conformance;

/// <summary>A way to pass an exposition to the parser.</summary>
internal abstract class InputPath
{
    public static IReadOnlyList<string> Names { get; } = ["span", "string", "split", "random", "bytes", "stream", "pipe", "rewrite"];

    public static InputPath? Find(string name) => name switch
    {
        "span" => new SpanPath(),
        "string" => new StringPath(),
        "split" => new SplitPath(),
        "random" => new PiecesPath((random, _) => random.Next(1, 40)),
        "bytes" => new PiecesPath((_, _) => 1),
        "stream" => new StreamPath(),
        "pipe" => new PipePath(),
        "rewrite" => new RewritePath(),
        _ => null,
    };

    /// <summary>Reads the samples, once for each way in which the path cuts the input.</summary>
    public abstract IEnumerable<Func<IReadOnlyList<PrometheusSample>>> Samples(byte[] input, PrometheusParserOptions options);

    /// <summary>Reads the families, once for each way in which the path cuts the input.</summary>
    public abstract IEnumerable<Func<PrometheusExposition>> Families(byte[] input, PrometheusParserOptions options);

    private sealed class SpanPath : InputPath
    {
        public override IEnumerable<Func<IReadOnlyList<PrometheusSample>>> Samples(byte[] input, PrometheusParserOptions options) =>
            [() => PrometheusTextParser.ParseSamples(input, options)];

        public override IEnumerable<Func<PrometheusExposition>> Families(byte[] input, PrometheusParserOptions options) =>
            [() => PrometheusTextParser.ParseFamilies(input, options)];
    }

    private sealed class StringPath : InputPath
    {
        public override IEnumerable<Func<IReadOnlyList<PrometheusSample>>> Samples(byte[] input, PrometheusParserOptions options) =>
            [() => PrometheusTextParser.ParseSamples(Text(input), options)];

        public override IEnumerable<Func<PrometheusExposition>> Families(byte[] input, PrometheusParserOptions options) =>
            [() => PrometheusTextParser.ParseFamilies(Text(input), options)];

        /// <summary>A string cannot contain invalid UTF-8. Its equivalent is an unpaired surrogate.</summary>
        private static string Text(byte[] input) => Encoding.UTF8.GetString(input).Replace('\uFFFD', '\uD800');
    }

    /// <summary>Cuts a small input in two at every position, and a larger input at positions spread over it.</summary>
    private sealed class SplitPath : InputPath
    {
        public override IEnumerable<Func<IReadOnlyList<PrometheusSample>>> Samples(byte[] input, PrometheusParserOptions options) =>
            Cuts(input)
                .Select(cut =>
                    (Func<IReadOnlyList<PrometheusSample>>)(() => PrometheusTextParser.ParseSamples(Sequence(input, cut), options))
                );

        public override IEnumerable<Func<PrometheusExposition>> Families(byte[] input, PrometheusParserOptions options) =>
            Cuts(input)
                .Select(cut => (Func<PrometheusExposition>)(() => PrometheusTextParser.ParseFamilies(Sequence(input, cut), options)));

        private static IEnumerable<int> Cuts(byte[] input)
        {
            int step = Math.Max(1, input.Length / 2000);
            for (int cut = 0; cut <= input.Length; cut += step)
            {
                yield return cut;
            }
        }

        private static ReadOnlySequence<byte> Sequence(byte[] input, int cut) =>
            Segment.Sequence([input.AsMemory(0, cut), input.AsMemory(cut)]);
    }

    private sealed class PiecesPath(Func<Random, int, int> size) : InputPath
    {
        public override IEnumerable<Func<IReadOnlyList<PrometheusSample>>> Samples(byte[] input, PrometheusParserOptions options) =>
            [() => PrometheusTextParser.ParseSamples(Cut(input), options)];

        public override IEnumerable<Func<PrometheusExposition>> Families(byte[] input, PrometheusParserOptions options) =>
            [() => PrometheusTextParser.ParseFamilies(Cut(input), options)];

        private ReadOnlySequence<byte> Cut(byte[] input)
        {
            var random = new Random(input.Length);
            var pieces = new List<ReadOnlyMemory<byte>>();
            for (int start = 0; start < input.Length;)
            {
                int length = Math.Min(size(random, start), input.Length - start);
                pieces.Add(input.AsMemory(start, length));
                start += length;
            }

            return Segment.Sequence(pieces);
        }
    }

    private sealed class StreamPath : InputPath
    {
        public override IEnumerable<Func<IReadOnlyList<PrometheusSample>>> Samples(byte[] input, PrometheusParserOptions options) =>
        [
            () => PrometheusTextParser.ParseSamplesAsync(new TricklingStream(input, 7), options).GetAwaiter().GetResult(),
            () => PrometheusTextParser.StreamSamplesAsync(new TricklingStream(input, 7), options).ToBlockingEnumerable().ToList(),
        ];

        public override IEnumerable<Func<PrometheusExposition>> Families(byte[] input, PrometheusParserOptions options) =>
            [() => PrometheusTextParser.ParseFamiliesAsync(new TricklingStream(input, 7), options).GetAwaiter().GetResult()];
    }

    private sealed class PipePath : InputPath
    {
        public override IEnumerable<Func<IReadOnlyList<PrometheusSample>>> Samples(byte[] input, PrometheusParserOptions options) =>
            [
                () =>
                    PrometheusTextParser.ParseSamplesAsync(PipeReader.Create(new TricklingStream(input, 7)), options)
                        .GetAwaiter()
                        .GetResult(),
                () =>
                    PrometheusTextParser
                        .StreamSamplesAsync(PipeReader.Create(new TricklingStream(input, 7)), options)
                        .ToBlockingEnumerable()
                        .ToList(),
            ];

        public override IEnumerable<Func<PrometheusExposition>> Families(byte[] input, PrometheusParserOptions options) =>
            [
                () =>
                    PrometheusTextParser
                        .ParseFamiliesAsync(PipeReader.Create(new TricklingStream(input, 7)), options)
                        .GetAwaiter()
                        .GetResult(),
            ];
    }

    /// <summary>Writes the result and reads it again, which must not lose anything.</summary>
    private sealed class RewritePath : InputPath
    {
        public override IEnumerable<Func<IReadOnlyList<PrometheusSample>>> Samples(byte[] input, PrometheusParserOptions options) =>
        [
            () =>
            {
                PrometheusSamples read = PrometheusTextParser.ParseSamples(input, options);
                if (FallTogether(read, options))
                {
                    return read;
                }

                var output = new ArrayBufferWriter<byte>();
                PrometheusTextWriter.Write(output, read, options.Format);
                return PrometheusTextParser.ParseSamples(output.WrittenSpan, options);
            },
        ];

        public override IEnumerable<Func<PrometheusExposition>> Families(byte[] input, PrometheusParserOptions options) =>
        [
            () =>
            {
                PrometheusExposition read = PrometheusTextParser.ParseFamilies(input, options);
                return FallTogether(read.Families.SelectMany(family => family.Samples), options) ? read
                    : PrometheusTextParser.ParseFamilies(PrometheusTextWriter.ToUtf8(read, options.Format), options);
            },
        ];

        /// <summary>Detects samples that differ only below a millisecond. The model has milliseconds, so they cannot be written.</summary>
        private static bool FallTogether(IEnumerable<PrometheusSample> samples, PrometheusParserOptions options) =>
            options.Format == PrometheusFormat.OpenMetrics
            && samples.GroupBy(sample => (sample.Name, sample.Labels, sample.TimestampMilliseconds)).Any(series => series.Skip(1).Any());
    }

    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        private Segment(ReadOnlyMemory<byte> memory, long runningIndex)
        {
            Memory = memory;
            RunningIndex = runningIndex;
        }

        public static ReadOnlySequence<byte> Sequence(List<ReadOnlyMemory<byte>> pieces)
        {
            if (pieces.Count == 0)
            {
                return ReadOnlySequence<byte>.Empty;
            }

            var first = new Segment(pieces[0], 0);
            Segment last = first;
            foreach (ReadOnlyMemory<byte> piece in pieces.Skip(1))
            {
                var next = new Segment(piece, last.RunningIndex + last.Memory.Length);
                last.Next = next;
                last = next;
            }

            return new ReadOnlySequence<byte>(first, 0, last, last.Memory.Length);
        }
    }
}
