using Refit;

namespace Fal.Observability.Client;

/// <summary>
/// Writes a <see cref="FalRunnerHistoryQuery"/> into the query string of a generated Refit request, in the order of the service's
/// documentation.
/// </summary>
internal sealed class FalRunnerHistoryQueryConverter : IQueryConverter<FalRunnerHistoryQuery>
{
    /// <summary>The value of the parameter <c>aggregation</c> that asks for the highest number.</summary>
    public const string Max = "max";

    /// <summary>The value of the parameter <c>aggregation</c> that asks for the mean.</summary>
    public const string Average = "avg";

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">The query has a range that still depends on the clock.</exception>
    public void Flatten(FalRunnerHistoryQuery value, string keyPrefix, ref GeneratedQueryStringBuilder builder, RefitSettings settings)
    {
        ArgumentNullException.ThrowIfNull(value);
        value.Grid.AddTo(ref builder, keyPrefix);
        builder.Add(keyPrefix + "aggregation", value.Aggregation == FalRunnerAggregation.Average ? Average : Max, preEncoded: false);
    }
}
