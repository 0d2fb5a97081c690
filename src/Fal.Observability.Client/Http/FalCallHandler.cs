using System.Diagnostics;
using System.Net;
using Microsoft.Extensions.Logging;
using Polly;
using Polly.Timeout;

namespace Fal.Observability.Client;

/// <summary>
/// One call, from its first attempt to its last: the total deadline, the retry pipeline, and the log, traces and metrics. It is the
/// outermost handler; <see cref="FalBodyHandler"/> below it is one attempt.
/// </summary>
internal sealed class FalCallHandler(
    FalApiKeySource account,
    FalResilience resilience,
    TimeProvider time,
    ILogger log,
    CancellationToken closed = default
) : DelegatingHandler
{
    private readonly FalObservabilityOptions _options = account.Options;

    // This is one method, because each further asynchronous method adds a dozen methods to compile to the first call.
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        string operation = FalRoute.NameOf(request);
        FalCallProgress progress = FalRequestOptions.Begin(request, time);
        using Activity? activity = FalTelemetry.Activities.StartActivity(operation, ActivityKind.Internal);
        activity?.SetTag(FalTelemetry.OperationTag, operation);
        CancellationTokenSource? deadline = null;
        CancellationTokenSource? either = null;
        string? error = null;
        try
        {
            if (closed.IsCancellationRequested)
            {
                throw Disposed();
            }

            deadline = new CancellationTokenSource(_options.TotalTimeout, time);
            either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken, closed);
            string key = progress.ApiKey = await account.GetAsync(either.Token).ConfigureAwait(false);
            // A callback that blocks its thread returns a key only after the deadline.
            progress.HasKey = !either.IsCancellationRequested;
            HttpResponseMessage response;
            while (true)
            {
                Task<HttpResponseMessage>? first = null;
                if (!resilience.SeesEveryAttempt)
                {
                    either.Token.ThrowIfCancellationRequested();
                    first = SendOnceAsync(request, progress, either.Token);
                    await ((Task)first).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                }

                response = first is null || (FalResilience.IsTransient(first) && !either.IsCancellationRequested)
                    ? await SendThroughPipelineAsync(request, operation, progress, first, either.Token).ConfigureAwait(false)
                    : await first.ConfigureAwait(false);
                if (response.StatusCode != HttpStatusCode.Unauthorized || progress.ApiKey != key)
                {
                    break;
                }

                progress.HasKey = false;
                progress.ApiKey = await account.GetAsync(either.Token).ConfigureAwait(false);
                progress.HasKey = !either.IsCancellationRequested;
                if (progress.ApiKey == key)
                {
                    break;
                }

                response.Dispose();
                log.SentWithNewKey(operation);
            }

            // The retries end when the client is disposed or the caller cancels. The failure that was not retried is then not the outcome.
            if (!response.IsSuccessStatusCode && (closed.IsCancellationRequested || cancellationToken.IsCancellationRequested))
            {
                response.Dispose();
                throw new OperationCanceledException(cancellationToken);
            }

            int status = (int)response.StatusCode;
            activity?.SetTag(FalTelemetry.StatusTag, status);
            if (!response.IsSuccessStatusCode)
            {
                error = status.ToString(System.Globalization.CultureInfo.InvariantCulture);
            }

            log.CallCompleted(operation, status, progress.Attempts, (long)progress.Elapsed.TotalMilliseconds);
            return response;
        }
        catch (Exception e)
        {
            bool isLate = deadline is { IsCancellationRequested: true };
            Exception failure = Explained(e, operation, progress, isLate, cancellationToken);
            error = failure.GetType().Name;
            if (failure is FalObservabilityException own)
            {
                (own.Attempts, own.Elapsed) = (progress.Attempts, progress.Elapsed);
            }

            if (failure != e)
            {
                throw failure;
            }

            throw;
        }
        finally
        {
            either?.Dispose();
            deadline?.Dispose();
            activity?.SetTag(FalTelemetry.AttemptsTag, progress.Attempts);
            FalCallTally.Current?.Add(progress.Attempts);
            if (error is not null)
            {
                activity?.SetTag(FalTelemetry.ErrorTag, error);
                activity?.SetStatus(ActivityStatusCode.Error);
            }

            if (FalTelemetry.CallDuration.Enabled)
            {
                TagList tags = new() { { FalTelemetry.OperationTag, operation } };
                if (error is not null)
                {
                    tags.Add(FalTelemetry.ErrorTag, error);
                }

                FalTelemetry.CallDuration.Record(progress.Elapsed.TotalSeconds, tags);
            }
        }
    }

    /// <summary>Sends the request until an attempt is not retried.</summary>
    /// <param name="request">The request.</param>
    /// <param name="operation">The method and route of the request.</param>
    /// <param name="progress">The progress of the call.</param>
    /// <param name="first">The first attempt, where it has already ended; null if it is still to be made.</param>
    /// <param name="cancellationToken">The end of the call.</param>
    private async Task<HttpResponseMessage> SendThroughPipelineAsync(
        HttpRequestMessage request,
        string operation,
        FalCallProgress progress,
        Task<HttpResponseMessage>? first,
        CancellationToken cancellationToken
    )
    {
        ResilienceContext context = ResilienceContextPool.Shared.Get(operation, cancellationToken);
        context.Properties.Set(FalResilience.Progress, progress);
        context.Properties.Set(FalResilience.Operation, operation);
        try
        {
            return await resilience.Pipeline.ExecuteAsync(
                context =>
                {
                    Task<HttpResponseMessage>? made = first;
                    first = null;
                    return new ValueTask<HttpResponseMessage>(made ?? SendOnceAsync(request, progress, context.CancellationToken));
                },
                context).ConfigureAwait(false);
        }
        finally
        {
            ResilienceContextPool.Shared.Return(context);
        }
    }

    private Task<HttpResponseMessage> SendOnceAsync(
        HttpRequestMessage request,
        FalCallProgress progress,
        CancellationToken cancellationToken
    )
    {
        progress.Attempts++;
        return base.SendAsync(request, cancellationToken);
    }

    /// <summary>Returns the exception that the caller sees. An exception that already says what happened is returned unchanged.</summary>
    private Exception Explained(
        Exception exception,
        string operation,
        FalCallProgress progress,
        bool isLate,
        CancellationToken cancellationToken
    ) => exception switch
    {
        OperationCanceledException when cancellationToken.IsCancellationRequested => exception,
        // The attempt failed because its connection was closed, or it was not retried.
        _ when cancellationToken.IsCancellationRequested
            && (closed.IsCancellationRequested || exception is FalObservabilityException { IsTransient: true }) =>
            new OperationCanceledException(exception.Message, exception, cancellationToken),
        _ when closed.IsCancellationRequested => Disposed(),
        OperationCanceledException when isLate => new FalTimeoutException(
            progress.HasKey
                ? $"{operation}: the call, including its retries and the waits between them, did not finish within " +
                    $"{nameof(_options.TotalTimeout)} ({_options.TotalTimeout}). Try again later, or raise " +
                    $"{nameof(_options.TotalTimeout)} if the service is that slow."
                : $"{operation}: {nameof(_options.ApiKeyProvider)} did not return a key within {nameof(_options.TotalTimeout)} " +
                    $"({_options.TotalTimeout}). " + (progress.Attempts == 0
                        ? "The client sent no request."
                        : "The service had refused the last key with 401, so the client had asked for a newer one.") +
                    " Find out why the callback waits, and let it give up earlier.",
            FalApiKey.Scrub(exception, _options.ApiKey))
        {
            IsTransient = true,
            Timeout = _options.TotalTimeout,
            Setting = nameof(_options.TotalTimeout),
        },
        TimeoutRejectedException rejected => new FalTimeoutException(
            $"{operation}: the custom resilience pipeline timed out: {rejected.Message}",
            rejected)
        {
            IsTransient = true,
            Timeout = rejected.Timeout,
        },
        ExecutionRejectedException => new FalTransportException(
            $"{operation}: the custom resilience pipeline refused the call: {exception.Message}",
            exception)
        {
            IsTransient = true,
        },
        _ => exception,
    };

    public static ObjectDisposedException Disposed() =>
        new("FalObservabilityClient", "The client, or the container that owns it, has been disposed.");
}
