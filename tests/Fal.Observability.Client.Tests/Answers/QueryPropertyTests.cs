using Refit;
using Xunit;

namespace Fal.Observability.Client.Tests;

/// <summary>
/// Holds each settable property of each query to every place that has to know it. A property that is new needs a value below.
/// </summary>
public sealed class QueryPropertyTests
{
    private static readonly DateTimeOffset Now = new(2026, 3, 1, 12, 30, 0, TimeSpan.Zero);
    private static readonly AnalyticsTimeRange Fixed = AnalyticsTimeRange.Between(Now.AddDays(-1), Now);

    private static readonly Dictionary<Type, QueryUnderTest> Queries = new()
    {
        [typeof(AnalyticsQuery)] = new(
            new AnalyticsQuery("a/b", "c/d") { Range = Fixed },
            query => Sent((AnalyticsQuery)query, new AnalyticsQueryConverter()),
            // The source is a part of the path. The others say what reports and streams do with what the service answers.
            ["Source", "RefusedEndpoints", "DegradeOnServerError", "ClosedOnly"]),
        [typeof(UsageQuery)] = new(
            new UsageQuery { Range = Fixed }, query => Sent((UsageQuery)query, new UsageQueryConverter()), []),
        [typeof(FalAppQuery)] = new(new FalAppQuery(), query => Sent((FalAppQuery)query, new FalAppQueryConverter()), []),
        [typeof(FalRunnerHistoryQuery)] = new(
            new FalRunnerHistoryQuery { Range = Fixed },
            query => Sent((FalRunnerHistoryQuery)query, new FalRunnerHistoryQueryConverter()),
            []),
    };

    private static readonly Dictionary<string, object> OtherValues = new(StringComparer.Ordinal)
    {
        ["AdditionalExpand"] = new[] { "brand_new" },
        ["Aggregation"] = FalRunnerAggregation.Average,
        ["Apps"] = new[] { "other" },
        ["BoundToTimeframe"] = false,
        ["ClosedOnly"] = true,
        ["Cursor"] = "Mg==",
        ["DegradeOnServerError"] = true,
        ["EndpointIds"] = new[] { "c/d", "a/b" },
        ["Environments"] = new[] { "staging" },
        ["Limit"] = 7,
        ["Range"] = AnalyticsTimeRange.Between(Now.AddDays(-2), Now),
        ["RefusedEndpoints"] = RefusedEndpointPolicy.Skip,
        ["Search"] = "image",
        ["Source"] = AnalyticsSource.Models,
        ["Timeframe"] = AnalyticsTimeframe.Minute,
        ["TimeZone"] = "Europe/Berlin",
        ["WithEndpoints"] = true,
        ["AnalyticsQuery.Expand"] = AnalyticsExpand.ErrorCount,
        ["UsageQuery.Expand"] = UsageExpand.Summary,
    };

    public static TheoryData<string, string> Properties
    {
        get
        {
            var properties = new TheoryData<string, string>();
            foreach (Type type in Queries.Keys)
            {
                foreach (string property in PropertiesOf(type))
                {
                    properties.Add(type.Name, property);
                }
            }

            return properties;
        }
    }

    [Theory]
    [MemberData(nameof(Properties))]
    public void Every_property_is_compared_shown_and_sent(string type, string property)
    {
        QueryUnderTest under = Queries.Single(query => query.Key.Name == type).Value;
        object changed = Change(under.Query, property);
        object again = Change(under.Query, property);

        Assert.NotEqual(under.Query, changed);
        Assert.Equal(changed, again);
        Assert.Equal(changed.GetHashCode(), again.GetHashCode());
        Assert.NotEqual(under.Query.ToString(), changed.ToString());
        Assert.Equal(under.NotSent.Contains(property), under.Send(under.Query) == under.Send(changed));
    }

    [Fact]
    public void A_checkpoint_belongs_to_no_query_that_gives_something_else()
    {
        var query = (AnalyticsQuery)Queries[typeof(AnalyticsQuery)].Query;
        AnalyticsCheckpoint checkpoint = AnalyticsCheckpoint.CreateComplete(query);

        // How the answer is cut into pages does not change what comes out.
        Assert.Equal(["Cursor", "Limit"], PropertiesOf(typeof(AnalyticsQuery))
            .Where(property => checkpoint.IsOf((AnalyticsQuery)Change(query, property)))
            .Order(StringComparer.Ordinal));
    }

    [Fact]
    public void A_checkpoint_that_was_saved_still_belongs_to_its_query()
    {
        var query = new AnalyticsQuery("a/b", "c/d")
        {
            Expand = AnalyticsExpand.Volume | AnalyticsExpand.Summary,
            AdditionalExpand = ["brand_new", "error_count"],
            Range = Fixed,
            Timeframe = AnalyticsTimeframe.Day,
            TimeZone = "Europe/Berlin",
            BoundToTimeframe = false,
            RefusedEndpoints = RefusedEndpointPolicy.Skip,
            ClosedOnly = true,
        };

        AnalyticsCheckpoint saved = AnalyticsCheckpoint.FromJson(
            """{"version":1,"query":"52D370AAE453BE814B39DE5A66E37EF7","next":null,"end":null,"refused":[]}"""
        );

        Assert.Equal(saved.ToJson(), AnalyticsCheckpoint.CreateComplete(query).ToJson());
        Assert.True(saved.IsOf(query));
    }

    private static IEnumerable<string> PropertiesOf(Type query) =>
        query.GetProperties().Where(property => property.SetMethod is { IsPublic: true }).Select(property => property.Name);

    private static object Change(object query, string property)
    {
        Type type = query.GetType();
        object value = OtherValues.GetValueOrDefault(property) ?? OtherValues[$"{type.Name}.{property}"];
        object copy = type.GetMethod("<Clone>$")!.Invoke(query, null)!;
        type.GetProperty(property)!.SetValue(copy, value);
        return copy;
    }

    private static string Sent<T>(T query, IQueryConverter<T> converter)
    {
        var builder = new GeneratedQueryStringBuilder("/");
        converter.Flatten(query, "", ref builder, new RefitSettings());
        return builder.Build();
    }

    private sealed record QueryUnderTest(object Query, Func<object, string> Send, string[] NotSent);
}
