using Xunit;

namespace Fal.Observability.Client.Tests;

public sealed class AnalyticsTimeRangeTests
{
    private static readonly DateTimeOffset Now = new(2026, 3, 1, 12, 30, 0, TimeSpan.Zero);

    public static TheoryData<AnalyticsTimeRange, AnalyticsTimeRange> Different => new()
    {
        { default, AnalyticsTimeRange.Last(TimeSpan.FromHours(23)) },
        { AnalyticsTimeRange.Since(Now), AnalyticsTimeRange.Since(Now.AddTicks(1)) },
        { AnalyticsTimeRange.Since(Now), AnalyticsTimeRange.Between(Now, Now.AddDays(1)) },
        { AnalyticsTimeRange.Between(Now, Now.AddDays(2)), AnalyticsTimeRange.Between(Now, Now.AddDays(1)) },
        { AnalyticsTimeRange.Days(new(2026, 1, 1), new(2026, 1, 2)), AnalyticsTimeRange.Days(new(2026, 1, 1), new(2026, 1, 1)) },
    };

    [Fact]
    public void The_default_is_the_last_24_hours()
    {
        AnalyticsTimeRange range = default;

        Assert.Equal(TimeSpan.FromHours(24), range.Duration);
        Assert.Equal(AnalyticsTimeRange.Last(TimeSpan.FromHours(24)), range);
        Assert.Equal(AnalyticsTimeRange.Between(Now.AddHours(-24), Now), range.Resolve(Now));
    }

    [Fact]
    public void The_last_week_ends_at_the_instant_of_the_clock_and_is_then_fixed()
    {
        AnalyticsTimeRange resolved = AnalyticsTimeRange.Last(TimeSpan.FromDays(7)).Resolve(Now);

        Assert.Equal(Now.AddDays(-7), resolved.Start);
        Assert.Equal(Now, resolved.End);
        Assert.True(resolved.IsFixed);
        Assert.Equal(resolved, resolved.Resolve(Now.AddHours(3)));
    }

