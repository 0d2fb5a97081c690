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
    ResiliencePipeline<HttpResponseMessage> pipeline,
    TimeProvider time,
    ILogger log,
    CancellationToken closed = default
) : DelegatingHandler
{
    private readonly FalObservabilityOptions _options = account.Options;

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        string operation = FalRoute.NameOf(request);
        FalCallProgress progress = FalRequestOptions.Begin(request, time);
        using Activity? activity = FalTelemetry.Activities.StartActivity(operation, ActivityKind.Internal);
        activity?.SetTag(FalTelemetry.OperationTag, operation);
        string? error = null;
        try
        {
            HttpResponseMessage response = await SendWithinDeadlineAsync(request, operation, progress, cancellationToken)
                .ConfigureAwait(false);
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
            error = e.GetType().Name;
            if (e is FalObservabilityException failure)
            {
                (failure.Attempts, failure.Elapsed) = (progress.Attempts, progress.Elapsed);
            }

            throw;
        }
        finally
        {
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

    private async Task<HttpResponseMessage> SendWithinDeadlineAsync(
        HttpRequestMessage request, string operation, FalCallProgress progress, CancellationToken cancellationToken)
    {
        if (closed.IsCancellationRequested)
        {
            throw Disposed();
        }

        using var deadline = new CancellationTokenSource(_options.TotalTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken, closed);
        ResilienceContext context = ResilienceContextPool.Shared.Get(operation, either.Token);
        context.Properties.Set(FalResilience.Progress, progress);
        context.Properties.Set(FalResilience.Operation, operation);
        try
        {
            string key = progress.ApiKey = await account.GetAsync(either.Token).ConfigureAwait(false);
            while (true)
            {
                HttpResponseMessage response = await pipeline.ExecuteAsync(
                    static (context, state) => state.Handler.SendOnceAsync(state.Request, state.Progress, context.CancellationToken),
                    context,
                    (Handler: this, Request: request, Progress: progress)).ConfigureAwait(false);
                if (response.StatusCode != HttpStatusCode.Unauthorized || progress.ApiKey != key)
                {
                    return response;
                }

                progress.ApiKey = await account.GetAsync(either.Token).ConfigureAwait(false);
                if (progress.ApiKey == key)
                {
                    return response;
                }

                response.Dispose();
                log.SentWithNewKey(operation);
            }
        }
        catch (OperationCanceledException) when (closed.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw Disposed();
        }
        catch (OperationCanceledException e) when (deadline.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new FalTimeoutException(
                $"{operation}: the call, with its retries and their waits, did not end within {nameof(_options.TotalTimeout)} " +
                    $"({_options.TotalTimeout}). Try again later, or raise {nameof(_options.TotalTimeout)} if the service is that slow.",
                FalApiKey.Scrub(e, _options.ApiKey))
            {
                IsTransient = true,
                Timeout = _options.TotalTimeout,
                Setting = nameof(_options.TotalTimeout),
            };
        }
        catch (TimeoutRejectedException e)
        {
            throw new FalTimeoutException($"{operation}: the resilience pipeline that replaces the client's own timed out: {e.Message}", e)
            {
                IsTransient = true,
                Timeout = e.Timeout,
            };
        }
        catch (ExecutionRejectedException e)
        {
            throw new FalTransportException(
                $"{operation}: the resilience pipeline that replaces the client's own refused the call: {e.Message}",
                e
            )
            {
                IsTransient = true,
            };
        }
        finally
        {
            ResilienceContextPool.Shared.Return(context);
        }
    }

    public static ObjectDisposedException Disposed() =>
        new("FalObservabilityClient", "The client, or the container that owns it, has been disposed.");

    private async ValueTask<HttpResponseMessage> SendOnceAsync(
        HttpRequestMessage request,
        FalCallProgress progress,
        CancellationToken cancellationToken
    )
    {
        progress.Attempts++;
        HttpResponseMessage response = await base.SendAsync(request, cancellationToken).ConfigureAwait(false);
        if (response.StatusCode is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden)
        {
            log.Refused(
                FalRoute.NameOf(request),
                (int)response.StatusCode,
                FalResponseInfo.From(response, _options.ApiKey).ContentType ?? "no content type"
            );
        }

        return response;
    }
}
