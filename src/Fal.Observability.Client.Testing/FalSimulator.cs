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
/// A stand-in for fal's observability endpoints, on a loopback port of its own. A test scripts its answers, or lets it generate an account
/// from a seed. The simulator says in a header of every response and in the text of its metrics that the data are simulated. Safe to use
/// from several threads.
/// </summary>
/// <example>
/// <code>
/// await using FalSimulator sim = await FalSimulator.StartAsync();
/// sim.App("my-org/my-app").Queue = 250;
/// </code>
/// </example>
public sealed class FalSimulator : IAsyncDisposable
{
    /// <summary>How many calls <see cref="Requests"/> remembers.</summary>
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

    /// <summary>The key that may do everything.</summary>
    public string Key => _options.Key;

    /// <summary>A valid key that lacks the permission for every call: the answer is 403.</summary>
    public string KeyWithoutPermission => _options.KeyWithoutPermission;

    /// <summary>A valid key that lacks the permission for billing data alone: a call for usage is answered with 403.</summary>
    public string KeyWithoutBilling => _options.KeyWithoutBilling;

    /// <summary>A key whose account has no access to Serverless: every call is answered with 403 and a message for this case.</summary>
    public string KeyWithoutServerless => _options.KeyWithoutServerless;

    /// <summary>The ids of the apps that the account owns: those that are drawn from the seed, then those that are scripted.</summary>
    public IReadOnlyList<string> Apps => [.. _model.Apps.Select(app => app.Name)];

    /// <summary>The faults of the simulator. By default there are none.</summary>
    public SimulatorFaults Faults => _options.Faults;

    /// <summary>The answers of the simulator before they are cut into pages.</summary>
    internal SimulatorTruth Truth { get; }

    /// <summary>The calls so far in the order of their arrival, the last 10,000 of them; a copy.</summary>
    public IReadOnlyList<SimulatorRequest> Requests => [.. _requests];

    /// <summary>Starts a simulator on a free port. Dispose of it to stop it: calls that still hang are cut off.</summary>
    /// <param name="configure">
    /// Changes how it behaves; null: all defaults. <c>options => options.Seed = 42</c> draws an account with traffic.
    /// </param>
    /// <param name="cancellationToken">Gives up starting.</param>
    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    /// <exception cref="IOException">The port that the options name is taken.</exception>
    public static Task<FalSimulator> StartAsync(
        Action<FalSimulatorOptions>? configure = null,
        CancellationToken cancellationToken = default
    )
    {
        var options = new FalSimulatorOptions();
        configure?.Invoke(options);
        return StartAsync(options, cancellationToken);
    }

    /// <summary>Starts a simulator with options that somebody else put together.</summary>
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
    /// The script of an app. An app that nobody named before is new to the account, with an empty queue, no runners and no requests.
    /// </summary>
    /// <param name="id">The app id, <c>owner/name</c>.</param>
    /// <exception cref="ArgumentException">The id is not an app id, or it belongs to an app that was generated from the seed.</exception>
    /// <exception cref="ObjectDisposedException">The simulator is disposed.</exception>
    public SimulatedApp App(string id)
    {
        ObjectDisposedException.ThrowIf(_stopping.IsCancellationRequested, this);
        return _model.Scripted.App(id);
    }

    /// <summary>Takes a scripted app out of the account: later calls that name it are refused.</summary>
    /// <param name="id">The app id.</param>
    /// <returns>Whether it was a scripted app of the account.</returns>
    public bool RemoveApp(string id)
    {
        ArgumentNullException.ThrowIfNull(id);
        return _model.Scripted.Remove(id);
    }

    /// <summary>
    /// Waits for the next call. Each call is returned once, in the order of arrival, and none is missed: a call that arrived before
    /// this method was called is returned at once. If nobody asks for the calls, the last 10,000 are kept.
    /// </summary>
    /// <param name="cancellationToken">Gives up waiting.</param>
    /// <returns>The call, as soon as it has arrived; <see cref="SimulatorRequest.WaitForAnswerAsync"/> waits for its answer.</returns>
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

    /// <summary>Stops listening and cuts off what still hangs.</summary>
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
        // Use an empty builder, so that variables, settings files and the console do not change how the simulator behaves.
        WebApplicationBuilder builder =
            WebApplication.CreateEmptyBuilder(new WebApplicationOptions { EnvironmentName = Environments.Production });
        builder.Services.AddSingleton<IHostLifetime, NoConsoleLifetime>();
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            // A client that reads slowly is part of what is tested.
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

    /// <summary>The owner and name that the path of a runner history names; null if it is another path.</summary>
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
                $"Unable to use 'key={Key[..Key.IndexOf(':', StringComparison.Ordinal)]}' auth: Insufficient permissions: Please visit " +
                    "the dashboard to request access.");
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

        // An error answer is sent unchanged: the faults that damage a body apply to successful answers only.
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

                    // Without a length Kestrel sends chunks, as the service's edge does.
                    await response.Body.WriteAsync(body, ended.Token);
                    break;
            }
        }
        catch (OperationCanceledException) when (ended.IsCancellationRequested)
        {
            context.Abort();
        }
    }

    /// <summary>Whether a request's <c>Accept-Encoding</c> names gzip, and not with a quality of zero.</summary>
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
    /// Keeps the scheme, however often it occurs, and hides the rest. A test can therefore see that a client sent
    /// <c>Key Key id:secret</c>, and no key is recorded, neither the simulator's nor any other.
    /// </summary>
    private static string Redact(string authorization) =>
        string.Join(' ', authorization.Split(' ').Select(word => word is "Key" or "Bearer" or "Basic" ? word : "***"));

    /// <summary>Replaces the host's console lifetime, which would catch Ctrl+C and SIGTERM and so keep the program from ending.</summary>
    private sealed class NoConsoleLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
