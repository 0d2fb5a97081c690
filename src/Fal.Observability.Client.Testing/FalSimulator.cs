using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Threading.Channels;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Primitives;

namespace Fal.Observability.Client.Testing;

/// <summary>
/// A stand-in for fal's observability endpoints, on its own loopback port. A test scripts its answers, or lets it generate an account from
/// a seed. The simulator says in a header of every response and in the text of its metrics that the data are simulated. Thread-safe.
/// </summary>
/// <example>
/// <code>
/// await using FalSimulator sim = await FalSimulator.StartAsync();
/// sim.App("my-org/my-app").Queue = 250;
/// </code>
/// </example>
public sealed class FalSimulator : IAsyncDisposable
{
    /// <summary>The maximum number of calls in <see cref="Requests"/>.</summary>
    public const int MostRequests = 10_000;

    private readonly FalSimulatorOptions _options;
    private readonly TrafficModel _model;
    private readonly MetricsEndpoint _metrics;
    private readonly AnalyticsEndpoint _analytics;
    private readonly AppsEndpoint _apps;
    private readonly UsageEndpoint _usage;
    private readonly WebApplication _application;
    private readonly CancellationTokenSource _stopping = new();
    private readonly ConcurrentQueue<SimulatorRequest> _requests = new();
    private readonly Channel<SimulatorRequest> _unread = Channel.CreateBounded<SimulatorRequest>(
        new BoundedChannelOptions(MostRequests) { FullMode = BoundedChannelFullMode.DropOldest });
    private long _calls;

    private FalSimulator(FalSimulatorOptions options)
    {
        _options = options;
        _model = new TrafficModel(options);
        _metrics = new MetricsEndpoint(_model, options);
        _analytics = new AnalyticsEndpoint(_model, options);
        _apps = new AppsEndpoint(_model, options);
        _usage = new UsageEndpoint(_model, options);
        Truth = new SimulatorTruth(_analytics, options.TimeProvider);
        BaseAddress = options.Url;
        _application = BuildApplication();
    }

    /// <summary>The base address for a client, <c>http://127.0.0.1:PORT/v1</c>.</summary>
    public Uri BaseAddress { get; private set; }

    /// <summary>The key that has all permissions.</summary>
    public string Key => _options.Key;

    /// <summary>A valid key that has no permission. Every call is answered with 403.</summary>
    public string KeyWithoutPermission => _options.KeyWithoutPermission;

    /// <summary>A valid key that lacks only the permission for billing data. A call for usage is answered with 403.</summary>
    public string KeyWithoutBilling => _options.KeyWithoutBilling;

    /// <summary>A key whose account has no access to Serverless. Every call is answered with 403 and a message that says so.</summary>
    public string KeyWithoutServerless => _options.KeyWithoutServerless;

    /// <summary>The ids of the apps that the account owns: first those generated from the seed, then the scripted ones.</summary>
    public IReadOnlyList<string> Apps => [.. _model.Apps.Select(app => app.Name)];

    /// <summary>The faults of the simulator. By default there are none.</summary>
    public SimulatorFaults Faults => _options.Faults;

    /// <summary>The answers of the simulator before they are split into pages.</summary>
    internal SimulatorTruth Truth { get; }

    /// <summary>A copy of the list of calls so far, in the order of arrival. It contains at most the last 10,000 calls.</summary>
    public IReadOnlyList<SimulatorRequest> Requests => [.. _requests];

    /// <summary>
    /// Starts a simulator, by default on a free port. Dispose of the simulator to stop it. This cuts off calls in progress.
    /// </summary>
    /// <param name="configure">
    /// Sets options. If null, all options have their defaults. <c>options => options.Seed = 42</c> generates an account with traffic.
    /// </param>
    /// <param name="cancellationToken">Cancels the start.</param>
    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    /// <exception cref="IOException">The port of <see cref="FalSimulatorOptions.Url"/> is in use.</exception>
    public static Task<FalSimulator> StartAsync(
        Action<FalSimulatorOptions>? configure = null,
        CancellationToken cancellationToken = default
    )
    {
        var options = new FalSimulatorOptions();
        configure?.Invoke(options);
        return StartAsync(options, cancellationToken);
    }

