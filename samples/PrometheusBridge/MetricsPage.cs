using System.Buffers;
using Fal.Observability.Client;
using Fal.Observability.Client.Prometheus;

namespace Fal.Observability.PrometheusBridge;

/// <summary>
/// What <c>/metrics</c> answers: the families of every account that is not stale, and how the reads of each account do. The families are
/// written once for each set of snapshots, however many scrapers come.
/// </summary>
internal sealed class MetricsPage(IEnumerable<BridgedAccount> accounts)
{
    private readonly BridgedAccount[] _accounts = [.. accounts];
    private readonly Lock _one = new();
    private Rendered _rendered = new([], default);

    private sealed record Rendered(FalMetricsSnapshot?[] Of, ReadOnlyMemory<byte> Text);

    public async Task WriteAsync(HttpContext context)
    {
        ReadOnlyMemory<byte> families = Families();
        var own = new ArrayBufferWriter<byte>(4096);
        PrometheusTextWriter.Write(own, Own());
        context.Response.ContentType = PrometheusTextWriter.GetContentType(PrometheusFormat.Text);
        context.Response.ContentLength = families.Length + own.WrittenCount;
        await context.Response.Body.WriteAsync(families, context.RequestAborted);
        await context.Response.Body.WriteAsync(own.WrittenMemory, context.RequestAborted);
    }

    private ReadOnlyMemory<byte> Families()
    {
        FalMetricsSnapshot?[] current = Array.ConvertAll(_accounts, account => account.Current);
        lock (_one)
        {
            if (!_rendered.Of.AsSpan().SequenceEqual(current))
            {
                PrometheusExposition all = PrometheusExposition.Merge(
                    _accounts.Zip(current).Where(pair => pair.Second is not null).Select(pair => pair.First.Show(pair.Second!)));
                // A little more than last time, so that the buffer need not grow.
                var output = new ArrayBufferWriter<byte>(4096 + _rendered.Text.Length * 9 / 8);
                PrometheusTextWriter.Write(output, Visible(all));
                _rendered = new Rendered(current, output.WrittenMemory);
            }

            return _rendered.Text;
        }
    }

    /// <summary>A name of the service's that is the bridge's own would stand twice in the page, which no scraper accepts.</summary>
    private PrometheusExposition Visible(PrometheusExposition all)
    {
        HashSet<string> own = Own().Families.Select(family => family.Name).ToHashSet(StringComparer.Ordinal);
        return all.Families.Any(family => own.Contains(family.Name))
            ? new PrometheusExposition(all.Families.Where(family => !own.Contains(family.Name)))
            : all;
    }

    /// <summary>The names are those under which the publisher's instruments arrive in Prometheus, so that alerts fit either route.</summary>
    private PrometheusExposition Own() => new(
    [
        Family("fal_up", "Whether the last read of the account's metrics succeeded: 1 or 0.", state =>
            state.LastReadDuration is null ? null : state.LastFailure is null ? 1 : 0),
        Family("fal_publisher_last_success_timestamp_seconds", "When the metrics were last read, in seconds since the Unix epoch.", state =>
            (state.LastSuccess - DateTimeOffset.UnixEpoch)?.TotalSeconds),
        new MetricFamily(
            "fal_publisher_snapshot_age_seconds", MetricType.Gauge,
            [.. _accounts.Where(account => account.Publisher.Age is not null)
                .Select(account => Sample("fal_publisher_snapshot_age_seconds", account, account.Publisher.Age!.Value.TotalSeconds))],
            "How old the metrics are that were last read."),
        Family("fal_publisher_scrape_duration_seconds", "How long the last read of the metrics took, its retries included.", state =>
            state.LastReadDuration?.TotalSeconds),
        Family("fal_publisher_scrape_samples", "How many samples the last good read of the metrics had.", state =>
            state.Snapshot?.Families.Sum(family => family.Samples.Count)),
    ]);

    private MetricFamily Family(string name, string help, Func<FalMetricsState, double?> value) => new(
        name, MetricType.Gauge,
        [.. _accounts.Select(account => (Account: account, Value: value(account.Publisher.State)))
            .Where(row => row.Value is not null).Select(row => Sample(name, row.Account, row.Value!.Value))],
        help);

    private static PrometheusSample Sample(string name, BridgedAccount account, double value) => new(name, [new("account", account.Label)], value);
}
