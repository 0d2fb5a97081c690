using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Testing;
using Microsoft.Extensions.Options;
using Xunit;

namespace Fal.Observability.Client.IntegrationTests.Secrets;

/// <summary>
/// A key that changes while the program runs, from each of the places that a key can come from, against a service that knows which keys
/// are valid.
/// </summary>
public sealed class KeyRotationTests : IAsyncLifetime
{
    private const string OldKey = "old-id:old-secret-0123456789";
    private const string NewKey = "new-id:new-secret-0123456789";

    private readonly Service _service = new();
    private readonly FakeLogCollector _log = new();

    public async ValueTask InitializeAsync() => await _service.StartAsync();

    public async ValueTask DisposeAsync() => await _service.DisposeAsync();

    [Theory]
    [InlineData(null)]
    [InlineData("acme")]
    public async Task Configuration_that_is_reloaded_gives_the_next_call_another_key(string? account)
    {
        string section = account is null ? "Fal" : $"Fal:Accounts:{account}";
        IConfigurationRoot configuration = WithOldKey(section);
        await using ServiceProvider services = Services(account, null, configuration);
        IFalMetricsClient metrics = services.GetRequiredKeyedService<IFalMetricsClient>(account);

        await metrics.GetSnapshotAsync(TestContext.Current.CancellationToken);
        configuration[$"{section}:ApiKey"] = NewKey;
        configuration[$"{section}:BaseAddress"] = "https://elsewhere.example/v1";
        configuration.Reload();
        await metrics.GetSnapshotAsync(TestContext.Current.CancellationToken);
        configuration[$"{section}:ApiKey"] = "no key";
        configuration.Reload();
        await metrics.GetSnapshotAsync(TestContext.Current.CancellationToken);
        await metrics.GetSnapshotAsync(TestContext.Current.CancellationToken);

        Assert.Equal([OldKey, NewKey, NewKey, NewKey], _service.Keys);
        Assert.Equal(
            [27, 28], _log.GetSnapshot().Where(record => record.Level >= LogLevel.Information).Select(record => record.Id.Id));
        Assert.DoesNotContain(_log.GetSnapshot(), record => record.Message.Contains("secret", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(null, "MaxAttempts", "99")]
    [InlineData("acme", "MaxAttempts", "99")]
    [InlineData(null, "Typo", "1")]
    [InlineData(null, "MaxAttempts", "many")]
    [InlineData(null, "TotalTimeout", "45")]
    [InlineData(null, "BaseAddress", "http://elsewhere.example")]
    [InlineData(null, "ApiKeyFile", "/no/such/file")]
    public async Task A_reloaded_key_is_taken_although_another_setting_has_become_invalid(string? account, string setting, string value)
    {
        string section = account is null ? "Fal" : $"Fal:Accounts:{account}";
        IConfigurationRoot configuration = WithOldKey(section);
        await using ServiceProvider services = Services(account, null, configuration);
        IFalMetricsClient metrics = services.GetRequiredKeyedService<IFalMetricsClient>(account);
        await metrics.GetSnapshotAsync(TestContext.Current.CancellationToken);

        configuration[$"{section}:ApiKey"] = NewKey;
        configuration[$"{section}:{setting}"] = value;
        configuration.Reload();
        await metrics.GetSnapshotAsync(TestContext.Current.CancellationToken);

        Assert.Equal([OldKey, NewKey], _service.Keys);
        Assert.Equal([27], _log.GetSnapshot().Where(record => record.Level >= LogLevel.Information).Select(record => record.Id.Id));
    }

    [Theory]
    [InlineData(null, "ApiKey", "no key", "contains no valid key: ApiKey contains a space", "Set Fal:ApiKey to a valid key")]
    [InlineData("acme", "ApiKey", "", "contains no valid key: ApiKey is missing.", "Set Fal:Accounts:acme:ApiKey to a valid key")]
    [InlineData(
        null, "ApiKeyFile", "/no/such/file", "no longer contains the key, but names another source of it.", "Restart the program")]
    public async Task A_reload_without_a_usable_key_keeps_the_last_one_and_says_what_to_do_about_the_key(
        string? account, string setting, string value, string cause, string advice)
    {
        string section = account is null ? "Fal" : $"Fal:Accounts:{account}";
        IConfigurationRoot configuration = WithOldKey(section);
        await using ServiceProvider services = Services(account, null, configuration);
        IFalMetricsClient metrics = services.GetRequiredKeyedService<IFalMetricsClient>(account);
        await metrics.GetSnapshotAsync(TestContext.Current.CancellationToken);

        configuration[$"{section}:ApiKey"] = null;
        configuration[$"{section}:{setting}"] = value;
        configuration[$"{section}:MaxAttempts"] = "99";
        configuration.Reload();
        await metrics.GetSnapshotAsync(TestContext.Current.CancellationToken);
        await metrics.GetSnapshotAsync(TestContext.Current.CancellationToken);

        Assert.Equal([OldKey, OldKey, OldKey], _service.Keys);
        FakeLogRecord warning = Assert.Single(_log.GetSnapshot(), record => record.Level >= LogLevel.Information);
        Assert.Equal(28, warning.Id.Id);
        Assert.StartsWith($"Account {account ?? "(default)"}: the configuration {cause}", warning.Message, StringComparison.Ordinal);
        Assert.Contains($"The last valid key stays in use. {advice}", warning.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("MaxAttempts", warning.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_reload_that_the_programs_own_code_fails_on_keeps_the_last_key_and_the_call()
    {
        bool fails = false;
        IConfigurationRoot configuration = WithOldKey("Fal");
        await using ServiceProvider services = Services(null, null, configuration, options =>
            _ = fails ? throw new FormatException("not a number") : options.MaxPages = 7);
        IFalMetricsClient metrics = services.GetRequiredService<IFalMetricsClient>();
        await metrics.GetSnapshotAsync(TestContext.Current.CancellationToken);

        fails = true;
        configuration.Reload();
        await metrics.GetSnapshotAsync(TestContext.Current.CancellationToken);

        Assert.Equal([OldKey, OldKey], _service.Keys);
        Assert.Equal(
            "Account (default): the configuration cannot be applied, because code that sets options failed with " +
                "System.FormatException. The last valid key stays in use. Correct that code, or restart the program",
            Assert.Single(_log.GetSnapshot(), record => record.Level >= LogLevel.Information).Message);
    }

    [Fact]
    public async Task A_key_of_a_callback_is_asked_for_before_each_call_and_kept_for_its_retries()
    {
        var keys = new Queue<string>([OldKey, NewKey]);
        using var fal = new FalObservabilityClient(options =>
        {
            options.BaseAddress = _service.Address;
            options.MinRetryDelay = options.RetryBaseDelay = TimeSpan.FromMilliseconds(1);
            options.ApiKeyProvider = _ => ValueTask.FromResult(keys.Dequeue());
        });
        _service.Answer(context => context.Response.StatusCode = _service.Keys.Count < 3 ? 503 : 200);

        await fal.Metrics.GetSnapshotAsync(TestContext.Current.CancellationToken);
        await fal.Metrics.GetSnapshotAsync(TestContext.Current.CancellationToken);

        Assert.Equal([OldKey, OldKey, OldKey, NewKey], _service.Keys);
    }

    [Fact]
    public async Task A_call_that_is_refused_although_the_key_has_changed_is_sent_once_more()
    {
        string key = OldKey;
        await using ServiceProvider services = Services(null, _ => ValueTask.FromResult(key));
        _service.Answer(context =>
        {
            // The rotation takes place while the call is on its way.
            key = NewKey;
            context.Response.StatusCode = KeyOf(context) == NewKey ? 200 : 401;
        });

        await services.GetRequiredService<IFalMetricsClient>().GetSnapshotAsync(TestContext.Current.CancellationToken);

        Assert.Equal([OldKey, NewKey], _service.Keys);
    }

    [Fact]
    public async Task A_call_that_both_keys_are_refused_for_ends_with_the_second_answer_and_shows_neither()
    {
        string key = OldKey;
        await using ServiceProvider services = Services(null, _ => ValueTask.FromResult(key));
        _service.Answer(context =>
        {
            context.Response.StatusCode = 401;
            key = key == OldKey ? NewKey : "third-id:third-secret-0123456789";
        }, _ => $"The keys {OldKey} and {NewKey} are not known.");

        FalAuthenticationException failure = await Assert.ThrowsAsync<FalAuthenticationException>(
            () => services.GetRequiredService<IFalMetricsClient>().GetSnapshotAsync(TestContext.Current.CancellationToken));

        Assert.Equal([OldKey, NewKey], _service.Keys);
        Assert.Contains("are not known", failure.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("-secret-", failure.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain(_log.GetSnapshot(), record => record.Message.Contains("-secret-", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_watch_continues_after_a_rotation()
    {
        string key = OldKey;
        _service.Valid = [OldKey];
        var clock = new SteppedClock();
        await using ServiceProvider services = Services(null, _ => ValueTask.FromResult(key), clock: clock);
        await using IAsyncEnumerator<FalMetricsSnapshot> watch = services
            .GetRequiredService<IFalMetricsClient>()
            .WatchAsync(TimeSpan.FromSeconds(15), TestContext.Current.CancellationToken)
            .GetAsyncEnumerator(TestContext.Current.CancellationToken);

        Assert.True(await watch.MoveNextAsync());
        (key, _service.Valid) = (NewKey, [NewKey]);
        ValueTask<bool> next = watch.MoveNextAsync();
        clock.Advance(TimeSpan.FromSeconds(15));

        Assert.True(await next.AsTask().OrHangs());
        Assert.Equal([OldKey, NewKey], _service.Keys);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task No_caller_of_a_thousand_is_refused_while_the_key_changes_under_load(bool revokesBeforeTheProgramKnows)
    {
        string key = OldKey;
        _service.Valid = [OldKey];
        await using ServiceProvider services = Services(null, _ => ValueTask.FromResult(Volatile.Read(ref key)));
        IFalObservabilityClient fal = services.GetRequiredService<IFalObservabilityClient>();
        Func<CancellationToken, Task>[] calls =
        [
            cancellationToken => fal.Metrics.GetSnapshotAsync(cancellationToken),
            cancellationToken => fal.Apps.ListAsync(cancellationToken: cancellationToken),
            cancellationToken => fal.Apps.GetRunnerHistoryAsync("my-org/my-app", cancellationToken: cancellationToken),
            cancellationToken => fal.Usage.GetReportAsync(cancellationToken: cancellationToken),
        ];
        int asked = 0;
        _service.Answer(context =>
        {
            if (Interlocked.Increment(ref asked) == 500)
            {
                // Install the new key and revoke the old one at the same time. Calls that are in progress then still carry the old key
                // although it is no longer valid.
                _service.Valid = revokesBeforeTheProgramKnows ? [NewKey] : [OldKey, NewKey];
                Volatile.Write(ref key, NewKey);
                _service.Valid = [NewKey];
            }

            context.Response.StatusCode = _service.Valid.Contains(KeyOf(context)) ? 200 : 401;
        }, context => context.Request.Path.Value!.EndsWith("/metrics", StringComparison.Ordinal)
            ? "a 1\n"
            : """{"apps":[],"history":[],"time_series":[]}""");

        await Parallel.ForAsync(
            0,
            1000,
            new ParallelOptions { MaxDegreeOfParallelism = 32, CancellationToken = TestContext.Current.CancellationToken },
            async (number, cancellationToken) => await calls[number % calls.Length](cancellationToken)
        );

        Assert.Contains(OldKey, _service.Keys);
        Assert.Contains(NewKey, _service.Keys);
        Assert.Equal(NewKey, _service.Keys.Last());
    }

    [Fact]
    public async Task Nothing_holds_the_old_key_after_its_last_call()
    {
        var vault = new Vault();
        await using ServiceProvider services = Services(null, _ => ValueTask.FromResult(vault.Key!));
        IFalMetricsClient metrics = services.GetRequiredService<IFalMetricsClient>();

        WeakReference old = await CallWithAsync(OldKey);
        await CallWithAsync(NewKey);
        await CallWithAsync(NewKey);
        // The thread that completed the call may not have returned from it yet.
        for (int i = 0; i < 1000 && old.IsAlive; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
            await Task.Yield();
        }

        Assert.False(old.IsAlive);
        Assert.Equal([OldKey, NewKey, NewKey], _service.Keys);

        [MethodImpl(MethodImplOptions.NoInlining)]
        async Task<WeakReference> CallWithAsync(string text)
        {
            string key = new(text.AsSpan());
            vault.Key = key;
            await metrics.GetSnapshotAsync(TestContext.Current.CancellationToken);
            return new WeakReference(key);
        }
    }

    [Fact]
    public async Task A_callback_that_fails_leaves_the_last_key_in_use_and_is_logged_once()
    {
        Func<string> answer = () => OldKey;
        await using ServiceProvider services = Services(null, _ => ValueTask.FromResult(answer()));
        IFalMetricsClient metrics = services.GetRequiredService<IFalMetricsClient>();

        await metrics.GetSnapshotAsync(TestContext.Current.CancellationToken);
        answer = () => throw new HttpRequestException("The vault is sealed.");
        await metrics.GetSnapshotAsync(TestContext.Current.CancellationToken);
        await metrics.GetSnapshotAsync(TestContext.Current.CancellationToken);
        answer = () => "";
        await metrics.GetSnapshotAsync(TestContext.Current.CancellationToken);

        Assert.Equal([OldKey, OldKey, OldKey, OldKey], _service.Keys);
        Assert.Equal(
            [
                "Account (default): ApiKeyProvider failed with System.Net.Http.HttpRequestException. The last valid key stays in use. " +
                    "Check the callback. It must return a key of the form <key_id>:<key_secret>",
                "Account (default): ApiKeyProvider returned no usable key: it is missing. The last valid key stays in use. Check " +
                    "the callback. It must return a key of the form <key_id>:<key_secret>",
            ],
            _log.GetSnapshot().Where(record => record.Level == LogLevel.Warning).Select(record => record.Message));
    }

    [Fact]
    public async Task A_callback_that_has_given_no_key_yet_fails_the_call_and_says_why()
    {
        Func<string> answer = () => throw new HttpRequestException("The vault is sealed.");
        await using ServiceProvider services = Services(null, _ => ValueTask.FromResult(answer()));
        IFalMetricsClient metrics = services.GetRequiredService<IFalMetricsClient>();

        FalTransportException failed = await Assert.ThrowsAsync<FalTransportException>(() =>
            metrics.GetSnapshotAsync(TestContext.Current.CancellationToken)
        );
        answer = () => "hunter2 hunter2";
        OptionsValidationException malformed = await Assert.ThrowsAsync<OptionsValidationException>(
            () => metrics.GetSnapshotAsync(TestContext.Current.CancellationToken));

        Assert.True(failed.IsTransient);
        Assert.Contains("ApiKeyProvider failed", failed.Message, StringComparison.Ordinal);
        Assert.Equal("The vault is sealed.", failed.InnerException?.Message);
        Assert.Contains("ApiKeyProvider returned no usable key", malformed.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", malformed.ToString(), StringComparison.Ordinal);
        Assert.Empty(_service.Keys);
    }

    [Fact]
    public async Task Cancelling_the_call_cancels_the_callback()
    {
        using var caller = new CancellationTokenSource();
        await using ServiceProvider services = Services(null, async cancellationToken =>
        {
            await caller.CancelAsync();
            await Task.FromCanceled(cancellationToken);
            return OldKey;
        });

        OperationCanceledException cancelled = await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => services.GetRequiredService<IFalMetricsClient>().GetSnapshotAsync(caller.Token));

        Assert.Equal(caller.Token, cancelled.CancellationToken);
    }

    [Fact]
    public async Task A_callback_that_never_answers_holds_up_neither_the_deadline_nor_the_disposal()
    {
        var called = new SemaphoreSlim(0);
        Func<CancellationToken, ValueTask<string>> never = _ =>
        {
            called.Release();
            return new ValueTask<string>(new TaskCompletionSource<string>().Task);
        };
        var clock = new SteppedClock();
        ServiceProvider services = Services(null, never, clock: clock);
        IFalMetricsClient metrics = services.GetRequiredService<IFalMetricsClient>();

        Task<FalMetricsSnapshot> late = metrics.GetSnapshotAsync(TestContext.Current.CancellationToken);
        Assert.True(await called.WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken));
        clock.Advance(TimeSpan.FromSeconds(100));
        FalTimeoutException timeout = await Assert.ThrowsAsync<FalTimeoutException>(() => late.OrHangs());
        Task<FalMetricsSnapshot> waiting = metrics.GetSnapshotAsync(TestContext.Current.CancellationToken);
        await services.DisposeAsync();

        await Assert.ThrowsAsync<ObjectDisposedException>(() => waiting.OrHangs());
        Assert.Equal("TotalTimeout", timeout.Setting);
        Assert.Contains("ApiKeyProvider did not return a key within TotalTimeout (", timeout.Message, StringComparison.Ordinal);
        Assert.Contains("The client sent no request.", timeout.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_callback_that_blocks_its_thread_until_the_deadline_is_named_too()
    {
        var clock = new SteppedClock();
        await using ServiceProvider services = Services(
            null,
            _ =>
            {
                clock.Advance(TimeSpan.FromSeconds(100));
                return ValueTask.FromResult(OldKey);
            },
            clock: clock);

        FalTimeoutException timeout = await Assert.ThrowsAsync<FalTimeoutException>(
            () => services.GetRequiredService<IFalMetricsClient>().GetSnapshotAsync(TestContext.Current.CancellationToken).OrHangs());

        Assert.Contains("ApiKeyProvider did not return a key within TotalTimeout (", timeout.Message, StringComparison.Ordinal);
        Assert.Empty(_service.Keys);
    }

    [Fact]
    public async Task A_callback_that_fails_after_its_call_was_cancelled_reports_no_exception()
    {
        const string Words = "The vault answered too late.";
        List<Exception> unobserved = [];
        void Note(object? sender, UnobservedTaskExceptionEventArgs e) =>
            unobserved.AddRange(e.Exception.InnerExceptions.Where(inner => inner.Message == Words));
        TaskScheduler.UnobservedTaskException += Note;
        try
        {
            WeakReference answer = await AbandonAsync();
            // The thread that ended the call may not have returned from it yet.
            for (int i = 0; i < 1000 && answer.IsAlive; i++)
            {
                GC.Collect();
                GC.WaitForPendingFinalizers();
                await Task.Yield();
            }

            Assert.False(answer.IsAlive);
            GC.WaitForPendingFinalizers();
            Assert.Empty(unobserved);
        }
        finally
        {
            TaskScheduler.UnobservedTaskException -= Note;
        }

        [MethodImpl(MethodImplOptions.NoInlining)]
        async Task<WeakReference> AbandonAsync()
        {
            var answer = new TaskCompletionSource<string>();
            using var caller = new CancellationTokenSource();
            using var fal = new FalObservabilityClient(options => options.ApiKeyProvider = _ => new ValueTask<string>(answer.Task));
            Task<FalMetricsSnapshot> call = fal.Metrics.GetSnapshotAsync(caller.Token);
            await caller.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call.OrHangs());
            answer.SetException(new InvalidOperationException(Words));
            return new WeakReference(answer.Task);
        }
    }

    [Theory]
    [InlineData(OldKey, null)]
    [InlineData(null, "key.txt")]
    public void A_callback_beside_another_key_is_an_options_error(string? key, string? file)
    {
        OptionsValidationException failure = Assert.Throws<OptionsValidationException>(() => new FalObservabilityClient(options =>
        {
            (options.ApiKey, options.ApiKeyFile) = (key, file);
            options.ApiKeyProvider = _ => ValueTask.FromResult(NewKey);
        }));

        Assert.Contains(
            "ApiKeyProvider is set together with ApiKey or ApiKeyFile. Remove ApiKey and ApiKeyFile,",
            failure.Message,
            StringComparison.Ordinal
        );
    }

    private static string KeyOf(HttpContext context) => context.Request.Headers.Authorization.ToString()["Key ".Length..];

    private IConfigurationRoot WithOldKey(string section) => new ConfigurationBuilder()
        .AddInMemoryCollection([new($"{section}:ApiKey", OldKey), new($"{section}:BaseAddress", _service.Address.ToString())]).Build();

    private ServiceProvider Services(
        string? account,
        Func<CancellationToken, ValueTask<string>>? provider,
        IConfiguration? configuration = null,
        Action<FalObservabilityOptions>? more = null,
        TimeProvider? clock = null
    )
    {
        var services = new ServiceCollection();
        services.AddSingleton(clock ?? TimeProvider.System);
        services.AddLogging(logging => logging.SetMinimumLevel(LogLevel.Trace).AddProvider(new FakeLoggerProvider(_log)));
        if (configuration is not null)
        {
            services.AddSingleton(configuration);
        }

        Action<FalObservabilityOptions> configure = options =>
        {
            if (provider is not null)
            {
                (options.ApiKeyProvider, options.BaseAddress) = (provider, _service.Address);
            }

            more?.Invoke(options);
        };
        _ = account is null ? services.AddFalObservability(configure) : services.AddFalObservability(account, configure);
        return services.BuildServiceProvider();
    }

    private sealed class Vault
    {
        public string? Key { get; set; }
    }

    /// <summary>The service, which notes the key of each request.</summary>
    private sealed class Service : IAsyncDisposable
    {
        private readonly WebApplication _app;
        private Action<HttpContext> _answer;
        private Func<HttpContext, string> _body = _ => "# TYPE a gauge\na 1\n";

        public Service()
        {
            WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
            builder.Logging.ClearProviders();
            _app = builder.Build();
            _app.Urls.Add("http://127.0.0.1:0");
            _answer = context => context.Response.StatusCode = Valid is null || Valid.Contains(KeyOf(context)) ? 200 : 401;
            _app.Run(async context =>
            {
                Keys.Enqueue(KeyOf(context));
                _answer(context);
                context.Response.ContentType = "text/plain";
                await context.Response.WriteAsync(_body(context));
            });
        }

        public ConcurrentQueue<string> Keys { get; } = [];

        public string[]? Valid { get; set; }

        public Uri Address =>
            new($"{_app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single()}/v1");

        public Task StartAsync() => _app.StartAsync();

        public void Answer(Action<HttpContext> answer, Func<HttpContext, string>? body = null) =>
            (_answer, _body) = (answer, body ?? _body);

        public ValueTask DisposeAsync() => _app.DisposeAsync();
    }
}
