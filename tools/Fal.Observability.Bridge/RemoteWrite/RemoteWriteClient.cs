using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.RegularExpressions;
using Fal.Observability.Client.Prometheus;
using Polly;
using ProtoBuf;
using Snappier;

namespace Fal.Observability.Bridge.RemoteWrite;

/// <summary>
/// Sends the samples of one history by Prometheus remote write 1.0. It retries transient failures (no answer, 5xx, 429) until they end,
/// and keeps the order of the batches. A refusal of the receiver is an exception, and nothing after it is sent.
/// </summary>
internal sealed partial class RemoteWriteClient : IDisposable
{
    /// <summary>How long a receiver may take over an answer, its body included.</summary>
    public static readonly TimeSpan AnswerLimit = TimeSpan.FromSeconds(30);

    /// <summary>The most that is read of a refusal, in bytes.</summary>
    private const int LongestRead = 8 * 1024;

    /// <summary>The most that is shown of it, in characters.</summary>
    private const int LongestQuote = 500;

    private static readonly string[] TooOld = ["out of order", "out-of-order", "out of bounds", "too old", "too-old"];
    private static readonly string[] Duplicate = ["duplicate sample", "duplicate-sample", "duplicate timestamp", "duplicate-timestamp"];

    // A redirect would carry the samples, and the headers with the credentials, to an address that nobody configured.
    private readonly SocketsHttpHandler _handler = new() { PooledConnectionLifetime = TimeSpan.FromMinutes(5), AllowAutoRedirect = false };
    private readonly HttpClient _http;
    private readonly RemoteWriteOptions _options;
    private readonly string[] _secrets;
    private readonly TimeProvider _time;
    private readonly ResiliencePipeline<Answer> _pipeline;
    private readonly ILogger _log;
    private long _acceptedSamples;
    private long _retries;

    public RemoteWriteClient(RemoteWriteOptions options, TimeProvider time, ILogger<RemoteWriteClient> log)
    {
        _options = options;
        _time = time;
        _log = log;
        _secrets = [.. SecretsOf(options).Distinct().OrderByDescending(secret => secret.Length)];
        _http = new HttpClient(_handler) { Timeout = Timeout.InfiniteTimeSpan };
        _pipeline = PatientRetry.Build<Answer>(time, MayPass, outcome => AskedFor(outcome.Result?.RetryAfter, time), (outcome, pause) =>
        {
            LastFailure = outcome.Result is { } answer ? answer.ToString() : Shown(outcome.Exception!.Message);
            Interlocked.Increment(ref _retries);
            LogRetry(_options.Url!.GetLeftPart(UriPartial.Path), LastFailure, pause.TotalSeconds);
        });
    }

    /// <summary>Why the last request is tried again; null when the last one was accepted.</summary>
    public string? LastFailure { get; private set; }

    /// <summary>How many samples the receiver has accepted.</summary>
    public long AcceptedSamples => Interlocked.Read(ref _acceptedSamples);

    /// <summary>How many requests failed transiently.</summary>
    public long Retries => Interlocked.Read(ref _retries);

    /// <summary>Sends samples, the oldest of a series first.</summary>
    /// <param name="samples">With timestamps.</param>
    /// <param name="cancellationToken">Ends the retries.</param>
    /// <exception cref="HttpRequestException">The receiver refuses the samples; a retry would not help.</exception>
    public async Task SendAsync(IEnumerable<PrometheusSample> samples, CancellationToken cancellationToken)
    {
        foreach (PrometheusSample[] batch in samples.Chunk(_options.MaxSamplesPerRequest))
        {
            using var message = new MemoryStream();
            Serializer.Serialize(message, WriteRequest.Of(batch));
            byte[] body = Snappy.CompressToArray(message.GetBuffer().AsSpan(0, (int)message.Length));
            Answer answer = await _pipeline.ExecuteAsync(async token => await AnswerToAsync(body, token), cancellationToken);
            LastFailure = null;
            if (!answer.IsAcceptance)
            {
                throw new HttpRequestException(Explain(answer), inner: null, answer.Status);
            }

            Interlocked.Add(ref _acceptedSamples, batch.Length);
        }
    }

