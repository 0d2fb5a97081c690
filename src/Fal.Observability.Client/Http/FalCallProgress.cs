namespace Fal.Observability.Client;

/// <summary>The progress of one call, over all of its attempts. The options of the request carry it.</summary>
internal sealed class FalCallProgress(TimeProvider time)
{
    private readonly long _started = time.GetTimestamp();
    private volatile string? _proxy;
    private volatile bool _isHandshaking;

    /// <summary>How many times the call has been sent.</summary>
    public int Attempts { get; set; }

    /// <summary>
    /// The key of the call. All attempts use it, unless the service refuses it and a newer one is available by then. While the call lasts,
    /// this reference also keeps the key available for scrubbing texts.
    /// </summary>
    public string? ApiKey { get; set; }

    /// <summary>Whether the key of the next attempt is known. Otherwise the call waits for it.</summary>
    public bool HasKey { get; set; }

    /// <summary>Why the last answer was not retried although it is transient, as a sentence; null if there is nothing to say.</summary>
    public string? WhyNotRetried { get; set; }

    /// <summary>The time since the call began.</summary>
    public TimeSpan Elapsed => time.GetElapsedTime(_started);

    /// <summary>The host and port of the proxy that the last attempt went through when it failed; null for none.</summary>
    public string? Proxy => _proxy;

    /// <summary>Whether a connection was made for the call whose TLS handshake has not ended yet.</summary>
    public bool IsHandshaking => _isHandshaking;

    /// <summary>Keeps only the host and port, because the address may contain credentials.</summary>
    public void GoesThrough(Uri proxy) => _proxy = $"{proxy.Host}:{proxy.Port}";

    /// <summary>Set by the connections of <see cref="FalConnections"/>, which may outlive the attempt that they were made for.</summary>
    public void Handshakes(bool handshakes) => _isHandshaking = handshakes;
}