    /// <summary>Starts a simulator with options that are already set.</summary>
    internal static async Task<FalSimulator> StartAsync(FalSimulatorOptions options, CancellationToken cancellationToken = default)
    {
        options.Validate();
        var server = new FalSimulator(options);
        try
        {
            await server._application.StartAsync(cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            await server.DisposeAsync().ConfigureAwait(false);
            throw;
        }
        string address = server._application.Services.GetRequiredService<IServer>()
            .Features.GetRequiredFeature<IServerAddressesFeature>().Addresses.First();
        server.BaseAddress = new Uri(new Uri(address), "v1");
        return server;
    }

    /// <summary>
    /// Returns the script of an app. An id that was not used before adds an app to the account, with an empty queue, no runners and no
    /// requests.
    /// </summary>
    /// <param name="id">The app id, <c>owner/name</c>.</param>
    /// <exception cref="ArgumentException">The id is not an app id, or it belongs to an app that was generated from the seed.</exception>
    /// <exception cref="ObjectDisposedException">The simulator is disposed.</exception>
    public SimulatedApp App(string id)
    {
        ObjectDisposedException.ThrowIf(_stopping.IsCancellationRequested, this);
        return _model.Scripted.App(id);
    }

    /// <summary>Removes a scripted app from the account. Later calls that name the app are refused.</summary>
    /// <param name="id">The app id.</param>
    /// <returns>Whether it was a scripted app of the account.</returns>
    public bool RemoveApp(string id)
    {
        ArgumentNullException.ThrowIfNull(id);
        return _model.Scripted.Remove(id);
    }

    /// <summary>
    /// Waits for the next call. Each call is returned once, in the order of arrival. A call that arrived before this method was called is
    /// returned at once. At most 10,000 calls wait to be returned. Each further call replaces the oldest of them.
    /// </summary>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <returns>The call. <see cref="SimulatorRequest.WaitForAnswerAsync"/> waits for its answer.</returns>
    /// <exception cref="ObjectDisposedException">The simulator is disposed.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    public async Task<SimulatorRequest> NextRequestAsync(CancellationToken cancellationToken = default)
    {
        try
        {
            return await _unread.Reader.ReadAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (ChannelClosedException)
        {
            throw new ObjectDisposedException(nameof(FalSimulator), "The simulator was disposed before another call arrived.");
        }
    }

    /// <summary>Stops the simulator, and cuts off calls in progress.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_stopping.IsCancellationRequested)
        {
            return;
        }

        _unread.Writer.TryComplete();
        await _stopping.CancelAsync().ConfigureAwait(false);
        await _application.StopAsync().ConfigureAwait(false);
        await _application.DisposeAsync().ConfigureAwait(false);
        _stopping.Dispose();
    }

    private WebApplication BuildApplication()
    {
        // Use an empty builder, so that environment variables, settings files and the console do not change how the simulator behaves.
        WebApplicationBuilder builder =
            WebApplication.CreateEmptyBuilder(new WebApplicationOptions { EnvironmentName = Environments.Production });
        builder.Services.AddSingleton<IHostLifetime, NoConsoleLifetime>();
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            // By default, Kestrel closes the connection of a client that reads slowly. A test may do that on purpose.
            kestrel.Limits.MinResponseDataRate = null;
            IPAddress address = IPAddress.TryParse(_options.Url.Host.Trim('[', ']'), out IPAddress? literal) ? literal : IPAddress.Loopback;
            kestrel.Listen(address, _options.Url.Port, listen => listen.Protocols = HttpProtocols.Http1);
        });
        WebApplication application = builder.Build();
        application.Run(HandleAsync);
        return application;
    }

    private async Task HandleAsync(HttpContext context)
    {
        long number = Interlocked.Increment(ref _calls);
        string requestId = string.Create(CultureInfo.InvariantCulture, $"simulated-{_options.Seed ?? 0}-{number:d8}");
        string? documentedId = _options.ErrorBodies == ErrorBodies.AsDocumented ? requestId : null;
        SimulatorRequest request = Remember(context);
        try
        {
            await AnswerAsync(context, request, requestId, documentedId);
        }
        finally
        {
            request.End();
        }
    }

    private async Task AnswerAsync(HttpContext context, SimulatorRequest request, string requestId, string? documentedId)
    {
        if (request.Route is not { } route)
        {
            await SendAsync(
                context,
                request,
                Answer.Error(404, "not_found", $"Resource not found: {request.Path}", documentedId),
                requestId
            );
            return;
        }
        if (request.Method != HttpMethods.Get)
        {
            Answer refused =
                Answer.Error(405, "validation_error", $"{request.Method} is not allowed here: use GET.", documentedId, ("Allow", "GET"));
            await SendAsync(context, request, refused, requestId);
            return;
        }

        request.Fault = _options.Faults.Take(route);
        switch (request.Fault?.Kind)
        {
            case FaultKind.DroppedConnection:
                context.Abort();
                return;
            case FaultKind.Silence:
                using (var ended = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, _stopping.Token))
                {
                    await Task.Delay(Timeout.InfiniteTimeSpan, _options.TimeProvider, ended.Token)
                        .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                }

                context.Abort();
                return;
        }

        Answer answer = request.Fault is { } fault
            && FaultyDelivery.Replacement(fault, route, _options.TimeProvider.GetUtcNow(), documentedId) is { } replacement
            ? replacement
            : Compute(context, request.Path, route, documentedId);
        await SendAsync(context, request, answer, requestId);
    }

    internal static SimulatorRoute? RouteOf(string path) => path switch
    {
        "/v1/serverless/apps" => SimulatorRoute.Apps,
        "/v1/serverless/usage" => SimulatorRoute.Usage,
        _ when AppOf(path) is not null => SimulatorRoute.RunnerHistory,
        "/v1/serverless/metrics" => SimulatorRoute.Metrics,
        "/v1/serverless/analytics" => SimulatorRoute.ServerlessAnalytics,
        "/v1/models/analytics" => SimulatorRoute.ModelsAnalytics,
        _ => null,
    };

    /// <summary>The owner and name of the app in the path of a runner history; null for any other path.</summary>
    private static (string Owner, string Name)? AppOf(string path) =>
        path.Split('/') is ["", "v1", "serverless", "apps", { Length: > 0 } owner, { Length: > 0 } name, "runners", "history"]
            ? (Uri.UnescapeDataString(owner), Uri.UnescapeDataString(name))
            : null;

    private Answer Compute(HttpContext context, string path, SimulatorRoute route, string? requestId)
    {
        try
        {
            Authorize(context.Request.Headers.Authorization, route);
            string query = context.Request.QueryString.Value ?? "";
            return route switch
            {
                SimulatorRoute.Metrics => _metrics.Answer(),
                SimulatorRoute.Apps => _apps.List(query),
                SimulatorRoute.RunnerHistory when AppOf(path) is { } app => _apps.History(app.Owner, app.Name, query),
                SimulatorRoute.Usage => _usage.Answer(query),
                _ => _analytics.Answer(query, route),
            };
        }
        catch (RefusedCallException refusal)
        {
            return Answer.Error(refusal.Status, refusal.Type, refusal.Message, requestId);
        }
    }

    private void Authorize(StringValues authorization, SimulatorRoute route)
    {
        if (StringValues.IsNullOrEmpty(authorization))
        {
            throw new RefusedCallException(401, "authorization_error", "Authentication required");
        }

        string value = authorization.ToString();
        if (value == $"Key {KeyWithoutPermission}")
        {
            throw new RefusedCallException(403, "authorization_error", "Access denied: the key lacks the permission for this call.");
        }

        if (value == $"Key {KeyWithoutServerless}")
        {
            // The service puts the id of the key, which is no secret, into this message.
            throw new RefusedCallException(403, "authorization_error",
                $"Unable to use 'key={_options.KeyId}' auth: Insufficient permissions: Please visit the dashboard to request access.");
        }

        if (value == $"Key {KeyWithoutBilling}")
        {
            if (route == SimulatorRoute.Usage)
            {
                throw new RefusedCallException(
                    403,
                    "authorization_error",
                    "Access denied: the key lacks the permission billing:usage:read."
                );
            }

            return;
        }

        if (value != $"Key {Key}")
        {
            throw new RefusedCallException(401, "authorization_error", "Invalid API key");
        }
    }

    private async Task SendAsync(HttpContext context, SimulatorRequest request, Answer answer, string requestId)
    {
        HttpResponse response = context.Response;
        response.StatusCode = answer.Status;
        response.ContentType = answer.ContentType;
        response.Headers.Date = _options.TimeProvider.GetUtcNow().ToString("R", CultureInfo.InvariantCulture);
        response.Headers.Server = "Vercel";
        response.Headers.CacheControl = "public, max-age=0, must-revalidate";
        response.Headers.StrictTransportSecurity = "max-age=63072000";
        response.Headers["x-vercel-cache"] = answer.Status == 200 ? "BYPASS" : "MISS";
        response.Headers["x-vercel-id"] = $"lo0::{requestId}";
        if (_options.ErrorBodies == ErrorBodies.AsDocumented)
        {
            response.Headers["x-fal-request-id"] = requestId;
        }

        response.Headers["x-fal-simulator"] = $"simulated data; {_options.Source}";
        foreach ((string name, string value) in answer.Headers)
        {
            response.Headers[name] = value;
        }

        // An error answer is sent unchanged, because the faults that damage a body apply to successful answers only.
        Fault? fault = answer.Status == 200 ? request.Fault : null;
        bool gzip = answer.Body.Length > 0 && (fault?.Kind == FaultKind.TruncatedGzip || (_options.Gzip && AcceptsGzip(context.Request)));
        response.Headers.Vary = "Accept-Encoding";
        if (gzip)
        {
            response.Headers.ContentEncoding = "gzip";
        }

        ReadOnlyMemory<byte> body = gzip ? answer.Gzipped : answer.Body;

        request.Answer(answer.Status);
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, _stopping.Token);
        try
        {
            switch (fault?.Kind)
            {
                case FaultKind.OversizedBody:
                    await FaultyDelivery.SendOversizedAsync(response, fault, answer, gzip, ended.Token);
                    break;
                case FaultKind.TruncatedLength or FaultKind.TruncatedChunked or FaultKind.TruncatedGzip
                    or FaultKind.StalledBody or FaultKind.SlowFirstByte:
                    await FaultyDelivery.SendAsync(response, fault, body, _options.TimeProvider, ended.Token);
                    break;
                default:
                    if (answer.ContentType is null)
                    {
                        response.ContentLength = body.Length;
                    }

                    // Without a Content-Length, Kestrel sends chunks, as the edge (the proxies in front of the service) does.
                    await response.Body.WriteAsync(body, ended.Token);
                    break;
            }
        }
        catch (OperationCanceledException) when (ended.IsCancellationRequested)
        {
            context.Abort();
        }
    }

    /// <summary>Whether <c>Accept-Encoding</c> names gzip with a quality other than zero.</summary>
    private static bool AcceptsGzip(HttpRequest request) =>
        request.GetTypedHeaders().AcceptEncoding
            .Any(encoding => encoding.Value.Equals("gzip", StringComparison.OrdinalIgnoreCase) && encoding.Quality != 0);

    private SimulatorRequest Remember(HttpContext context)
    {
        var headers = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach ((string name, StringValues values) in context.Request.Headers)
        {
            headers[name] = string.Join(", ", values.ToArray());
        }

        if (headers.TryGetValue("Authorization", out string? authorization))
        {
            headers["Authorization"] = Redact(authorization);
        }

        var request =
            new SimulatorRequest(
                context.Request.Method, context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget, headers,
                _options.TimeProvider.GetUtcNow());
        _requests.Enqueue(request);
        _unread.Writer.TryWrite(request);
        while (_requests.Count > MostRequests)
        {
            _requests.TryDequeue(out _);
        }

        return request;
    }

    /// <summary>
    /// Keeps the names of schemes and hides the rest, so that no key is recorded. A test can still see that a client sent the scheme twice,
    /// as in <c>Key Key id:secret</c>.
    /// </summary>
    private static string Redact(string authorization) =>
        string.Join(' ', authorization.Split(' ').Select(word => word is "Key" or "Bearer" or "Basic" ? word : "***"));

    /// <summary>
    /// Replaces the console lifetime of the host, which would catch Ctrl+C and SIGTERM. It would stop only the simulator, and the program
    /// would go on.
    /// </summary>
    private sealed class NoConsoleLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
