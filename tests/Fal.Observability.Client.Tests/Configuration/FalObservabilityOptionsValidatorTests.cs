using Microsoft.Extensions.Options;
using Xunit;

namespace Fal.Observability.Client.Tests;

public sealed class FalObservabilityOptionsValidatorTests
{
    [Fact]
    public void The_defaults_with_a_key_are_valid() => Assert.True(Validate(_ => { }).Succeeded);

    [Theory]
    [InlineData("http://api.example/v1", "plain http")]
    [InlineData("ftp://api.example/v1", "https")]
    [InlineData("/v1", "absolute")]
    [InlineData("https://user:hunter2@api.example/v1", "user info")]
    [InlineData("https://api.example/v1?token=hunter2", "query")]
    public void An_address_that_would_not_do_is_refused(string address, string says)
    {
        ValidateOptionsResult result = Validate(o => o.BaseAddress = new Uri(address, UriKind.RelativeOrAbsolute));
        string failure = Assert.Single(result.Failures!);
        Assert.Contains(says, failure, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", failure, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("http://127.0.0.1:5080/v1")]
    [InlineData("http://localhost/v1")]
    [InlineData("http://[::1]/v1")]
    public void Loopback_may_be_plain_http(string address) => Assert.True(Validate(o => o.BaseAddress = new Uri(address)).Succeeded);

    [Fact]
    public void Plain_http_elsewhere_needs_a_word_from_the_user() => Assert.True(Validate(o =>
    {
        o.BaseAddress = new Uri("http://sidecar:8080/v1");
        o.AllowInsecureHttp = true;
    }).Succeeded);

    [Fact]
    public void Every_setting_out_of_range_is_named_in_one_go()
    {
        ValidateOptionsResult result = Validate(o =>
        {
            o.MaxAttempts = 0;
            o.AttemptTimeout = TimeSpan.Zero;
            o.TotalTimeout = TimeSpan.FromDays(2);
            o.ReadIdleTimeout = TimeSpan.FromMilliseconds(-1);
            o.MinRetryDelay = TimeSpan.Zero;
            o.RetryBaseDelay = TimeSpan.FromHours(1);
            o.MaxRetryDelay = TimeSpan.FromHours(2);
            o.MaxResponseBytes = 12;
            o.MaxPages = 0;
            o.MaxConcurrentCalls = 17;
            o.BucketsPerWindow = 0;
            o.MaxBufferedRows = 999;
            o.ProvisionalAge = TimeSpan.FromSeconds(-1);
            o.MaxRememberedBytes = -1;
            o.UserAgentSuffix = "not (closed";
        });
        Assert.Equal(
            [
                "UserAgentSuffix",
                "MaxAttempts",
                "TotalTimeout",
                "AttemptTimeout",
                "ReadIdleTimeout",
                "MinRetryDelay",
                "RetryBaseDelay",
                "MaxRetryDelay",
                "MaxResponseBytes",
                "MaxPages",
                "MaxConcurrentCalls",
                "BucketsPerWindow",
                "MaxBufferedRows",
                "ProvisionalAge",
                "MaxRememberedBytes",
            ],
            result.Failures!.Select(f => f[..f.IndexOf(' ', StringComparison.Ordinal)])
        );
    }

    [Fact]
    public void Two_settings_that_contradict_each_other_are_named_with_both_values()
    {
        string failure = Assert.Single(Validate(
            o => (o.TotalTimeout, o.AttemptTimeout) = (TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(30))).Failures!);
        Assert.Contains("00:00:30", failure, StringComparison.Ordinal);
        Assert.Contains("00:00:10", failure, StringComparison.Ordinal);
    }

    [Fact]
    public void A_total_time_out_of_its_range_is_the_only_complaint_if_nothing_else_is_set() =>
        Assert.StartsWith(
            "TotalTimeout is 00:00:00; it must be",
            Assert.Single(Validate(o => o.TotalTimeout = TimeSpan.Zero).Failures!),
            StringComparison.Ordinal);

    [Fact]
    public void The_options_do_not_show_the_key() =>
        Assert.DoesNotContain("hunter2", new FalObservabilityOptions { ApiKey = "id:hunter2" }.ToString(), StringComparison.Ordinal);

    private static ValidateOptionsResult Validate(Action<FalObservabilityOptions> change)
    {
        var options = new FalObservabilityOptions { ApiKey = "id:secret-value" };
        change(options);
        return new FalObservabilityOptionsValidator().Validate(null, options);
    }
}
