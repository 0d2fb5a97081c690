using Fal.Observability.Client.Prometheus;
using Xunit;

namespace Fal.Observability.Client.Tests;

public sealed class FalKnownFamiliesTests
{
    public static TheoryData<string> Names => [.. typeof(FalMetricNames).GetFields()
        .Where(name => name.Name != nameof(FalMetricNames.ApplicationLabel))
        .Select(name => (string)name.GetRawConstantValue()!)];

    [Theory]
    [MemberData(nameof(Names))]
    public void Every_name_has_a_row_whose_member_shows_its_samples(string name)
    {
        FalKnownFamily family = Assert.Single(FalKnownFamilies.Rows, row => row.Name == name);
        string text = $"{name}{{application=\"my/app\",le=\"+Inf\"}} 7\n";

        FalAppMetrics app = FalMetricsSnapshot.Create(PrometheusTextParser.ParseFamilies(text), DateTimeOffset.UnixEpoch).Apps[0];

        Assert.Equal(7.0, family.Member == FalAppMember.Latency
            ? app.Latency?.Count
            : family.Member == FalAppMember.Runners
                ? app.RunnerCount
                : typeof(FalAppMetrics).GetProperty(family.Member.ToString())!.GetValue(app));
        Assert.NotEmpty(family.Unit);
    }

    [Fact]
    public void Every_member_has_one_family_and_every_row_a_name() => Assert.Equal(
        Enum.GetValues<FalAppMember>().Where(member => member != FalAppMember.None).Order(),
        FalKnownFamilies.Rows.Where(row => Names.Any(name => name.Data == row.Name)).Select(row => row.Member).Order());
}
