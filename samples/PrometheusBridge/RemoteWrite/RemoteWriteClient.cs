using System.Globalization;
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
    private const int LongestQuote = 500;

    private static readonly TimeSpan ShortestPause = TimeSpan.FromSeconds(1);

    /// <summary>Of those that the receiver asks for.</summary>
    private static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(5);

    // A redirect would carry the samples, and the headers with the credentials, to an address that nobody configured.
    private readonly SocketsHttpHandler _handler = new() { PooledConnectionLifetime = TimeSpan.FromMinutes(5), AllowAutoRedirect = false };
    private readonly HttpClient _http;
    private readonly RemoteWriteOptions _options;
    private readonly ResiliencePipeline<HttpResponseMessage> _pipeline;
    private readonly ILogger _log;

    public RemoteWriteClient(RemoteWriteOptions options, TimeProvider time, ILogger<RemoteWriteClient> log)
    {
        _options = options;
        _log = log;
        _http = new HttpClient(_handler) { Timeout = TimeSpan.FromSeconds(30) };
        _pipeline = new ResiliencePipelineBuilder<HttpResponseMessage> { TimeProvider = time }
            .AddRetry(new RetryStrategyOptions<HttpResponseMessage>
            {
                ShouldHandle = arguments => ValueTask.FromResult(MayPass(arguments.Outcome, arguments.Context.CancellationToken)),
                MaxRetryAttempts = int.MaxValue,
                BackoffType = DelayBackoffType.Exponential,
                UseJitter = true,
                Delay = ShortestPause,
                MaxDelay = TimeSpan.FromMinutes(1),
                DelayGenerator = arguments => ValueTask.FromResult(AskedFor(arguments.Outcome.Result, time)),
                OnRetry = arguments =>
                {
                    LastFailure = arguments.Outcome.Result is { } response
                        ? string.Create(CultureInfo.InvariantCulture, $"{(int)response.StatusCode} {response.ReasonPhrase}")
                        : arguments.Outcome.Exception!.Message;
                    LogRetry(_options.Url!.GetLeftPart(UriPartial.Path), LastFailure, arguments.RetryDelay.TotalSeconds);
                    return ValueTask.CompletedTask;
                },
            })
            .Build();
    }

    /// <summary>Why the last request is tried again; null when the last one was accepted.</summary>
    public string? LastFailure { get; private set; }

    /// <summary>Sends samples, the oldest of a series first.</summary>
    /// <param name="samples">With timestamps.</param>
    /// <param name="cancellationToken">Ends the trying.</param>
    /// <exception cref="HttpRequestException">The receiver does not take them, and would not if they came again.</exception>
    public async Task SendAsync(IEnumerable<PrometheusSample> samples, CancellationToken cancellationToken)
    {
        foreach (PrometheusSample[] batch in samples.Chunk(_options.MaxSamplesPerRequest))
        {
            using var message = new MemoryStream();
            Serializer.Serialize(message, WriteRequest.Of(batch));
            byte[] body = Snappy.CompressToArray(message.GetBuffer().AsSpan(0, (int)message.Length));
            using HttpResponseMessage response = await _pipeline.ExecuteAsync(
                async token =>
                {
                    using HttpRequestMessage request = RequestOf(body);
                    return await _http.SendAsync(request, token);
                },
                cancellationToken);
            LastFailure = null;
            if (!response.IsSuccessStatusCode)
            {
                string text = (await response.Content.ReadAsStringAsync(cancellationToken)).Trim();
                throw new HttpRequestException(
                    Explain(response.StatusCode, text.Length > LongestQuote ? $"{text[..LongestQuote]}..." : text), inner: null, response.StatusCode);
            }
        }
    }

    public void Dispose()
    {
        _http.Dispose();
        _handler.Dispose();
    }

    private static bool MayPass(Outcome<HttpResponseMessage> outcome, CancellationToken cancellationToken) =>
        outcome.Exception is HttpRequestException || (outcome.Exception is TaskCanceledException && !cancellationToken.IsCancellationRequested)
        || outcome.Result?.StatusCode is HttpStatusCode.TooManyRequests or >= HttpStatusCode.InternalServerError;

    /// <summary>The pause of a <c>Retry-After</c>; null without one.</summary>
    private static TimeSpan? AskedFor(HttpResponseMessage? response, TimeProvider time)
    {
        TimeSpan? asked = response?.Headers.RetryAfter switch
        {
            { Delta: { } seconds } => seconds,
            { Date: { } date } => date - time.GetUtcNow(),
            _ => null,
        };
        return asked < ShortestPause ? ShortestPause : asked > LongestPause ? LongestPause : asked;
    }

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

    [LoggerMessage(1, LogLevel.Warning, "{Receiver} did not take samples ({Reason}); they are sent again in {Seconds:0.0} s.")]
    private partial void LogRetry(string receiver, string reason, double seconds);

    /// <summary>What the receiver says, and what to do about it.</summary>
    private static string Explain(HttpStatusCode status, string text)
    {
        string advice = status switch
        {
            // Thanos answers with a conflict.
            HttpStatusCode.BadRequest or HttpStatusCode.Conflict when SaysOneOf("out of order", "out-of-order", "out of bounds", "too old", "too-old") =>
                " The samples are older than the receiver takes, or than those that it has of the same series. Set its out_of_order_time_window"
                + " (Prometheus: storage.tsdb) to the age of the history, or begin later with a shorter Since, and write what is older with"
                + " 'history FILE', for 'promtool tsdb create-blocks-from openmetrics'.",
            HttpStatusCode.BadRequest or HttpStatusCode.Conflict when SaysOneOf("duplicate") =>
                " The receiver holds other values for the same time: it was sent these buckets by somebody else, or before they were final.",
            HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden => " Put the credentials into Bridge:RemoteWrite:Headers.",
            HttpStatusCode.NotFound => " Prometheus takes remote writes at /api/v1/write, and only with --web.enable-remote-write-receiver.",
            HttpStatusCode.RequestEntityTooLarge => " Lower Bridge:RemoteWrite:MaxSamplesPerRequest.",
            _ => "",
        };
        return string.Create(CultureInfo.InvariantCulture, $"The remote write was refused with {(int)status}: {text}{advice}");

        bool SaysOneOf(params ReadOnlySpan<string> words)
        {
            foreach (string word in words)
            {
                if (text.Contains(word, StringComparison.OrdinalIgnoreCase))
                {
                    return true;
                }
            }

            return false;
        }
    }
}
