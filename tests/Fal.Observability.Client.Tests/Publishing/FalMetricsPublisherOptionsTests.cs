using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Xunit;

namespace Fal.Observability.Client.Tests;

public sealed class FalMetricsPublisherOptionsTests
{
    [Fact]
    public void Code_goes_over_the_section_of_the_publisher()
    {
        FalMetricsPublisherOptions options = OptionsOf(
            null,
            o => o.StaleAfter = TimeSpan.FromMinutes(7),
            ("Fal:Publisher:Interval", "00:00:30"),
            ("Fal:Publisher:StaleAfter", "00:05:00")
        );
        Assert.Equal(TimeSpan.FromSeconds(30), options.Interval);
        Assert.Equal(TimeSpan.FromMinutes(7), options.StaleAfter);
    }

    [Fact]
    public void A_keyed_account_reads_the_publisher_of_its_own_section()
    {
        FalMetricsPublisherOptions options = OptionsOf(
            "acme", null, ("Fal:Publisher:Interval", "00:00:20"), ("Fal:Accounts:acme:Publisher:Interval", "00:00:30"));
        Assert.Equal(TimeSpan.FromSeconds(30), options.Interval);
    }

    [Fact]
    public void Every_setting_can_be_set_in_the_section()
    {
        FalMetricsPublisherOptions options = OptionsOf(
            null,
            null,
            ("Fal:Publisher:Interval", "00:00:30"),
            ("Fal:Publisher:StaleAfter", "00:03:00"),
            ("Fal:Publisher:AccountLabel", "main"),
            ("Fal:Publisher:AnalyticsEndpointIds:0", "my/app"),
            ("Fal:Publisher:AnalyticsEndpointIds:1", "my/other"),
            ("Fal:Publisher:AnalyticsMetrics", "RequestCount, P95Duration"),
            ("Fal:Publisher:AnalyticsTimeframe", "Day"));
        Assert.Equal(TimeSpan.FromSeconds(30), options.Interval);
        Assert.Equal(TimeSpan.FromMinutes(3), options.StaleAfter);
        Assert.Equal("main", options.AccountLabel);
        Assert.Equal(["my/app", "my/other"], options.AnalyticsEndpointIds);
        Assert.Equal(AnalyticsExpand.RequestCount | AnalyticsExpand.P95Duration, options.AnalyticsMetrics);
        Assert.Equal(AnalyticsTimeframe.Day, options.AnalyticsTimeframe);
        Assert.Equal(6, typeof(FalMetricsPublisherOptions).GetProperties().Length);
    }

