using System.Buffers;
using Fal.Observability.Client;
using Fal.Observability.Client.Prometheus;
using Microsoft.Net.Http.Headers;

namespace Fal.Observability.Bridge;

/// <summary>
/// What <c>/metrics</c> answers: the families of every account that is not stale, and what the bridge says about itself. The
/// families are written once for each set of snapshots, however many scrapers come.
/// </summary>
internal sealed class MetricsPage(
    IEnumerable<BridgedAccount> accounts,
    OwnSeries series,
    TimeProvider time,
    IHostApplicationLifetime lifetime
)
{
    /// <summary>
    /// The most that waits for one scraper in a buffer of the server's; pieces much smaller cost more than what they hold.
    /// </summary>
    private const int PieceLength = 1024 * 1024;

    /// <summary>Longer than Prometheus waits; a scraper that takes longer holds the text of an old page in memory.</summary>
    public static readonly TimeSpan LongestScrape = TimeSpan.FromMinutes(2);

    private readonly BridgedAccount[] _accounts = [.. accounts];
    private readonly Lock _one = new();
    private Rendered _rendered = new([], new ArrayBufferWriter<byte>(4096));
    private Rendered? _before;

    public async Task WriteAsync(HttpContext context)
    {
        Rendered families = Render();
        // After the families, so that it says what was left out of them.
        byte[] ownText = PrometheusTextWriter.ToUtf8(series.Read());
        using var limit = new CancellationTokenSource(LongestScrape, time);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, lifetime.ApplicationStopping, limit.Token);
        try
        {
            ReadOnlyMemory<byte>[] parts = [families.Text.WrittenMemory, ownText];
            context.Response.ContentType = PrometheusTextWriter.GetContentType(PrometheusFormat.Text);
            context.Response.Headers.Vary = HeaderNames.AcceptEncoding;
            if (AcceptsGzip(context.Request))
            {
                context.Response.Headers.ContentEncoding = "gzip";
                parts = [GzipPage.Header, families.Compressed, GzipPage.End(parts[0], parts[1])];
            }

            context.Response.ContentLength = parts.Sum(part => (long)part.Length);
            foreach (ReadOnlyMemory<byte> part in parts)
            {
                await SendAsync(context.Response.Body, part, end.Token);
            }
        }
        catch (OperationCanceledException)
        {
            // The scraper sees that the page is not whole, as its length was sent.
            context.Abort();
        }
        finally
        {
            families.Release();
        }
    }

    /// <summary>Whether the scraper takes gzip: by its name, else as one of all codings.</summary>
    private static bool AcceptsGzip(HttpRequest request)
    {
        IList<StringWithQualityHeaderValue> codings = request.GetTypedHeaders().AcceptEncoding;
        return (codings.FirstOrDefault(coding => coding.Value.Equals("gzip", StringComparison.OrdinalIgnoreCase))
            ?? codings.FirstOrDefault(coding => coding.Value == "*")) is { } accepted && accepted.Quality is not 0;
    }

    /// <summary>
    /// Piece by piece: the server copies what it is given, and a scraper that reads slowly would have a whole page in memory.
    /// </summary>
    private static async Task SendAsync(Stream body, ReadOnlyMemory<byte> text, CancellationToken cancellationToken)
    {
        while (text.Length > 0)
        {
            int length = Math.Min(text.Length, PieceLength);
            await body.WriteAsync(text[..length], cancellationToken);
            text = text[length..];
        }
    }

    private Rendered Render()
    {
        lock (_one)
        {
            FalMetricsSnapshot?[] current = Array.ConvertAll(_accounts, account => account.Current);
            if (!_rendered.Of.AsSpan().SequenceEqual(current))
            {
                PrometheusExposition all = PrometheusExposition.Merge(
                    _accounts.Zip(current).Where(pair => pair.Second is not null)
                        .Select(pair => pair.First.Show(pair.Second!, IsReserved)));
                // A large account has a large text: the memory of the one before last is used again, once nobody is being sent it any more.
                ArrayBufferWriter<byte> text = _before is { IsHeld: false } ? _before.Text : new ArrayBufferWriter<byte>(4096);
                text.ResetWrittenCount();
                PrometheusTextWriter.Write(text, SideBySide(all));
                (_before, _rendered) = (_rendered, new Rendered(current, text));
            }

            _rendered.Hold();
            return _rendered;
        }
    }

    private bool IsReserved(string name) => series.IsOwn(name) || PrometheusOwn.Contains(name);

    /// <summary>
    /// The families without types where two of them have samples of one name, or one has the name of a family of the bridge's own: no
    /// scraper
    /// accepts a page on which a name stands for two things.
    /// </summary>
    private PrometheusExposition SideBySide(PrometheusExposition all)
    {
        (MetricFamily Family, HashSet<string> Names)[] shown = [.. all.Families.Select(family => (family, NamesOf(family)))];
        HashSet<string> shared = [.. shown.SelectMany(pair => pair.Names).CountBy(name => name)
            .Where(name => name.Value > 1 || series.IsOwn(name.Key)).Select(name => name.Key)];
        // Merged, as the samples of one name from different families are one family now.
        return PrometheusExposition.Merge(
            new PrometheusExposition(
                shown.SelectMany(pair =>
                    pair.Names.Overlaps(shared)
                        ? pair
                            .Family.Samples.GroupBy(sample => sample.Name)
                            .Select(named => new MetricFamily(named.Key, PrometheusMetricType.Unknown, [.. named], pair.Family.Help))
                        : [pair.Family]
                )
            )
        );
    }

    /// <summary>Every name that a family takes on the page: of its samples, and of those that its type may have.</summary>
    private static HashSet<string> NamesOf(MetricFamily family)
    {
        HashSet<string> names = [family.Name, .. SentSeries.PartNamesOf(family.Name, family.Type)];
        string last = "";
        foreach (PrometheusSample sample in family.Samples)
        {
            // A large family has few names, and usually the same object for all samples with one name.
            if (sample.Name != last)
            {
                names.Add(last = sample.Name);
            }
        }

        return names;
    }

    /// <summary>The text of some snapshots, and how many responses it is being sent with.</summary>
    private sealed class Rendered(FalMetricsSnapshot?[] of, ArrayBufferWriter<byte> text)
    {
        private readonly Lazy<ReadOnlyMemory<byte>> _compressed = new(() => GzipPage.Begin(text.WrittenMemory));
        private int _holders;

        public FalMetricsSnapshot?[] Of => of;

        public ArrayBufferWriter<byte> Text => text;

        /// <summary>The text as blocks of gzip, made for the first scraper that takes them. To be asked for while it is held.</summary>
        public ReadOnlyMemory<byte> Compressed => _compressed.Value;

        public bool IsHeld => Volatile.Read(ref _holders) > 0;

        public void Hold() => Interlocked.Increment(ref _holders);

        public void Release() => Interlocked.Decrement(ref _holders);
    }
}