    public void Dispose()
    {
        _http.Dispose();
        _handler.Dispose();
    }

    /// <summary>
    /// Prometheus 2.42 answers 500 to samples that are too old, which a retry does not change: the message decides, not the status.
    /// </summary>
    private static bool MayPass(Outcome<Answer> outcome) =>
        outcome switch
        {
            { Exception: HttpRequestException or TimeoutException } => true,
            { Result: { Status: HttpStatusCode.TooManyRequests or >= HttpStatusCode.InternalServerError } answer } => !answer.Says(TooOld)
                && !answer.Says(Duplicate),
            _ => false,
        };

    /// <summary>The pause of a <c>Retry-After</c>; null without one.</summary>
    private static TimeSpan? AskedFor(RetryConditionHeaderValue? retryAfter, TimeProvider time) => retryAfter switch
    {
        { Delta: { } seconds } => seconds,
        { Date: { } date } => date - time.GetUtcNow(),
        _ => null,
    };

    /// <summary>A <c>Retry-After</c>, also one of more seconds than .NET reads.</summary>
    private static RetryConditionHeaderValue? RetryAfterOf(HttpResponseHeaders headers) =>
        headers.RetryAfter is null
        && headers.TryGetValues("Retry-After", out IEnumerable<string>? values)
        && values.All(value => value.All(char.IsAsciiDigit))
            ? new RetryConditionHeaderValue(TimeSpan.FromSeconds(int.MaxValue))
            : headers.RetryAfter;

    /// <summary>
    /// What must not be shown where a receiver repeats the request: the values of the headers, without a scheme too, and what the address
    /// asks.
    /// </summary>
    private static IEnumerable<string> SecretsOf(RemoteWriteOptions options)
    {
        foreach (
            string value in options
                .Headers.Values.Append(options.Url!.Query.TrimStart('?'))
                .Select(value => value.Trim())
                .Where(value => value.Length > 0)
        )
        {
            yield return value;
            string[] parts = value.Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
            foreach (string part in parts.Skip(1))
            {
                yield return part;
            }
        }
    }

