using Refit;

namespace Fal.Observability.Client;

/// <summary>
/// Writes a whole <see cref="AnalyticsQuery"/> into the query string of a generated Refit request, in the order of the
/// service's documentation. The service does not accept Refit's own formatting of dates, booleans and flags.
/// </summary>
internal sealed class AnalyticsQueryConverter : IQueryConverter<AnalyticsQuery>
{
    /// <inheritdoc/>
    /// <exception cref="ArgumentException">
    /// The query asks for no metric, names more than <see cref="AnalyticsQuery.MaxEndpointIdsPerCall"/> endpoints, or has a range that
    /// still depends on the clock.
    /// </exception>
    public void Flatten(AnalyticsQuery value, string keyPrefix, ref GeneratedQueryStringBuilder builder, RefitSettings settings)
    {
        ArgumentNullException.ThrowIfNull(value);
        value.ValidateForOneCall();
        foreach (string id in value.EndpointIds)
        {
            builder.Add(keyPrefix + "endpoint_id", id, preEncoded: false);
        }

        foreach (AnalyticsExpand flag in value.EffectiveExpand.GetFlags())
        {
            builder.Add(keyPrefix + "expand", flag.GetWireName(), preEncoded: false);
        }

        foreach (string name in value.AdditionalExpand)
        {
            // A name that this version knows was already written as its flag.
            if (AnalyticsExpandExtensions.Parse(name) == AnalyticsExpand.None)
            {
                builder.Add(keyPrefix + "expand", name, preEncoded: false);
            }
        }

        value.Grid.AddTo(ref builder, keyPrefix);
        value.AddPageTo(ref builder, keyPrefix);
    }
}
