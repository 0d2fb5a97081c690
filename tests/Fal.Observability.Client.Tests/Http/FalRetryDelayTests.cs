using System.Net;
using Xunit;

namespace Fal.Observability.Client.Tests;

public sealed class FalRetryDelayTests
{
    private static readonly DateTimeOffset Now = DateTimeOffset.FromUnixTimeSeconds(1_780_000_000);

    [Theory]
    [InlineData("30", 30)]
    [InlineData("0.5", 0.5)]
    [InlineData("-3", 0)]
    [InlineData("86400", 86_400)]
    [InlineData("1780000045", 45)]
    [InlineData("1779999999", 0)]
    [InlineData("1780000045500", 45.5)]
    [InlineData("3600, 1780000045", 3600)]
    [InlineData("1780000045, 3", 45)]
    [InlineData("999999999", 999_999_999)]
    public void A_wait_is_seconds_from_now_unless_it_can_only_be_an_instant(string wait, double seconds)
    {
        foreach (string header in new[] { "x-ratelimit-reset", "Retry-After" })
        {
            using var response = new HttpResponseMessage(HttpStatusCode.TooManyRequests);
            response.Headers.TryAddWithoutValidation(header, wait);

            Assert.Equal(TimeSpan.FromSeconds(seconds), FalRetryDelay.AskedFor(response, Now));
        }
    }

    [Theory]
    [InlineData(7.0, "7")]
    [InlineData(2.5, "2.5")]
    [InlineData(9.0, "1, 9")]
    [InlineData(9.0, "9", "1")]
    [InlineData(45.0, "Thu, 28 May 2026 20:27:25 GMT")]
    [InlineData(45.0, "3", "Thu, 28 May 2026 20:27:25 GMT")]
    [InlineData(50.0, "Thu, 28 May 2026 20:27:30 GMT", "Thu, 28 May 2026 20:27:25 GMT")]
    [InlineData(null, "soon")]
    [InlineData(null, "1, soon")]
    [InlineData(null, "")]
    public void The_longest_wait_that_the_service_and_its_proxies_ask_for_is_kept(double? seconds, params string[] values)
    {
        using var response = new HttpResponseMessage(HttpStatusCode.TooManyRequests);
        response.Headers.TryAddWithoutValidation("Retry-After", values);

        Assert.Equal(seconds is { } wait ? TimeSpan.FromSeconds(wait) : null, FalRetryDelay.AskedFor(response, Now));
    }

    [Theory]
    [InlineData("Thu, 28 May 2026 20:27:25 GMT", 1, 45)]
    [InlineData("Thu, 28 May 2026 20:27:25 GMT", -1, 3645)]
    [InlineData("1780000045", 1, 45)]
    [InlineData("1780000045", -1, 3645)]
    public void With_a_wrong_clock_an_instant_comes_never_earlier_than_the_service_meant(string value, int hours, int seconds)
    {
        using var response = new HttpResponseMessage(HttpStatusCode.TooManyRequests);
        response.Headers.Date = Now;
        response.Headers.TryAddWithoutValidation("Retry-After", value);

        Assert.Equal(TimeSpan.FromSeconds(seconds), FalRetryDelay.AskedFor(response, Now.AddHours(hours)));
    }

    [Theory]
    [InlineData("1e300")]
    [InlineData("500000000000")]
    [InlineData("200000000000000")]
    public void A_reset_beyond_all_time_is_a_long_wait(string reset)
    {
        using var response = new HttpResponseMessage(HttpStatusCode.TooManyRequests);
        response.Headers.Add("x-ratelimit-reset", reset);

        Assert.InRange(FalRetryDelay.AskedFor(response, Now)!.Value, TimeSpan.FromDays(36_500), TimeSpan.MaxValue);
    }
}