    private async Task<Answer> AnswerToAsync(byte[] body, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(AnswerLimit, _time);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        using HttpRequestMessage request = RequestOf(body);
        try
        {
            using HttpResponseMessage response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, end.Token);
            string text = response.IsSuccessStatusCode ? "" : await BeginningOfAsync(response.Content, end.Token);
            cancellationToken.ThrowIfCancellationRequested();
            return new Answer(
                response.StatusCode, Shown(response.ReasonPhrase is { Length: > 0 } reason ? reason : response.StatusCode.ToString()),
                Shown(text),
                RetryAfterOf(response.Headers), TargetOf(response.Headers.Location));
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException(string.Create(CultureInfo.InvariantCulture, $"No answer within {AnswerLimit.TotalSeconds} s."));
        }
    }

    /// <summary>Where a redirect leads, without what may be secret in it; null if that is no address to send to.</summary>
    private string? TargetOf(Uri? location) =>
        location is not null && Uri.TryCreate(_options.Url, location, out Uri? target) && BridgeOptions.IsHttp(target)
            ? Shown(target.GetComponents(UriComponents.SchemeAndServer | UriComponents.Path, UriFormat.UriEscaped))
            : null;

    /// <summary>As much of a body as comes in time, and as is worth reading: it may have no end.</summary>
    private async Task<string> BeginningOfAsync(HttpContent content, CancellationToken cancellationToken)
    {
        byte[] beginning = new byte[LongestRead];
        int length = 0;
        try
        {
            await using Stream body = await content.ReadAsStreamAsync(cancellationToken);
            int read;
            while (length < LongestRead && (read = await body.ReadAsync(beginning.AsMemory(length), cancellationToken)) > 0)
            {
                length += read;
            }
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or HttpRequestException)
        {
            // The status says the most.
        }

        // Half of a secret at the end would not be recognised.
        int whole = length < LongestRead ? length : Math.Max(0, length - _secrets.Select(secret => secret.Length).DefaultIfEmpty(0).Max());
        return Encoding.UTF8.GetString(beginning, 0, whole);
    }

    /// <summary>A message of the receiver without secrets, as one line, and truncated: for a log and a page that is open to all.</summary>
    private string Shown(string text)
    {
        foreach (string secret in _secrets)
        {
            text = text.Replace(secret, "***", StringComparison.OrdinalIgnoreCase);
        }

        text = Breaks.Replace(text, " ").Trim();
        return text.Length > LongestQuote ? $"{text[..LongestQuote]}..." : text;
    }

    [GeneratedRegex(@"[\s\p{Cc}\p{Cf}]+")]
    private static partial Regex Breaks { get; }

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

    [LoggerMessage(1, LogLevel.Warning, "{Receiver} did not accept samples ({Reason}). The bridge sends them again in {Seconds:0.0} s.")]
    private partial void LogRetry(string receiver, string reason, double seconds);

    /// <summary>What the receiver says, and what to do about it.</summary>
    private static string Explain(Answer answer)
    {
        string advice = answer.Status switch
        {
            _ when answer.Says(TooOld) =>
                " The samples are older than the receiver accepts, or older than its newest sample of the same series. Set its " +
                    "out_of_order_time_window (Prometheus: storage.tsdb) to the age of the history, or start later with a shorter Since " +
                    "and write the older data with 'fal-obs history FILE', for 'promtool tsdb create-blocks-from openmetrics'.",
            _ when answer.Says(Duplicate) =>
                " The receiver has other values for the same time: another sender wrote these buckets, or they were sent before they " +
                    "were final.",
            >= HttpStatusCode.Ambiguous and < HttpStatusCode.BadRequest =>
                $" The receiver redirects{(answer.Target is null ? "" : $" to {answer.Target}")}. The bridge does not follow redirects, " +
                    $"because that would send samples and credentials to an address that nobody configured. Set Bridge:RemoteWrite:Url " +
                        $"to the final address.",
            HttpStatusCode.BadRequest =>
                " The receiver does not accept the request. Check that Bridge:RemoteWrite:Url is an address for Prometheus remote write " +
                    "1.0, and look into the receiver's log and its limits, such as the length of a label value.",
            HttpStatusCode.UnsupportedMediaType =>
                " The receiver does not read remote write 1.0, which is protobuf compressed with Snappy. Set Bridge:RemoteWrite:Url to " +
                    "an address that does.",
            HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden => " Put the credentials into Bridge:RemoteWrite:Headers.",
            HttpStatusCode.NotFound or HttpStatusCode.MethodNotAllowed =>
                " Prometheus accepts remote write at /api/v1/write, and only with --web.enable-remote-write-receiver.",
            HttpStatusCode.RequestEntityTooLarge => " Lower Bridge:RemoteWrite:MaxSamplesPerRequest.",
            _ => " Check Bridge:RemoteWrite:Url and Bridge:RemoteWrite:Headers, and look into the receiver's log.",
        };
        string said = answer.Text.Length > 0 ? answer.Text : answer.Reason;
        return string.Create(
            CultureInfo.InvariantCulture,
            $"The remote write was refused with {(int)answer.Status}: {said}{(said.EndsWith('.') ? "" : ".")}{advice}"
        );
    }

    /// <summary>What the receiver answered.</summary>
    private sealed record Answer(HttpStatusCode Status, string Reason, string Text, RetryConditionHeaderValue? RetryAfter, string? Target)
    {
        public bool IsAcceptance => Status is >= HttpStatusCode.OK and < HttpStatusCode.MultipleChoices;

        public bool Says(string[] words) => Array.Exists(words, word => Text.Contains(word, StringComparison.OrdinalIgnoreCase));

        public override string ToString() =>
            string.Create(CultureInfo.InvariantCulture, $"{(int)Status} {Reason}{(Text.Length > 0 ? $": {Text}" : "")}");
    }
}
