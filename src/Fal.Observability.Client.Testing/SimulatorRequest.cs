using Microsoft.AspNetCore.WebUtilities;

namespace Fal.Observability.Client.Testing;

/// <summary>A call as it arrived.</summary>
public sealed class SimulatorRequest
{
    // Its result is the status; null if the connection was dropped.
    private readonly TaskCompletionSource<int?> _answered = new(TaskCreationOptions.RunContinuationsAsynchronously);

    internal SimulatorRequest(string method, string target, IReadOnlyDictionary<string, string> headers, DateTimeOffset receivedAt)
    {
        Method = method;
        int question = target.IndexOf('?', StringComparison.Ordinal);
        Path = question < 0 ? target : target[..question];
        RawQuery = question < 0 ? "" : target[question..];
        Query = QueryHelpers
            .ParseQuery(RawQuery)
            .ToDictionary(
                parameter => parameter.Key,
                parameter => (IReadOnlyList<string>)[.. parameter.Value.Select(value => value ?? "")],
                StringComparer.Ordinal
            );
        Route = FalSimulator.RouteOf(Path);
        Headers = headers;
        ReceivedAt = receivedAt;
    }

    /// <summary>The method, such as <c>GET</c>.</summary>
    public string Method { get; }

    /// <summary>The path, byte for byte as it was sent.</summary>
    public string Path { get; }

    /// <summary>The route that the path belongs to; null: none.</summary>
    public SimulatorRoute? Route { get; }

    /// <summary>The query string with its question mark, byte for byte as it was sent; empty if there was none.</summary>
    public string RawQuery { get; }

    /// <summary>The decoded values of the query by their names, which are case-sensitive. Repeated names have several values.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<string>> Query { get; }

    /// <summary>
    /// The headers by name in any case, several values joined by a comma and a blank. In <c>Authorization</c> every
    /// key stands as <c>***</c>.
    /// </summary>
    public IReadOnlyDictionary<string, string> Headers { get; }

    /// <summary>When the call arrived, by <see cref="FalSimulatorOptions.TimeProvider"/>.</summary>
    public DateTimeOffset ReceivedAt { get; }

    /// <summary>The status that the call was answered with; null while it is not, and where the connection was dropped instead.</summary>
    public int? Status => _answered.Task.IsCompletedSuccessfully ? _answered.Task.Result : null;

    /// <summary>What was made to go wrong with the call; null: nothing.</summary>
    public Fault? Fault { get; internal set; }

    /// <summary>Waits until the call is answered or its connection is dropped.</summary>
    /// <param name="cancellationToken">Gives up waiting.</param>
    /// <returns>The status, known as soon as the head of the response is sent; null: the connection was dropped without one.</returns>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    public Task<int?> WaitForAnswerAsync(CancellationToken cancellationToken = default) => _answered.Task.WaitAsync(cancellationToken);

    internal void Answer(int status) => _answered.TrySetResult(status);

    internal void End() => _answered.TrySetResult(null);
}