    [Fact]
    public void A_range_since_an_instant_ends_at_the_instant_of_the_clock()
    {
        AnalyticsTimeRange range = AnalyticsTimeRange.Since(Now.AddMinutes(-5));

        Assert.False(range.IsFixed);
        Assert.Null(range.End);
        Assert.Equal(AnalyticsTimeRange.Between(Now.AddMinutes(-5), Now), range.Resolve(Now));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void A_range_since_an_instant_that_is_not_past_cannot_be_resolved(int seconds)
    {
        var error = Assert.Throws<ArgumentException>(() => AnalyticsTimeRange.Since(Now.AddSeconds(seconds)).Resolve(Now));

        Assert.Contains("in the past", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Whole_days_include_both_ends_and_need_no_clock()
    {
        AnalyticsTimeRange range = AnalyticsTimeRange.Days(new(2026, 2, 23), new(2026, 3, 1));

        Assert.Equal(new DateOnly(2026, 2, 23), range.FirstDay);
        Assert.Equal(new DateOnly(2026, 3, 1), range.LastDay);
        Assert.True(range.IsFixed);
        Assert.Equal(range, range.Resolve(Now));
        Assert.Equal(("2026-02-23", "2026-03-02"), range.ToWire());
    }

    [Fact]
    public void A_single_day_is_a_range() => Assert.Equal(
        ("2026-12-31", "2027-01-01"), AnalyticsTimeRange.Days(new(2026, 12, 31), new(2026, 12, 31)).ToWire());

    [Fact]
    public void A_kind_of_time_shows_only_what_belongs_to_it()
    {
        AnalyticsTimeRange last = default;
        AnalyticsTimeRange between = AnalyticsTimeRange.Between(Now, Now.AddDays(1));
        AnalyticsTimeRange days = AnalyticsTimeRange.Days(new(2026, 1, 1), new(2026, 1, 1));

        Assert.Equal((null, null, null, null), (last.Start, last.End, last.FirstDay, last.LastDay));
        Assert.Equal((null, null, null), (between.Duration, between.FirstDay, between.LastDay));
        Assert.Equal((null, null, null), (days.Duration, days.Start, days.End));
    }

    [Fact]
    public void Instants_are_the_same_in_whatever_offset_or_type_they_are_given()
    {
        AnalyticsTimeRange expected = AnalyticsTimeRange.Between(Now, Now.AddDays(1));
        var berlin = TimeSpan.FromHours(1);

        Assert.Equal(expected, AnalyticsTimeRange.Between(Now.ToOffset(berlin), Now.AddDays(1).ToOffset(berlin)));
        Assert.Equal(expected, AnalyticsTimeRange.Between(Now.UtcDateTime, Now.AddDays(1).UtcDateTime));
        Assert.Equal(expected, AnalyticsTimeRange.Between(Now.LocalDateTime, Now.AddDays(1).LocalDateTime));
        Assert.Equal(AnalyticsTimeRange.Since(Now), AnalyticsTimeRange.Since(Now.UtcDateTime));
        Assert.Equal(AnalyticsTimeRange.Since(Now), AnalyticsTimeRange.Since(Now.LocalDateTime));
    }

    [Fact]
    public void A_time_that_does_not_say_which_instant_it_is_is_refused_with_the_way_out()
    {
        var unspecified = new DateTime(2026, 1, 1);
        DateTime utc = Now.UtcDateTime;

        foreach (Func<object> act in new Func<object>[]
        {
            () => AnalyticsTimeRange.Between(unspecified, utc),
            () => AnalyticsTimeRange.Between(utc, unspecified.AddYears(1)),
            () => AnalyticsTimeRange.Since(unspecified),
        })
        {
            var error = Assert.Throws<ArgumentException>(act);
            Assert.Contains("DateTimeOffset", error.Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    public void An_end_that_is_not_after_the_start_is_refused(int days)
    {
        DateTimeOffset start = Now.ToOffset(TimeSpan.FromHours(9));

        var error = Assert.Throws<ArgumentException>(() => AnalyticsTimeRange.Between(start, start.AddDays(days)));

        Assert.Equal("end", error.ParamName);
        Assert.Contains("the start 2026-03-01T12:30:00Z", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Days_that_run_backwards_or_have_no_day_after_them_are_refused()
    {
        Assert.Throws<ArgumentException>(() => AnalyticsTimeRange.Days(new(2026, 1, 2), new(2026, 1, 1)));
        Assert.Throws<ArgumentException>(() => AnalyticsTimeRange.Days(new(2026, 1, 2), DateOnly.MaxValue));
    }

    [Fact]
    public void A_last_stretch_that_is_no_stretch_or_longer_than_a_century_is_refused()
    {
        foreach (
            TimeSpan duration in new[]
            {
                TimeSpan.Zero,
                TimeSpan.FromTicks(-1),
                TimeSpan.MinValue,
                TimeSpan.MaxValue,
                TimeSpan.FromDays(36_501),
            }
        )
        {
            Assert.Throws<ArgumentOutOfRangeException>(() => AnalyticsTimeRange.Last(duration));
        }

        Assert.Equal(TimeSpan.FromTicks(1), AnalyticsTimeRange.Last(TimeSpan.FromTicks(1)).Duration);
        Assert.Equal(TimeSpan.FromDays(36_500), AnalyticsTimeRange.Last(TimeSpan.FromDays(36_500)).Duration);
    }

    [Theory]
    [MemberData(nameof(Different))]
    public void Ranges_that_differ_are_not_equal(AnalyticsTimeRange left, AnalyticsTimeRange right)
    {
        Assert.True(left != right);
        Assert.False(left == right);
        Assert.False(left.Equals((object)right));
        Assert.True(left.Equals((object)left));
        Assert.False(left.Equals(null));
    }

    [Fact]
    public void Equal_ranges_have_one_hash_code()
    {
        AnalyticsTimeRange one = AnalyticsTimeRange.Between(Now, Now.AddDays(1));
        AnalyticsTimeRange other = AnalyticsTimeRange.Between(Now.ToOffset(TimeSpan.FromHours(9)), Now.AddDays(1));

        Assert.True(one == other);
        Assert.Equal(one.GetHashCode(), other.GetHashCode());
    }

    [Theory]
    [MemberData(nameof(CultureScope.Names), MemberType = typeof(CultureScope))]
    public void A_log_line_shows_the_range_the_same_way_in_every_culture(string culture)
    {
        using var scope = new CultureScope(culture);

        Assert.Equal("last 7.00:00:00", AnalyticsTimeRange.Last(TimeSpan.FromDays(7)).ToString());
        Assert.Equal("last 1.00:00:00", default(AnalyticsTimeRange).ToString());
        Assert.Equal(
            "2026-03-01T12:30:00Z/2026-03-01T12:30:00.2500000Z",
            AnalyticsTimeRange.Between(Now, Now.AddMilliseconds(250)).ToString()
        );
        Assert.Equal("2026-03-01T12:30:00Z/now", AnalyticsTimeRange.Since(Now).ToString());
        Assert.Equal("2026-01-01..2026-01-07", AnalyticsTimeRange.Days(new(2026, 1, 1), new(2026, 1, 7)).ToString());
    }
}
