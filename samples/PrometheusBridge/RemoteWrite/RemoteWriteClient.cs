using System.Net;
using System.Net.Http.Headers;
using Fal.Observability.Client.Prometheus;
using Polly;
using Polly.Retry;
using ProtoBuf;
using Snappier;

namespace Fal.Observability.PrometheusBridge.RemoteWrite;

/// <summary>
/// Sends samples by Prometheus remote write 1.0. What may pass (no answer, 5xx, 429) is tried again until it does, in the order of the
/// batches; what the receiver refuses is an exception, and nothing after it is sent.
/// </summary>
internal sealed partial class RemoteWriteClient : IDisposable
{
    private readonly HttpClient _http;
    private readonly RemoteWriteOptions _options;
    private readonly ResiliencePipeline<HttpResponseMessage> _pipeline;
    private readonly ILogger<RemoteWriteClient> _log;

    public RemoteWriteClient(BridgeOptions options, ILogger<RemoteWriteClient> log, TimeProvider time)
    {
        _options = options.RemoteWrite;
        _log = log;
        _http = new HttpClient(new SocketsHttpHandler { PooledConnectionLifetime = TimeSpan.FromMinutes(5), AllowAutoRedirect = false })
        {
            Timeout = TimeSpan.FromSeconds(30),
        };
        _pipeline = new ResiliencePipelineBuilder<HttpResponseMessage> { TimeProvider = time }
            .AddRetry(new RetryStrategyOptions<HttpResponseMessage>
            {
                ShouldHandle = arguments => ValueTask.FromResult(MayPass(arguments.Outcome, arguments.Context.CancellationToken)),
                MaxRetryAttempts = int.MaxValue,
                BackoffType = DelayBackoffType.Exponential,
                UseJitter = true,
                Delay = TimeSpan.FromSeconds(1),
                MaxDelay = TimeSpan.FromMinutes(1),
                DelayGenerator = arguments => ValueTask.FromResult(arguments.Outcome.Result?.Headers.RetryAfter?.Delta),
                OnRetry = arguments =>
                {
                    LastFailure = arguments.Outcome.Exception?.Message
                        ?? $"{(int)arguments.Outcome.Result!.StatusCode} {arguments.Outcome.Result.ReasonPhrase}";
                    LogRetry(_options.Url!, LastFailure, arguments.RetryDelay.TotalSeconds);
                    return ValueTask.CompletedTask;
                },
            })
            .Build();
    }

    /// <summary>Why the last request is tried again; null when the last one was accepted.</summary>
    public string? LastFailure { get; private set; }

    /// <summary>Sends samples, the oldest first.</summary>
    /// <param name="samples">Ascending in time.</param>
    /// <param name="cancellationToken">Ends the trying.</param>
    /// <exception cref="RemoteWriteRefusedException">The receiver does not take them.</exception>
    public async Task SendAsync(IEnumerable<PrometheusSample> samples, CancellationToken cancellationToken)
    {
        foreach (PrometheusSample[] batch in samples.Chunk(_options.MaxSamplesPerRequest))
        {
            using var message = new MemoryStream();
            Serializer.Serialize(message, ToRequest(batch));
            byte[] body = Snappy.CompressToArray(message.GetBuffer().AsSpan(0, (int)message.Length));
            using HttpResponseMessage response = await _pipeline.ExecuteAsync(
                async token => await _http.SendAsync(RequestOf(body), token), cancellationToken);
            if (!response.IsSuccessStatusCode)
            {
                string text = await response.Content.ReadAsStringAsync(cancellationToken);
                LastFailure = $"{(int)response.StatusCode}: {text.Trim()}";
                throw new RemoteWriteRefusedException(response.StatusCode, text.Trim());
            }

            LastFailure = null;
        }
    }

    public void Dispose() => _http.Dispose();

    private static bool MayPass(Outcome<HttpResponseMessage> outcome, CancellationToken cancellationToken) =>
        outcome.Exception is HttpRequestException || (outcome.Exception is TaskCanceledException && !cancellationToken.IsCancellationRequested)
        || outcome.Result?.StatusCode is HttpStatusCode.TooManyRequests or >= HttpStatusCode.InternalServerError;

    private HttpRequestMessage RequestOf(byte[] body)
    {
        var content = new ByteArrayContent(body);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/x-protobuf");
        content.Headers.ContentEncoding.Add("snappy");
        var request = new HttpRequestMessage(HttpMethod.Post, _options.Url) { Content = content };
        request.Headers.Add("X-Prometheus-Remote-Write-Version", "0.1.0");
        request.Headers.UserAgent.Add(new ProductInfoHeaderValue("fal-prometheus-bridge", "1.0"));
        foreach ((string name, string value) in _options.Headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        return request;
    }

    private static WriteRequest ToRequest(PrometheusSample[] samples)
    {
        var request = new WriteRequest();
        foreach (IGrouping<(string Name, LabelSet Labels), PrometheusSample> series in samples.GroupBy(sample => (sample.Name, sample.Labels)))
        {
            var written = new TimeSeries();
            written.Labels.AddRange(series.Key.Labels.Append(new("__name__", series.Key.Name))
                .OrderBy(label => label.Key, StringComparer.Ordinal).Select(label => new Label { Name = label.Key, Value = label.Value }));
            written.Samples.AddRange(series.Select(sample => new Sample { Value = sample.Value, Timestamp = sample.TimestampMilliseconds!.Value }));
            request.Series.Add(written);
        }

        return request;
    }

    [LoggerMessage(1, LogLevel.Warning, "{Receiver} did not take samples ({Reason}); they are sent again in {Seconds:0.0} s.")]
    private partial void LogRetry(Uri receiver, string reason, double seconds);
}

/// <summary>The receiver has refused samples, and would again.</summary>
internal sealed class RemoteWriteRefusedException(HttpStatusCode status, string text) : Exception(Explain(status, text))
{
    private static string Explain(HttpStatusCode status, string text)
    {
        string[] tooOld = ["out of order", "out of bounds", "too old", "too far"];
        string advice = status switch
        {
            HttpStatusCode.BadRequest when tooOld.Any(words => text.Contains(words, StringComparison.OrdinalIgnoreCase)) =>
                " The samples are older than what the receiver takes: set its out_of_order_time_window (Prometheus: storage.tsdb) to the age of the history, "
                + "or write a file with 'history FILE' and hand it to 'promtool tsdb create-blocks-from openmetrics'.",
            HttpStatusCode.BadRequest when text.Contains("duplicate sample", StringComparison.OrdinalIgnoreCase) =>
                " The receiver holds other values for the same time: it has seen these buckets before they were final.",
            HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden => " Give the credentials in Bridge:RemoteWrite:Headers.",
            HttpStatusCode.NotFound => " Prometheus takes remote writes at /api/v1/write, and only with --web.enable-remote-write-receiver.",
            HttpStatusCode.RequestEntityTooLarge => " Lower Bridge:RemoteWrite:MaxSamplesPerRequest.",
            _ => "",
        };
        return $"The remote write was refused with {(int)status}: {text}{advice}";
    }
}
