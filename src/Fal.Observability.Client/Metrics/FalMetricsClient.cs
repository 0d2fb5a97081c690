using System.Net;
using System.Runtime.CompilerServices;
using Fal.Observability.Client.Prometheus;
using Microsoft.Extensions.Logging;

namespace Fal.Observability.Client;

/// <summary>The typed metrics client over <see cref="IFalMetricsApi"/>.</summary>
internal sealed class FalMetricsClient(
    IFalMetricsApi api,
    FalObservabilityOptions options,
    TimeProvider time,
    ILogger log,
    Func<double> random,
    CancellationToken closed = default
) : IFalMetricsClient, IDisposable
{
    private readonly PrometheusParserOptions _parsing = options.StrictMetrics
        ? PrometheusParserOptions.Strict
        : PrometheusParserOptions.Lenient;
    private readonly FalMetricsMemory _memory = new(options.MaxRememberedBytes, time);
    private (long Skipped, string? Reason) _told;

    public void Dispose() => _memory.Dispose();

    public Task<FalMetricsSnapshot> GetSnapshotAsync(CancellationToken cancellationToken = default) =>
        ReadSnapshotAsync(0, cancellationToken);

    public Task<PrometheusExposition> GetFamiliesAsync(CancellationToken cancellationToken = default) =>
        ReadAsync(static (exposition, _) => exposition, cancellationToken);

    private Task<FalMetricsSnapshot> ReadSnapshotAsync(int failuresSinceLast, CancellationToken cancellationToken) =>
        ReadAsync(
            (exposition, requestId) => FalMetricsSnapshot.Create(exposition, time.GetUtcNow(), failuresSinceLast, requestId),
            cancellationToken
        );

    private async Task<T> ReadAsync<T>(Func<PrometheusExposition, string?, T> select, CancellationToken cancellationToken)
    {
        Stream stream = await api.GetMetricsAsync(streaming: false, cancellationToken).ConfigureAwait(false);
        await using (stream.ConfigureAwait(false))
        {
            PrometheusExposition exposition;
            PrometheusParserOptions parsing = ParsingOf(stream);
            try
            {
                exposition = stream is FalBodyStream body
                    ? _memory.Parse(body.Memory.Span, parsing)
                    : await PrometheusTextParser.ParseFamiliesAsync(stream, parsing, cancellationToken).ConfigureAwait(false);
            }
            catch (PrometheusFormatException e)
            {
                throw NotMetrics(stream, $"it is not well-formed Prometheus text ({e.Message})", e);
            }

            // Programs log these lines, and the far side may have put the key into one.
            exposition = exposition.WithSkippedLines(line => line with
            {
                Reason = FalApiKey.Scrub(line.Reason, options.ApiKey),
                Text = FalApiKey.Scrub(line.Text, options.ApiKey),
            });
            PrometheusSkippedLine? first = exposition.SkippedLines.FirstOrDefault(line => !line.WasKept)
                ?? (exposition.SkippedLines is [var kept, ..] ? kept : null);
            Judge(stream, parsing.Format, exposition.Families.All(family => family.Samples.Count == 0), exposition.SkippedLineCount, first);
            cancellationToken.ThrowIfCancellationRequested();
            return select(exposition, InfoOf(stream)?.RequestId);
        }
    }

    public async IAsyncEnumerable<PrometheusSample> StreamSamplesAsync(
        [EnumeratorCancellation] CancellationToken cancellationToken = default
    )
    {
        Stream stream = await api.GetMetricsAsync(streaming: true, cancellationToken).ConfigureAwait(false);
        await using (stream.ConfigureAwait(false))
        {
            long skipped = 0;
            bool isEmpty = true;
            PrometheusSkippedLine? first = null;
            PrometheusParserOptions parsing = ParsingOf(stream) with
            {
                OnSkippedLine = line =>
                {
                    skipped += line.WasKept ? 0 : 1;
                    first = first is null || (first.WasKept && !line.WasKept) ? line : first;
                },
            };
            IAsyncEnumerator<PrometheusSample> samples = PrometheusTextParser
                .StreamSamplesAsync(stream, parsing, cancellationToken)
                .GetAsyncEnumerator(cancellationToken);
            await using (samples.ConfigureAwait(false))
            {
                while (await MoveNextAsync(samples, stream).ConfigureAwait(false))
                {
                    isEmpty = false;
                    cancellationToken.ThrowIfCancellationRequested();
                    yield return samples.Current;
                }
            }

            Judge(stream, parsing.Format, isEmpty, skipped, first);
        }
    }

    public IAsyncEnumerable<FalMetricsSnapshot> WatchAsync(TimeSpan interval, CancellationToken cancellationToken = default)
    {
        PollInterval.ThrowIfOutOfRange(interval);
        return WatchEveryAsync(interval, cancellationToken);
    }

    private async IAsyncEnumerable<FalMetricsSnapshot> WatchEveryAsync(
        TimeSpan interval, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var timer = new FalWatchTimer(interval, time, random, closed, cancellationToken);
        int failures = 0;
        while (true)
        {
            TimeSpan? asked = null;
            FalMetricsSnapshot? snapshot = null;
            try
            {
                snapshot = await ReadSnapshotAsync(failures, cancellationToken).ConfigureAwait(false);
                failures = 0;
            }
            catch (FalObservabilityException e) when (e.IsRecoverable)
            {
                failures++;
                log.WatchFailed(failures, e.Message);
                asked = (e as FalApiException)?.RetryAfter;
            }

            if (snapshot is not null)
            {
                yield return snapshot;
            }

            await timer.WaitAsync(asked).ConfigureAwait(false);
        }
    }

    /// <summary>Refuses a body that must not read as an account without apps, and logs what the parser reported of any other.</summary>
    /// <param name="stream">The body.</param>
    /// <param name="format">What the body was read as.</param>
    /// <param name="isEmpty">Whether it has no sample.</param>
    /// <param name="skipped">How many lines were left out.</param>
    /// <param name="first">The first of them, else the first that was reported and kept; null if there is none.</param>
    private void Judge(Stream stream, PrometheusFormat format, bool isEmpty, long skipped, PrometheusSkippedLine? first)
    {
        // An empty OpenMetrics body ends with # EOF. Without it, the content did not arrive.
        if (isEmpty && first is not null && (skipped > 0 || format == PrometheusFormat.OpenMetrics))
        {
            throw NotMetrics(stream, $"none of its lines is a sample (line {first.Line}: {first.Reason})", null);
        }

        // An idle account has no samples, and its body is declared as metrics. Any other body without samples is not the service's.
        if (isEmpty && InfoOf(stream) is { DeclaresMetrics: false })
        {
            throw NotMetrics(stream, "it has no sample, and the response has no content type that declares it as metrics", null);
        }

        // If the service sends the same problem each time, a watch does not log it at every read.
        var told = (skipped, first?.Reason);
        bool isNews = told != _told;
        _told = told;
        if (!isNews)
        {
            return;
        }

        if (skipped > 0)
        {
            log.LinesSkipped(skipped, first!.Line, first.Column, FalApiKey.Scrub(first.Reason, options.ApiKey));
        }
        else if (first is not null)
        {
            log.LinesKept(first.Line, first.Column, FalApiKey.Scrub(first.Reason, options.ApiKey));
        }
    }

    private PrometheusParserOptions ParsingOf(Stream stream)
    {
        string? contentType = InfoOf(stream)?.ContentType;
        return contentType is null ? _parsing : _parsing.WithContentType(contentType);
    }

    /// <summary>The facts of the response; null for a stream from a pipeline of the user's own.</summary>
    private static FalResponseInfo? InfoOf(Stream stream) => stream switch
    {
        FalBodyStream body => body.Info,
        FalGuardedStream body => body.Info,
        _ => null,
    };

    private async ValueTask<bool> MoveNextAsync(IAsyncEnumerator<PrometheusSample> samples, Stream stream)
    {
        try
        {
            return await samples.MoveNextAsync().ConfigureAwait(false);
        }
        catch (PrometheusFormatException e)
        {
            throw NotMetrics(stream, $"it is not well-formed Prometheus text ({e.Message})", e);
        }
    }

    private FalResponseException NotMetrics(Stream stream, string what, Exception? cause)
    {
        var unknown = new FalResponseInfo(HttpStatusCode.OK, null, null, "GET /serverless/metrics");
        return stream switch
        {
            FalBodyStream body => FalErrorReader.BadBody(body.Info, what, body.Memory.Span, options.ApiKey, cause, transient: false),
            FalGuardedStream body => body.Refuse(what, cause),
            _ => FalErrorReader.BadBody(unknown, what, [], options.ApiKey, cause, transient: false),
        };
    }
}
