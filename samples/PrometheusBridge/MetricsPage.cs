using System.Buffers;
using Fal.Observability.Client;
using Fal.Observability.Client.Prometheus;

namespace Fal.Observability.PrometheusBridge;

/// <summary>
/// What <c>/metrics</c> answers: the families of every account that is not stale, and what the bridge says about itself. The
/// families are written once for each set of snapshots, however many scrapers come.
/// </summary>
internal sealed class MetricsPage(IEnumerable<BridgedAccount> accounts, OwnSeries series)
{
    private readonly BridgedAccount[] _accounts = [.. accounts];
    private readonly Lock _one = new();
    private Rendered _rendered = new([], new ArrayBufferWriter<byte>(4096));
    private Rendered? _before;

    public async Task WriteAsync(HttpContext context)
    {
        PrometheusExposition own = series.Read();
        byte[] ownText = PrometheusTextWriter.ToUtf8(own);
        Rendered families = Render(own);
        try
        {
            context.Response.ContentType = PrometheusTextWriter.GetContentType(PrometheusFormat.Text);
            context.Response.ContentLength = families.Text.WrittenCount + ownText.Length;
            await context.Response.Body.WriteAsync(families.Text.WrittenMemory, context.RequestAborted);
            await context.Response.Body.WriteAsync(ownText, context.RequestAborted);
        }
        finally
        {
            families.Release();
        }
    }

    private Rendered Render(PrometheusExposition own)
    {
        lock (_one)
        {
            FalMetricsSnapshot?[] current = Array.ConvertAll(_accounts, account => account.Current);
            if (!_rendered.Of.AsSpan().SequenceEqual(current))
            {
                PrometheusExposition all = PrometheusExposition.Merge(
                    _accounts.Zip(current).Where(pair => pair.Second is not null).Select(pair => pair.First.Show(pair.Second!)));
                // A large account has a large text: the memory of the one before last is used again, once nobody is being sent it any more.
                ArrayBufferWriter<byte> text = _before is { IsHeld: false } ? _before.Text : new ArrayBufferWriter<byte>(4096);
                text.ResetWrittenCount();
                // A name of the service's that is the bridge's own would stand twice in the page, which no scraper accepts.
                PrometheusTextWriter.Write(text, new PrometheusExposition(all.Families.Where(family => own[family.Name] is null)));
                (_before, _rendered) = (_rendered, new Rendered(current, text));
            }

            _rendered.Hold();
            return _rendered;
        }
    }

    /// <summary>The text of some snapshots, and how many responses it is being sent with.</summary>
    private sealed class Rendered(FalMetricsSnapshot?[] of, ArrayBufferWriter<byte> text)
    {
        private int _holders;

        public FalMetricsSnapshot?[] Of => of;

        public ArrayBufferWriter<byte> Text => text;

        public bool IsHeld => Volatile.Read(ref _holders) > 0;

        public void Hold() => Interlocked.Increment(ref _holders);

        public void Release() => Interlocked.Decrement(ref _holders);
    }
}
