using Fal.Observability.Client.Conformance;
using Xunit;

namespace Fal.Observability.Client.IntegrationTests;

/// <summary>Our own cases, one or more for each rule of docs/parser.md, through every entry point of the parser.</summary>
public sealed class ConformanceCaseTests
{
    private static readonly Dictionary<string, ConformanceCase> Cases = ConformanceCase
        .ReadAll(Path.Combine(AppContext.BaseDirectory, "cases")).ToDictionary(one => one.Name, StringComparer.Ordinal);

    public static TheoryData<string> Names => [.. Cases.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void A_case_is_read_as_it_demands_however_it_arrives(string name)
    {
        string[] failures =
        [
            .. from path in InputPath.Names
               from result in CaseResult.Of(Cases[name], InputPath.Find(path)!, invert: false)
               where result.Failure is not null
               select $"{path}, {result.Level}: {result.Failure}",
        ];

        Assert.Empty(failures);
    }

    [Fact]
    public void The_cases_fail_when_they_demand_the_opposite()
    {
        InputPath span = InputPath.Find("span")!;

        Assert.All(Cases.Values, one => Assert.All(CaseResult.Of(one, span, invert: true), result => Assert.NotNull(result.Failure)));
    }
}