    [Theory]
    [InlineData(null, "Fal:Publisher:Intervall")]
    [InlineData("acme", "Fal:Accounts:acme:Publisher:Stale")]
    [InlineData(null, "Fal:Publisher:Publisher")]
    public void A_misspelt_setting_is_an_error_that_names_it_and_the_right_ones(string? account, string setting)
    {
        OptionsValidationException failure = Assert.Throws<OptionsValidationException>(() =>
            OptionsOf(account, null, (setting, "00:00:30"))
        );
        Assert.Contains(setting, failure.Message, StringComparison.Ordinal);
        Assert.Contains("StaleAfter", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null, "Fal:Publischer:Interval")]
    [InlineData("acme", "Fal:Accounts:acme:Accounts:x")]
    public void A_misspelt_section_is_an_error_of_the_client(string? account, string setting)
    {
        using ServiceProvider provider = Services(account, null, (setting, "00:00:30"));
        OptionsValidationException failure = Assert.Throws<OptionsValidationException>(
            () => provider.GetRequiredService<IOptionsMonitor<FalObservabilityOptions>>().Get(account ?? Options.DefaultName));
        Assert.Contains(setting[..setting.LastIndexOf(':')], failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Interval", "soon")]
    [InlineData("AnalyticsTimeframe", "Fortnight")]
    public void A_value_that_cannot_be_read_is_an_error_that_names_the_setting(string setting, string value)
    {
        OptionsValidationException failure = Assert.Throws<OptionsValidationException>(() =>
            OptionsOf(null, null, ($"Fal:Publisher:{setting}", value))
        );
        Assert.Contains($"Fal:Publisher:{setting}", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(value, failure.Message, StringComparison.Ordinal);
    }

    public static TheoryData<Action<FalMetricsPublisherOptions>, string> Mistakes => new()
    {
        { o => o.Interval = TimeSpan.FromSeconds(9.9), "Interval is 00:00:09.9000000; it must be from 00:00:10" },
        { o => o.Interval = TimeSpan.FromDays(30), "Interval is 30.00:00:00; it must be from 00:00:10 to 1.00:00:00" },
        { o => o.StaleAfter = TimeSpan.Zero, "StaleAfter is 00:00:00" },
        { o => o.Interval = TimeSpan.FromSeconds(61), "StaleAfter (00:02:00) must be at least twice Interval (00:01:01)" },
        { o => o.Interval = TimeSpan.MaxValue, "Interval is 10675199.02:48:05.4775807; it must be" },
        { o => o.Interval = TimeSpan.MinValue, "Interval is -10675199.02:48:05.4775808; it must be" },
        { o => o.AccountLabel = " ", "AccountLabel is blank" },
        { o => o.AnalyticsTimeframe = AnalyticsTimeframe.Month, "AnalyticsTimeframe is Month; it must be Minute, Hour or Day" },
        { o => o.AnalyticsTimeframe = (AnalyticsTimeframe)99, "AnalyticsTimeframe is 99" },
        { o => o.AnalyticsMetrics = AnalyticsExpand.None, "AnalyticsMetrics is None" },
        { o => o.AnalyticsMetrics = AnalyticsExpand.Summary, "AnalyticsMetrics is Summary" },
        { o => o.AnalyticsEndpointIds.Add("a,b"), "AnalyticsEndpointIds is not valid" },
    };

    [Theory]
    [MemberData(nameof(Mistakes))]
    public void A_value_out_of_its_range_stops_the_host_with_what_it_may_be(Action<FalMetricsPublisherOptions> mistake, string message)
    {
        using ServiceProvider provider = Services(null, mistake);
        OptionsValidationException failure = Assert.Throws<OptionsValidationException>(
            provider.GetRequiredService<IStartupValidator>().Validate
        );
        Assert.Contains(message, failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(CultureScope.Names), MemberType = typeof(CultureScope))]
    public void Messages_are_the_same_in_every_culture(string culture)
    {
        using var scope = new CultureScope(culture);
        A_value_out_of_its_range_stops_the_host_with_what_it_may_be(
            o => o.Interval = TimeSpan.FromSeconds(9.9),
            "Interval is 00:00:09.9000000"
        );
    }

    private static FalMetricsPublisherOptions OptionsOf(
        string? account, Action<FalMetricsPublisherOptions>? configure, params (string Key, string Value)[] settings)
    {
        using ServiceProvider provider = Services(account, configure, settings);
        return provider.GetRequiredService<IOptionsMonitor<FalMetricsPublisherOptions>>().Get(account ?? Options.DefaultName);
    }

    private static ServiceProvider Services(
        string? account, Action<FalMetricsPublisherOptions>? configure, params (string Key, string Value)[] settings)
    {
        var services = new ServiceCollection();
        services.AddSingleton<IConfiguration>(new ConfigurationBuilder()
            .AddInMemoryCollection(settings.Select(setting => KeyValuePair.Create(setting.Key, (string?)setting.Value)))
            .Build());
        static void WithKey(FalObservabilityOptions options) => options.ApiKey = "id:secret-value";
        (account is null ? services.AddFalObservability(WithKey) : services.AddFalObservability(account, WithKey)).AddMetricsPublisher(
            configure
        );
        return services.BuildServiceProvider();
    }
}
