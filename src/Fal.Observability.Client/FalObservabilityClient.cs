using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Fal.Observability.Client;

/// <summary>
/// The client for a program without a container, with the same pipeline as <c>AddFalObservability</c>: retries, limits, exceptions and
/// defaults are the same. Thread-safe. It holds the connections, so create one, reuse it, and dispose it at the end.
/// </summary>
public sealed class FalObservabilityClient : IFalObservabilityClient, IDisposable
{
    private readonly IFalObservabilityClient _client;

    /// <summary>Creates a client from a key, with the default options.</summary>
    /// <param name="apiKey">The key, <c>&lt;key_id&gt;:&lt;key_secret&gt;</c>.</param>
    /// <exception cref="ArgumentException"><paramref name="apiKey"/> is null or blank. The environment is not read.</exception>
    /// <exception cref="OptionsValidationException"><paramref name="apiKey"/> is malformed. The message does not quote it.</exception>
    /// <example>
    /// <code>
    /// using var fal = new FalObservabilityClient("key-id:key-secret");
    /// FalMetricsSnapshot now = await fal.Metrics.GetSnapshotAsync();
    /// </code>
    /// </example>
    public FalObservabilityClient(string apiKey)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(apiKey);
        _client = new FalDirectClient(new FalObservabilityOptions { ApiKey = apiKey });
    }

    /// <summary>
    /// Creates a client with the key from the environment: <c>FAL_KEY</c>, else <c>FAL_KEY_ID</c> and <c>FAL_KEY_SECRET</c>, else the file
    /// that <c>FAL_KEY_FILE</c> names. No configuration file is read.
    /// </summary>
    /// <exception cref="OptionsValidationException">The key is missing or not valid.</exception>
    public FalObservabilityClient()
        : this(configure: null)
    {
    }

    /// <summary>Creates a client from options.</summary>
    /// <param name="configure">
    /// Sets the options. If null, or if it sets no key, the key comes from the environment: <c>FAL_KEY</c>, else
    /// <c>FAL_KEY_ID</c> and <c>FAL_KEY_SECRET</c>, else the file that <c>FAL_KEY_FILE</c> names. No configuration file is read.
    /// </param>
    /// <exception cref="OptionsValidationException">An option is missing or out of its range.</exception>
    /// <example>
    /// <code>
    /// using var fal = new FalObservabilityClient(options =&gt; options.TotalTimeout = TimeSpan.FromMinutes(1)); // with the key of FAL_KEY
    /// </code>
    /// </example>
    public FalObservabilityClient(Action<FalObservabilityOptions>? configure)
    {
        var options = new FalObservabilityOptions();
        configure?.Invoke(options);
        _client = new FalDirectClient(options);
    }

    /// <summary>Creates a client from options, with logging, HTTP handlers or a clock of your own.</summary>
    /// <remarks>A native program that does not call this constructor does not contain the service container.</remarks>
    /// <param name="configure">Sets the options, as in <see cref="FalObservabilityClient(Action{FalObservabilityOptions})"/>.</param>
    /// <param name="build">
    /// Refines the client: its HTTP clients by <see cref="IFalObservabilityBuilder.ConfigureHttpClients"/>, and by
    /// <see cref="IFalObservabilityBuilder.Services"/> logging (<c>Services.AddLogging(...)</c>) or another
    /// <see cref="TimeProvider"/>. If null, nothing is logged and the system's clock is used. docs/options.md of the project shows how a
    /// console program logs.
    /// </param>
    /// <exception cref="OptionsValidationException">An option is missing or out of its range.</exception>
    /// <example>
    /// <code>
    /// using var fal = new FalObservabilityClient(
    ///     options =&gt; options.TotalTimeout = TimeSpan.FromMinutes(1),
    ///     builder =&gt; builder.Services.AddLogging(logging =&gt; logging.AddConsole()));
    /// </code>
    /// </example>
    public FalObservabilityClient(Action<FalObservabilityOptions>? configure = null, Action<IFalObservabilityBuilder>? build = null) =>
        _client = new FalBuiltClient(configure, build ?? (static _ => { }));

    /// <inheritdoc/>
    public IFalMetricsClient Metrics => _client.Metrics;

    /// <inheritdoc/>
    public IFalAnalyticsClient Analytics => _client.Analytics;

    /// <inheritdoc/>
    public IFalAppsClient Apps => _client.Apps;

    /// <inheritdoc/>
    public IFalUsageClient Usage => _client.Usage;

    /// <summary>
    /// Closes the connections. Calls that wait for a response, and later calls, throw an <see cref="ObjectDisposedException"/>. A body that
    /// is being streamed can still be read.
    /// </summary>
    public void Dispose() => ((IDisposable)_client).Dispose();
}
