using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Xunit;

namespace Fal.Observability.Client.Tests;

/// <summary>Tests that set environment variables must not run beside each other.</summary>
[Collection(nameof(Environment))]
public sealed class AddFalObservabilityTests : IDisposable
{
    private static readonly string[] Variables = ["FAL_KEY", "FAL_KEY_ID", "FAL_KEY_SECRET"];
    private readonly string?[] _before = [.. Variables.Select(Environment.GetEnvironmentVariable)];

    public AddFalObservabilityTests() => SetEnvironment(null, null, null);

    public void Dispose() => SetEnvironment(_before[0], _before[1], _before[2]);

    [Fact]
    public void One_line_registers_the_client_its_parts_and_the_refit_interfaces()
    {
        SetEnvironment("env-id:env-secret", null, null);
        using ServiceProvider provider = new ServiceCollection().AddFalObservability().Services.BuildServiceProvider();
        IFalObservabilityClient client = provider.GetRequiredService<IFalObservabilityClient>();
        Assert.Same(client.Metrics, provider.GetRequiredService<IFalMetricsClient>());
        Assert.Same(client.Analytics, provider.GetRequiredService<IFalAnalyticsClient>());
        Assert.NotNull(provider.GetRequiredService<IFalMetricsApi>());
        Assert.NotNull(provider.GetRequiredService<IFalAnalyticsApi>());
        Assert.Same(client.Apps, provider.GetRequiredService<IFalAppsClient>());
        Assert.Same(client.Usage, provider.GetRequiredService<IFalUsageClient>());
        Assert.NotNull(provider.GetRequiredService<IFalAppsApi>());
        Assert.NotNull(provider.GetRequiredService<IFalUsageApi>());
        Assert.IsNotType<IDisposable>(client, exactMatch: false);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("acme")]
    public async Task A_null_query_is_refused_by_the_refit_interface_before_anything_is_sent(string? account)
    {
        using var end = ScriptedHandler.Answering(ScriptedHandler.Response(System.Net.HttpStatusCode.OK, "{\"time_series\":[]}"));
        var services = new ServiceCollection();
        IFalObservabilityBuilder builder = account is null
            ? services.AddFalObservability(o => o.ApiKey = "id:secret-value")
            : services.AddFalObservability(account, o => o.ApiKey = "id:secret-value");
        builder.ConfigureHttpClients(http => http.ConfigurePrimaryHttpMessageHandler(() => end));
        using ServiceProvider provider = services.BuildServiceProvider();
        IFalAnalyticsApi api = provider.GetRequiredKeyedService<IFalAnalyticsApi>(account);

        ArgumentException refusal = await Assert.ThrowsAsync<ArgumentException>(() => api.GetServerlessAnalyticsAsync(null!));
        await Assert.ThrowsAsync<ArgumentException>(() => api.GetModelsAnalyticsAsync(null!));

        Assert.Contains("null", refusal.Message, StringComparison.Ordinal);
        Assert.Equal(0, end.Sent);
    }

    [Fact]
    public void Code_goes_over_the_section_and_the_section_over_the_environment()
    {
        SetEnvironment("env-id:env-secret", null, null);
        Assert.Equal("env-id:env-secret", Options(services => services.AddFalObservability()).ApiKey);
        Assert.Equal("cfg-id:cfg-secret", Options(services => services.AddFalObservability(), ("Fal:ApiKey", "cfg-id:cfg-secret")).ApiKey);
        Assert.Equal(
            "code-id:code-secret",
            Options(
                services => services.AddFalObservability(o => o.ApiKey = "code-id:code-secret"),
                ("Fal:ApiKey", "cfg-id:cfg-secret")
            ).ApiKey
        );
    }

    [Fact]
    public void Id_and_secret_are_joined_where_the_whole_key_is_not_set()
    {
        SetEnvironment(null, "id", "secret-value");
        Assert.Equal("id:secret-value", Options(services => services.AddFalObservability()).ApiKey);
        SetEnvironment(" ", "id", "secret-value");
        Assert.Equal("id:secret-value", Options(services => services.AddFalObservability()).ApiKey);
        SetEnvironment("whole:key-value", "id", "secret-value");
        Assert.Equal("whole:key-value", Options(services => services.AddFalObservability()).ApiKey);
    }

