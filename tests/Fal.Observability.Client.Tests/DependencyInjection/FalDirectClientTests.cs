using System.Reflection;
using Xunit;

namespace Fal.Observability.Client.Tests;

/// <summary>A client without a container is put together as a container does it.</summary>
public sealed class FalDirectClientTests
{
    private const string Key = "test-id:test-secret-0123456789";

    public static TheoryData<string> Areas => ["Metrics", "Analytics", "Apps", "Usage"];

    [Theory]
    [MemberData(nameof(Areas))]
    public void It_has_the_handlers_of_a_registered_one_in_their_order(string area)
    {
        using var direct = new FalObservabilityClient(Key);
        using var built = new FalObservabilityClient(options => options.ApiKey = Key, _ => { });

        (string[] Handlers, HttpClient Http) first = PipelineOf(direct, area);
        (string[] Handlers, HttpClient Http) second = PipelineOf(built, area);

        // The factory puts its own handler, which follows a lifetime that never ends, round those that it was given.
        Assert.Equal(second.Handlers.Where(handler => handler != "LifetimeTrackingHttpMessageHandler"), first.Handlers);
        Assert.Contains("FalCallHandler", first.Handlers);
        Assert.Equal("SocketsHttpHandler", first.Handlers[^1]);
        Assert.Equal(
            (second.Http.BaseAddress, second.Http.Timeout, second.Http.DefaultRequestHeaders.ToString()),
            (first.Http.BaseAddress, first.Http.Timeout, first.Http.DefaultRequestHeaders.ToString()));
    }

    [Fact]
    public void Each_area_is_made_once_when_it_is_first_used()
    {
        using var fal = new FalObservabilityClient(Key);

        Assert.Same(fal.Metrics, fal.Metrics);
        Assert.Same(fal.Analytics, fal.Analytics);
        Assert.Same(fal.Apps, fal.Apps);
        Assert.Same(fal.Usage, fal.Usage);
    }

    [Fact]
    public async Task A_call_after_disposal_says_that_the_client_is_disposed()
    {
        var fal = new FalObservabilityClient(Key);
        IFalMetricsClient metrics = fal.Metrics;
        fal.Dispose();
        fal.Dispose();

        ObjectDisposedException failure = await Assert.ThrowsAsync<ObjectDisposedException>(() =>
            metrics.GetSnapshotAsync(TestContext.Current.CancellationToken)
        );
        await Assert.ThrowsAsync<ObjectDisposedException>(() =>
            fal.Apps.ListAsync(cancellationToken: TestContext.Current.CancellationToken)
        );

        Assert.Equal("FalObservabilityClient", failure.ObjectName);
    }

    private static (string[] Handlers, HttpClient Http) PipelineOf(FalObservabilityClient fal, string area)
    {
        object client = area switch
        {
            "Metrics" => fal.Metrics,
            "Analytics" => fal.Analytics,
            "Apps" => fal.Apps,
            _ => fal.Usage,
        };
        HttpClient http = HttpClientOf(client)!;
        var handlers = new List<string>();
        var handler = (HttpMessageHandler?)
            typeof(HttpMessageInvoker).GetField("_handler", BindingFlags.Instance | BindingFlags.NonPublic)!.GetValue(http);
        while (handler is not null)
        {
            handlers.Add(handler.GetType().Name);
            handler = (handler as DelegatingHandler)?.InnerHandler;
        }

        return ([.. handlers], http);
    }

    /// <summary>The HTTP client that an object of ours, or of Refit's, holds.</summary>
    private static HttpClient? HttpClientOf(object owner) => owner as HttpClient ?? owner.GetType()
        .GetFields(BindingFlags.Instance | BindingFlags.NonPublic | BindingFlags.Public)
        .Where(field => field.FieldType == typeof(HttpClient) || field.FieldType.Namespace == typeof(FalObservabilityClient).Namespace)
        .Select(field => field.GetValue(owner)).OfType<object>().Select(HttpClientOf).FirstOrDefault(http => http is not null);
}
