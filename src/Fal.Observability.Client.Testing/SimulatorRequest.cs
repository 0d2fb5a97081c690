namespace Fal.Observability.Client.Testing;

/// <summary>A call as it arrived, for tests and for the curious.</summary>
public sealed class SimulatorRequest
{
    internal SimulatorRequest(string method, string target, IReadOnlyDictionary<string, string> headers)
    {
        Method = method;
        int question = target.IndexOf('?', StringComparison.Ordinal);
        Path = question < 0 ? target : target[..question];
        RawQuery = question < 0 ? "" : target[question..];
        Headers = headers;
    }

    /// <summary>The method, as in <c>GET</c>.</summary>
    public string Method { get; }

    /// <summary>The path, byte for byte as it was sent.</summary>
    public string Path { get; }

    /// <summary>The query string with its question mark, byte for byte as it was sent; empty where there was none.</summary>
    public string RawQuery { get; }

    /// <summary>
    /// The headers by name in any case, several values joined by a comma and a blank. In <c>Authorization</c> every
    /// key stands as <c>***</c>.
    /// </summary>
    public IReadOnlyDictionary<string, string> Headers { get; }

    /// <summary>The status that the call was answered with; null while it is not, and where the connection was dropped instead.</summary>
    public int? Status { get; internal set; }

    /// <summary>What was made to go wrong with the call; null: nothing.</summary>
    public Fault? Fault { get; internal set; }
}