    [Fact]
    public void The_section_sets_every_kind_of_setting()
    {
        FalObservabilityOptions options = Options(
            services => services.AddFalObservability(),
            ("Fal:ApiKey", "id:secret-value"), ("Fal:BaseAddress", "https://proxy.example/v1"), ("Fal:MaxAttempts", "2"),
            ("Fal:TotalTimeout", "00:01:30.5"), ("Fal:StrictMetrics", "true"), ("Fal:MaxResponseBytes", "134217728"));
        Assert.Equal(new Uri("https://proxy.example/v1"), options.BaseAddress);
        Assert.Equal(2, options.MaxAttempts);
        Assert.Equal(TimeSpan.FromSeconds(90.5), options.TotalTimeout);
        Assert.True(options.StrictMetrics);
        Assert.Equal(134217728, options.MaxResponseBytes);
    }

    [Theory]
    [InlineData("00:00:20", "00:00:20")]
    [InlineData("00:01:00", "00:00:30")]
    public void A_short_total_time_out_needs_no_second_setting(string total, string attempt)
    {
        FalObservabilityOptions options = Options(
            services => services.AddFalObservability(), ("Fal:ApiKey", "id:secret-value"), ("Fal:TotalTimeout", total));
        Assert.Equal(TimeSpan.Parse(attempt, System.Globalization.CultureInfo.InvariantCulture), options.AttemptTimeout);
    }

    [Fact]
    public void Every_setting_of_the_options_can_be_set_in_the_section()
    {
        string keyFile = Path.GetTempFileName();
        File.WriteAllText(keyFile, "id:secret-value\n");
        foreach (
            System.Reflection.PropertyInfo setting in typeof(FalObservabilityOptions)
                .GetProperties()
                .Where(property => property.Name != nameof(FalObservabilityOptions.ApiKeyProvider))
        )
        {
            string value = setting.PropertyType == typeof(TimeSpan) ? "00:00:30"
                : setting.PropertyType == typeof(bool) ? "true"
                : setting.PropertyType == typeof(Uri) ? "https://proxy.example/v1"
                : setting.PropertyType == typeof(string)
                    ? (
                        setting.Name switch
                        {
                            "ApiKey" => "id:secret-value",
                            "ApiKeyFile" => keyFile,
                            _ => "my-service/1.0",
                        }
                    )
                : setting.Name is "MaxAttempts" or "MaxConcurrentCalls" ? "7"
                : "4096";
            FalObservabilityOptions options = Options(
                services => services.AddFalObservability(),
                setting.Name == "ApiKeyFile"
                    ? [("Fal:ApiKeyFile", value)]
                    : [("Fal:ApiKey", "id:secret-value"), ($"Fal:{setting.Name}", value)]
            );
            Assert.Equal("id:secret-value", options.ApiKey);
            Assert.Equal(
                value,
                Convert.ToString(setting.GetValue(options), System.Globalization.CultureInfo.InvariantCulture),
                ignoreCase: true
            );
        }

        File.Delete(keyFile);
    }

