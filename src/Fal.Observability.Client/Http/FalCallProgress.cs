namespace Fal.Observability.Client;

/// <summary>How far one call has come, over all of its attempts. It travels in the options of the request.</summary>
internal sealed class FalCallProgress(TimeProvider time)
{
    private readonly long _started = time.GetTimestamp();
    private volatile string? _proxy;
    private volatile bool _isHandshaking;

    /// <summary>How many times the call has been sent.</summary>
    public int Attempts { get; set; }

    /// <summary>
    /// The key of the call. All of its attempts bear it, unless the service refuses it and there is another one by then. As long as the
    /// call lasts, this reference also lets texts be searched for the key.
    /// </summary>
    public string? ApiKey { get; set; }

    /// <summary>How long ago the call began.</summary>
    public TimeSpan Elapsed => time.GetElapsedTime(_started);

    /// <summary>The host and port of the proxy that the last attempt went through when it failed; null for none.</summary>
    public string? Proxy => _proxy;

    /// <summary>Whether a connection was made for the call whose TLS handshake has not ended yet.</summary>
    public bool IsHandshaking => _isHandshaking;

    /// <summary>Keeps the host and port alone: the address may hold credentials.</summary>
    public void GoesThrough(Uri proxy) => _proxy = $"{proxy.Host}:{proxy.Port}";

    /// <summary>
    /// Is told by the connections of <see cref="FalConnections"/>, which may outlive the attempt that they were made for.
    /// </summary>
    public void Handshakes(bool handshakes) => _isHandshaking = handshakes;
}
