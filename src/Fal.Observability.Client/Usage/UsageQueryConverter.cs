using Refit;

namespace Fal.Observability.Client;

/// <summary>
/// Writes a <see cref="UsageQuery"/> into the query string of a generated Refit request, in the order of the service's documentation.
/// </summary>
internal sealed class UsageQueryConverter : IQueryConverter<UsageQuery>
{
    /// <inheritdoc/>
    /// <exception cref="ArgumentException">The query has a range that still depends on the clock.</exception>
    public void Flatten(UsageQuery value, string keyPrefix, ref GeneratedQueryStringBuilder builder, RefitSettings settings)
    {
        ArgumentNullException.ThrowIfNull(value);
        value.AddPageTo(ref builder, keyPrefix);
        value.Grid.AddTo(ref builder, keyPrefix);
        foreach (string app in value.Apps)
        {
            builder.Add(keyPrefix + "app", app, preEncoded: false);
        }

        builder.Add(keyPrefix + "search", value.Search, preEncoded: false);
        builder.Add(keyPrefix + "expand", value.Expand.HasFlag(UsageExpand.TimeSeries) ? "time_series" : null, preEncoded: false);
        builder.Add(keyPrefix + "expand", value.Expand.HasFlag(UsageExpand.Summary) ? "summary" : null, preEncoded: false);
    }
}