    [Fact]
    public void A_misspelt_setting_is_an_error_that_names_it_and_the_right_ones()
    {
        OptionsValidationException failure = Assert.Throws<OptionsValidationException>(
            () => Options(services => services.AddFalObservability(), ("Fal:ApiKey", "id:secret-value"), ("Fal:MaxAtempts", "2")));
        Assert.Contains("Fal:MaxAtempts", failure.Message, StringComparison.Ordinal);
        Assert.Contains("MaxAttempts", failure.Message, StringComparison.Ordinal);
        Assert.Contains("Accounts", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_key_file_that_is_a_pipe_is_refused_at_once()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Pipes with a name are made by mkfifo here.");
        string folder = Directory.CreateTempSubdirectory("key").FullName;
        string pipe = Path.Combine(folder, "key");
        using (System.Diagnostics.Process make = System.Diagnostics.Process.Start("mkfifo", [pipe]))
        {
            make.WaitForExit();
        }

        OptionsValidationException failure = Assert.Throws<OptionsValidationException>(() =>
            new FalObservabilityClient(options => options.ApiKeyFile = pipe)
        );

        Assert.Contains($"The key file '{pipe}' is empty or not a regular file.", failure.Message, StringComparison.Ordinal);
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public void A_missing_key_is_an_options_error_that_names_every_place_to_put_it_and_no_other()
    {
        SetEnvironment(null, null, null);
        Func<object>[] withoutConfiguration =
        [
            () => new FalObservabilityClient(),
            () => new FalObservabilityClient(build: _ => { }),
            () => new FalObservabilityClient(options => options.ApiKey = ""),
        ];
        foreach (Func<object> make in withoutConfiguration)
        {
            string message = Assert.Throws<OptionsValidationException>(make).Message;
            Assert.All(
                [
                    "ApiKey in code",
                    "new FalObservabilityClient(key)",
                    "variable FAL_KEY,",
                    "FAL_KEY_ID and FAL_KEY_SECRET",
                    "ApiKeyFile or FAL_KEY_FILE",
                ],
                place => Assert.Contains(place, message, StringComparison.Ordinal)
            );
            Assert.DoesNotContain("Fal:", message, StringComparison.Ordinal);
            Assert.DoesNotContain("configuration", message, StringComparison.Ordinal);
        }

        string both = Assert.Throws<OptionsValidationException>(() => new FalObservabilityClient(options =>
            (options.ApiKey, options.ApiKeyProvider) = ("a:b", _ => ValueTask.FromResult("a:b")))).Message;
        Assert.DoesNotContain("Fal:", both, StringComparison.Ordinal);

        using ServiceProvider configured = Services(services => services.AddFalObservability(), ("Fal:MaxAttempts", "3"));
        string known = Assert.Throws<OptionsValidationException>(() => configured.GetRequiredService<IFalObservabilityClient>()).Message;
        Assert.All(
            [
                "Fal:ApiKey in the configuration (Fal__ApiKey in the environment)",
                "variable FAL_KEY,",
                "FAL_KEY_ID and FAL_KEY_SECRET",
                "Fal:ApiKeyFile or FAL_KEY_FILE",
            ],
            place => Assert.Contains(place, known, StringComparison.Ordinal)
        );
    }

    [Fact]
    public void A_malformed_key_is_an_options_error_that_does_not_show_it()
    {
        OptionsValidationException failure = Assert.Throws<OptionsValidationException>(() => new FalObservabilityClient("hunter2 hunter2"));
        Assert.DoesNotContain("hunter2", failure.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Accounts_stand_side_by_side_each_with_its_own_section()
    {
        SetEnvironment("env-id:env-secret", null, null);
        using ServiceProvider provider = Services(
            services =>
            {
                services.AddFalObservability();
                services.AddFalObservability("acme");
                services.AddFalObservability("globex", o => o.ApiKey = "globex-id:globex-secret");
            },
            ("Fal:Accounts:acme:ApiKey", "acme-id:acme-secret"));
        IOptionsMonitor<FalObservabilityOptions> options = provider.GetRequiredService<IOptionsMonitor<FalObservabilityOptions>>();
        Assert.Equal("env-id:env-secret", options.CurrentValue.ApiKey);
        Assert.Equal("acme-id:acme-secret", options.Get("acme").ApiKey);
        Assert.Equal("globex-id:globex-secret", options.Get("globex").ApiKey);
        Assert.NotSame(
            provider.GetRequiredKeyedService<IFalMetricsClient>("acme"),
            provider.GetRequiredKeyedService<IFalMetricsClient>("globex")
        );
        Assert.NotSame(provider.GetRequiredService<IFalMetricsClient>(), provider.GetRequiredKeyedService<IFalMetricsClient>("globex"));
    }

    [Fact]
    public void A_keyed_account_never_takes_the_key_of_the_environment()
    {
        SetEnvironment("env-id:env-secret", null, null);
        using ServiceProvider provider = Services(services => services.AddFalObservability("acme"));
        OptionsValidationException failure = Assert.Throws<OptionsValidationException>(() =>
            provider.GetRequiredKeyedService<IFalMetricsClient>("acme")
        );
        Assert.Contains("Fal:Accounts:acme:ApiKey", failure.Message, StringComparison.Ordinal);
        Assert.Contains("Fal__Accounts__acme__ApiKey", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_key_passed_as_the_name_of_an_account_is_refused_without_being_shown()
    {
        ArgumentException failure = Assert.Throws<ArgumentException>(() => new ServiceCollection().AddFalObservability("id:hunter2"));
        Assert.Contains("o.ApiKey", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Registering_twice_adds_the_callback_and_not_a_second_client()
    {
        using ServiceProvider provider = Services(services =>
        {
            services.AddFalObservability(o => o.ApiKey = "id:secret-value");
            services.AddFalObservability(o => o.MaxAttempts = 2);
        });
        Assert.Single(provider.GetServices<IFalObservabilityClient>());
        Assert.Equal(2, provider.GetRequiredService<IOptions<FalObservabilityOptions>>().Value.MaxAttempts);
    }

    [Fact]
    public void The_host_validates_the_options_when_it_starts()
    {
        using ServiceProvider provider = Services(services => services.AddFalObservability(o => o.MaxAttempts = 99));
        IStartupValidator validator = provider.GetRequiredService<IStartupValidator>();
        OptionsValidationException failure = Assert.Throws<OptionsValidationException>(validator.Validate);
        Assert.Contains("MaxAttempts is 99", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_disposed_client_takes_no_more_calls_and_ends_those_that_wait()
    {
        var end = new ScriptedHandler(
            async (_, token) =>
            {
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, token);
                throw new InvalidOperationException("not reached");
            }
        );
        var client = new FalObservabilityClient(
            o => o.ApiKey = "id:secret-value",
            b => b.ConfigureHttpClients(http => http.ConfigurePrimaryHttpMessageHandler(() => end))
        );
        Task waiting = client.Metrics.GetSnapshotAsync();
        await end.Arrived.Task;
        client.Dispose();
        foreach (
            Func<Task> call in new Func<Task>[]
            {
                () => waiting,
                () => client.Metrics.GetSnapshotAsync(),
                () => client.Analytics.GetPageAsync(new AnalyticsQuery("a/b")),
            }
        )
        {
            Assert.Equal(nameof(FalObservabilityClient), (await Assert.ThrowsAsync<ObjectDisposedException>(call)).ObjectName);
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task After_disposal_every_area_says_that_the_client_is_disposed_whether_it_was_used_or_not(bool ownsContainer)
    {
        IFalObservabilityClient client;
        if (ownsContainer)
        {
            var owner = new FalObservabilityClient(o => o.ApiKey = "id:secret-value", _ => { });
            client = owner;
            owner.Dispose();
        }
        else
        {
            ServiceProvider provider = Services(services => services.AddFalObservability(o => o.ApiKey = "id:secret-value"));
            client = provider.GetRequiredService<IFalObservabilityClient>();
            await provider.DisposeAsync();
        }

        foreach (
            Func<Task> call in new Func<Task>[]
            {
                () => client.Metrics.GetSnapshotAsync(),
                () => client.Analytics.GetPageAsync(new AnalyticsQuery("a/b")),
                () => client.Apps.ListAsync(),
                () => client.Apps.GetRunnerHistoryAsync("a/b"),
                () => client.Usage.GetReportAsync(),
            }
        )
        {
            ObjectDisposedException ended = await Assert.ThrowsAsync<ObjectDisposedException>(call);
            Assert.Equal(nameof(FalObservabilityClient), ended.ObjectName);
            Assert.Contains("The client, or the container that owns it, has been disposed.", ended.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_blank_key_in_code_does_not_fall_back_to_another_accounts()
    {
        SetEnvironment("env-id:env-secret", null, null);
        Assert.ThrowsAny<ArgumentException>(() => new FalObservabilityClient(""));
        Assert.Throws<OptionsValidationException>(() => new FalObservabilityClient(o => o.ApiKey = ""));
    }

    [Theory]
    [InlineData("Fal:MaxAttempts")]
    [InlineData("Fal:TotalTimeout")]
    [InlineData("Fal:StrictMetrics")]
    [InlineData("Fal:BaseAddress")]
    public void A_value_that_cannot_be_read_is_an_options_error_that_names_it_and_does_not_show_it(string setting)
    {
        OptionsValidationException failure = Assert.Throws<OptionsValidationException>(
            () => Options(services => services.AddFalObservability(), ("Fal:ApiKey", "id:secret-value"), (setting, "3f2a0c1e:hunter2")));
        Assert.Contains(setting.Split(':')[1], failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", failure.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("TotalTimeout", "45")]
    [InlineData("TotalTimeout", "24:00:00")]
    [InlineData("ProvisionalAge", "5")]
    public void A_number_that_would_be_taken_for_days_is_refused_and_explained(string setting, string value)
    {
        OptionsValidationException failure = Assert.Throws<OptionsValidationException>(() =>
            Options(services => services.AddFalObservability(), ("Fal:ApiKey", "id:secret-value"), ($"Fal:{setting}", value))
        );
        Assert.Contains(
            $"Fal:{setting} is {value}, which .NET reads as days. Write 00:00:45 for 45 seconds",
            failure.Message,
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData("1.00:00:00", 24)]
    [InlineData("23:00:00", 23)]
    [InlineData("0", 0)]
    public void A_time_that_says_what_it_means_is_taken(string value, int hours) =>
        Assert.Equal(TimeSpan.FromHours(hours), Options(
            services => services.AddFalObservability(), ("Fal:ApiKey", "id:secret-value"), ("Fal:ProvisionalAge", value)).ProvisionalAge);

    [Fact]
    public void A_setting_out_of_its_range_is_named_with_its_account()
    {
        using ServiceProvider provider = Services(
            services => services.AddFalObservability("acme").AddMetricsPublisher(),
            ("Fal:Accounts:acme:ApiKey", "id:secret-value"),
            ("Fal:Accounts:acme:MaxAttempts", "99"),
            ("Fal:Accounts:acme:Publisher:Interval", "00:00:01")
        );
        OptionsValidationException client = Assert.Throws<OptionsValidationException>(() =>
            provider.GetRequiredKeyedService<IFalMetricsClient>("acme")
        );
        Assert.Contains("Account 'acme': MaxAttempts is 99", client.Message, StringComparison.Ordinal);
        OptionsValidationException publisher = Assert.Throws<OptionsValidationException>(
            () => provider.GetRequiredService<IOptionsMonitor<FalMetricsPublisherOptions>>().Get("acme"));
        Assert.Contains("Publisher of account 'acme': Interval is 00:00:01", publisher.Message, StringComparison.Ordinal);
    }

    private static FalObservabilityOptions Options(Action<IServiceCollection> register, params (string Key, string Value)[] settings)
    {
        using ServiceProvider provider = Services(register, settings);
        return provider.GetRequiredService<IOptions<FalObservabilityOptions>>().Value;
    }

    private static ServiceProvider Services(Action<IServiceCollection> register, params (string Key, string Value)[] settings)
    {
        var services = new ServiceCollection();
        services.AddSingleton<IConfiguration>(new ConfigurationBuilder()
            .AddInMemoryCollection(settings.DistinctBy(s => s.Key).Select(s => KeyValuePair.Create(s.Key, (string?)s.Value)))
            .Build());
        register(services);
        return services.BuildServiceProvider();
    }

    private static void SetEnvironment(params string?[] values)
    {
        for (int i = 0; i < Variables.Length; i++)
        {
            Environment.SetEnvironmentVariable(Variables[i], values[i]);
        }
    }
}
