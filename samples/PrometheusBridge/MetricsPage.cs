using System.Buffers;
using Fal.Observability.Client;
using Fal.Observability.Client.Prometheus;

namespace Fal.Observability.PrometheusBridge;

/// <summary>
/// What <c>/metrics</c> answers: the families of every account that is not stale, and what the publishers say about their reads. The
/// families are written once for each set of snapshots, however many scrapers come.
/// </summary>
internal sealed class MetricsPage(IEnumerable<BridgedAccount> accounts, PublisherSeries publisher)
{
    private readonly BridgedAccount[] _accounts = [.. accounts];
    private readonly Lock _one = new();
    private Rendered _rendered = new([], default);

    private sealed record Rendered(FalMetricsSnapshot?[] Of, ReadOnlyMemory<byte> Text);

    public async Task WriteAsync(HttpContext context)
    {
        PrometheusExposition own = publisher.Read();
        ReadOnlyMemory<byte> families = Render(own);
        byte[] ownText = PrometheusTextWriter.ToUtf8(own);
        context.Response.ContentType = PrometheusTextWriter.GetContentType(PrometheusFormat.Text);
        context.Response.ContentLength = families.Length + ownText.Length;
        await context.Response.Body.WriteAsync(families, context.RequestAborted);
        await context.Response.Body.WriteAsync(ownText, context.RequestAborted);
    }

    private ReadOnlyMemory<byte> Render(PrometheusExposition own)
    {
        lock (_one)
        {
            FalMetricsSnapshot?[] current = Array.ConvertAll(_accounts, account => account.Current);
            if (!_rendered.Of.AsSpan().SequenceEqual(current))
            {
                PrometheusExposition all = PrometheusExposition.Merge(
                    _accounts.Zip(current).Where(pair => pair.Second is not null).Select(pair => pair.First.Show(pair.Second!)));
                // A little more than last time, so that the buffer need not grow.
                var output = new ArrayBufferWriter<byte>(4096 + (_rendered.Text.Length / 8 * 9));
                // A name of the service's that is the publisher's own would stand twice in the page, which no scraper accepts.
                PrometheusTextWriter.Write(output, new PrometheusExposition(all.Families.Where(family => own[family.Name] is null)));
                _rendered = new Rendered(current, output.WrittenMemory);
            }

            return _rendered.Text;
        }
    }
}
