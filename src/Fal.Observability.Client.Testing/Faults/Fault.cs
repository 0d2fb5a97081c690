using System.Globalization;

namespace Fal.Observability.Client.Testing;

/// <summary>The ways in which a call can go wrong.</summary>
public enum FaultKind
{
    /// <summary>An error body of the API with the status <see cref="Fault.Status"/>, and with <c>Retry-After</c> if it is given.</summary>
    Status,

    /// <summary>429 without a hint when to come back.</summary>
    RateLimited,

    /// <summary>429 with <c>Retry-After</c> in seconds: <see cref="Fault.Wait"/>.</summary>
    RateLimitedSeconds,

    /// <summary>429 with <c>Retry-After</c> as a date: <see cref="Fault.Wait"/> from now.</summary>
    RateLimitedDate,

    /// <summary>429 with <c>x-ratelimit-reset</c>, the seconds until the reset: <see cref="Fault.Wait"/>.</summary>
    RateLimitedReset,

    /// <summary>500 with the error body of the API.</summary>
    ServerError,

    /// <summary>502 with the HTML page of a proxy.</summary>
    BadGateway,

    /// <summary>503 without a body.</summary>
    ServiceUnavailable,

    /// <summary>504 without a body.</summary>
    GatewayTimeout,

    /// <summary>403 with the HTML challenge page of the edge and the header <c>cf-mitigated: challenge</c>.</summary>
    Challenge,

    /// <summary>The connection is reset before a response begins.</summary>
    DroppedConnection,

    /// <summary>The connection closes in the middle of a body whose <c>Content-Length</c> promised more.</summary>
    TruncatedLength,

    /// <summary>The connection closes in the middle of a chunked body.</summary>
    TruncatedChunked,

    /// <summary>Half of a gzip stream, sent as a complete response: only the missing gzip trailer shows it.</summary>
    TruncatedGzip,

    /// <summary>Half of the body, then nothing until the client disconnects or the simulator stops.</summary>
    StalledBody,

    /// <summary>Nothing at all for <see cref="Fault.Wait"/>, then the proper response.</summary>
    SlowFirstByte,

    /// <summary>Nothing at all until the client disconnects or the simulator stops.</summary>
    Silence,

    /// <summary>200 with an empty body.</summary>
    EmptyBody,

    /// <summary>200 with an HTML page.</summary>
    HtmlBody,

    /// <summary>200 with JSON where text is due, and text where JSON is due.</summary>
    WrongContent,

    /// <summary>The proper body after <see cref="Fault.Padding"/> bytes of harmless filling: blanks in JSON, comments in text.</summary>
    OversizedBody,
}

/// <summary>One thing that goes wrong with a call.</summary>
/// <param name="Kind">What happens.</param>
public sealed record Fault(FaultKind Kind)
{
    /// <summary>The status of <see cref="FaultKind.Status"/>, 300 to 599. Default 500.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The status is another.</exception>
    public int Status
    {
        get;
        init =>
            field = value is >= 300 and < 600
                ? value
                : throw Wrong(
                    nameof(Status),
                    string.Create(CultureInfo.InvariantCulture, $"Status is {value}: a fault has a status from 300 to 599.")
                );
    } = 500;

    /// <summary>
    /// The <c>Retry-After</c> of <see cref="FaultKind.Status"/>, zero or more, in whole seconds. Default null: none is sent.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The time is negative.</exception>
    public TimeSpan? RetryAfter
    {
        get;
        init => field = value is { } time ? NotNegative(nameof(RetryAfter), time) : null;
    }

    /// <summary>How long the kinds that wait, or tell the client to wait, do so; zero or more. Default 2 s.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The time is negative.</exception>
    public TimeSpan Wait
    {
        get;
        init => field = NotNegative(nameof(Wait), value);
    } = TimeSpan.FromSeconds(2);

    /// <summary>By how many bytes an oversized body is too large, 0 or more. Default 512 MiB.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The number is negative.</exception>
    public long Padding
    {
        get;
        init => field = value >= 0
            ? value
            : throw Wrong(nameof(Padding), string.Create(CultureInfo.InvariantCulture, $"Padding is {value}: it must be 0 or more bytes."));
    } = 512L << 20;

    /// <summary>An error with a status and, if it is given, a <c>Retry-After</c>.</summary>
    /// <param name="status">300 to 599.</param>
    /// <param name="retryAfter">Zero or more, in whole seconds; null: none is sent.</param>
    /// <exception cref="ArgumentOutOfRangeException">A value is out of its range.</exception>
    public static Fault WithStatus(int status, TimeSpan? retryAfter = null) =>
        new(FaultKind.Status) { Status = status, RetryAfter = retryAfter };

    private static TimeSpan NotNegative(string name, TimeSpan time) => time >= TimeSpan.Zero
        ? time
        : throw Wrong(name, string.Create(CultureInfo.InvariantCulture, $"{name} is {time}: it must be zero or more."));

    private static ArgumentOutOfRangeException Wrong(string name, string message) => new(name, message);
}
