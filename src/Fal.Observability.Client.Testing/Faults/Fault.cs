namespace Fal.Observability.Client.Testing;

/// <summary>The ways in which a call can go wrong.</summary>
public enum FaultKind
{
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

    /// <summary>Half of a gzip stream, sent as a complete response: only the missing gzip trailer tells.</summary>
    TruncatedGzip,

    /// <summary>Half of the body, then nothing until the client goes away or the simulator stops.</summary>
    StalledBody,

    /// <summary>Nothing at all for <see cref="Fault.Wait"/>, then the proper response.</summary>
    SlowFirstByte,

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
    /// <summary>How long the kinds that wait, or tell the client to wait, do so. Default 2 s.</summary>
    public TimeSpan Wait { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>By how many bytes an oversized body is too large. Default 512 MiB.</summary>
    public long Padding { get; init; } = 512L << 20;
}
